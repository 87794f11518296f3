// Edits of the config's text that leave every other byte as its owner wrote it: no part is ever dumped anew.
import { isMap, isScalar, isSeq, type Pair, type YAMLMap } from "yaml";
import { isPlainList, isPlainMap } from "./config-render.ts";
import {
  type ConfigTree,
  keyText,
  type Plain,
  type PlainMap,
  parseTree,
  plainOf,
  repeatedKey,
} from "./config-tree.ts";
import { ConfigText, type Splice } from "./edit-text.ts";
import { Failure } from "./failure.ts";

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** A path leads through maps only. Setting a map or a list keeps what it shares with the old one untouched. */
export type Edit =
  | { readonly path: readonly string[]; readonly value: Json }
  | { readonly path: readonly string[]; readonly remove: true };

/** What is to be different: no step of a list leads to, or into, what another one of it changes. */
interface Step {
  readonly path: readonly string[];
  /** Undefined: the key is to go. */
  readonly value: Plain | undefined;
}

/** The file with these edits made. Its tree is what the text was parsed to again, and found to mean what was wanted. */
export function editConfig(before: ConfigTree, edits: readonly Edit[]): ConfigTree | Failure {
  const repeated = repeatedKey(before.root);
  if (repeated !== undefined) {
    const at = before.position(repeated);
    return new Failure("config_invalid", "this key appears twice in its map", { at });
  }
  const old = plainOf(before.root);
  let wanted = old;
  for (const edit of edits) {
    const next = changed(wanted, edit.path, "remove" in edit ? undefined : plainFrom(edit.value));
    if (next === undefined) {
      return new Failure("config_invalid", "expected a map where an edit is to go, found something else", {
        at: before.position(0),
      });
    }
    wanted = next;
  }
  const after = apply(before, stepsBetween(old, wanted));
  if (!(after instanceof Failure) && !sameConfig(plainOf(after.root), wanted)) throw new Error(unsafe);
  return after;
}

const unsafe = "an edit of the config would have changed something else: nothing is written";

/** Down to the values that differ, so that what both have stays as it is written. */
function stepsBetween(old: Plain, wanted: Plain, path: readonly string[] = []): readonly Step[] {
  if (same(old, wanted)) return [];
  // A file without content is as good as an empty map.
  const from = path.length === 0 && old === null ? new Map<string, Plain>() : old;
  if (!isPlainMap(from) || !isPlainMap(wanted)) return [{ path, value: wanted }];
  const set = [...wanted].flatMap(([key, value]) => {
    const known = from.get(key);
    return known === undefined
      ? [{ path: [...path, key], value }]
      : stepsBetween(known, value, [...path, key]);
  });
  const gone = [...from.keys()].filter((key) => !wanted.has(key));
  return [...set, ...gone.map((key) => ({ path: [...path, key], value: undefined }))];
}

/** One parse serves as many steps as do not meddle with each other; the rest waits for the next. */
function apply(before: ConfigTree, steps: readonly Step[]): ConfigTree | Failure {
  let tree = before;
  for (let left = steps; left.length > 0; ) {
    const content = new ConfigText(tree.text, tree.root);
    const splices: Splice[] = [];
    const waiting: Step[] = [];
    const scalars = new Set<YAMLMap | undefined>();
    const rebuilt = new Set<YAMLMap | undefined>();
    for (const step of left) {
      const spot = find(content, step.path);
      const map = spot.maps.at(-1);
      const simple = replacesScalar(spot, step.value);
      const free = !rebuilt.has(map) && (simple || !scalars.has(map));
      const pieces = free ? spliceFor(content, spot, step.value) : [];
      if (!free || pieces.some((piece) => splices.some((other) => meets(piece, other)))) {
        waiting.push(step);
        continue;
      }
      (simple ? scalars : rebuilt).add(map);
      splices.push(...pieces);
    }
    const parsed = parseTree(content.splice(splices), tree.file);
    if (parsed instanceof Failure) {
      if (parsed.message.includes("1 MiB")) return parsed;
      throw new Error(unsafe);
    }
    tree = parsed;
    left = waiting;
  }
  return tree;
}

/** Pieces that touch count as well: which of them comes first would be a guess. */
function meets(one: Splice, other: Splice): boolean {
  return one.start <= other.end && other.start <= one.end;
}

interface Spot {
  /** From the root to the map that holds the last key found. */
  readonly maps: readonly YAMLMap[];
  /** The pair of each key on the way. */
  readonly pairs: readonly Pair[];
  /** Keys that are not in the file yet. */
  readonly missing: readonly string[];
}

function find(content: ConfigText, path: readonly string[]): Spot {
  if (path.length === 0) throw new Error("an edit needs a path");
  const maps: YAMLMap[] = [];
  const pairs: Pair[] = [];
  let node: unknown = content.root;
  for (const [index, key] of path.entries()) {
    if (content.isEmpty(node)) return { maps, pairs, missing: path.slice(index) };
    if (!isMap(node)) throw new Error("an edit leads through maps");
    maps.push(node);
    const pair = node.items.find((one) => keyText(one.key) === key);
    if (!pair) return { maps, pairs, missing: path.slice(index) };
    pairs.push(pair);
    node = pair.value;
  }
  return { maps, pairs, missing: [] };
}

function replacesScalar(spot: Spot, value: Plain | undefined): boolean {
  const node = spot.pairs.at(-1)?.value;
  if (value === undefined || isPlainMap(value) || isPlainList(value) || spot.missing.length > 0) return false;
  return isScalar(node) && node.value !== null;
}

function spliceFor(content: ConfigText, spot: Spot, value: Plain | undefined): readonly Splice[] {
  const map = spot.maps.at(-1);
  const pair = spot.pairs.at(-1);
  if (value === undefined) {
    if (spot.missing.length > 0 || !map || !pair) return [];
    return content.remove(map, pair, spot.pairs.at(-2));
  }
  const nested = spot.missing.slice(1).reduceRight<Plain>((inner, key) => new Map([[key, inner]]), value);
  const [first] = spot.missing;
  if (first === undefined) {
    if (!map || !pair) throw new Error("an edit needs a path");
    const node = pair.value;
    if (isSeq(node) && !node.flow && isPlainList(value) && value.length > 0) {
      return content.replaceItems(node, value, same);
    }
    return content.replace(map, pair, value);
  }
  const entry = new Map([[first, nested]]);
  if (!map) return content.append(entry);
  // A map is missing the key, or the value of its last pair found is empty and becomes a map.
  const inside = spot.maps.length > spot.pairs.length;
  if (inside && !(map.items.length === 0 && content.canOpen(map))) return content.insert(map, entry);
  if (pair) {
    const holder = inside ? spot.maps.at(-2) : map;
    if (holder) return content.replace(holder, pair, entry);
  }
  return content.openRoot(map, entry);
}

function plainFrom(value: Json): Plain {
  if (Array.isArray(value)) return value.map(plainFrom);
  if (typeof value === "number" && !Number.isFinite(value)) throw new Error("a number of a config is finite");
  if (value === null || typeof value !== "object") return value as string | number | boolean | null;
  return new Map(Object.entries(value).map(([key, inner]) => [key, plainFrom(inner)]));
}

/** Undefined when something else than a map is in the way. */
function changed(plain: Plain, path: readonly string[], value: Plain | undefined): Plain | undefined {
  const [key, ...rest] = path;
  if (key === undefined) return value ?? null;
  if (plain !== null && !isPlainMap(plain)) return undefined;
  const inner = plain?.get(key);
  if (value === undefined && inner === undefined) return plain;
  const copy = new Map(plain);
  if (value === undefined && rest.length === 0) copy.delete(key);
  else {
    const next = changed(inner ?? null, rest, value);
    if (next === undefined) return undefined;
    copy.set(key, next);
  }
  return copy;
}

function sameConfig(one: Plain, other: Plain): boolean {
  const empty = (plain: Plain): boolean => plain === null || (isPlainMap(plain) && plain.size === 0);
  return (empty(one) && empty(other)) || same(one, other);
}

function same(one: Plain | undefined, other: Plain | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  if (isPlainMap(one)) {
    return (
      isPlainMap(other) &&
      one.size === other.size &&
      everyEntry(one, (key, inner) => same(inner, other.get(key)))
    );
  }
  if (isPlainList(one)) {
    return (
      isPlainList(other) && one.length === other.length && one.every((item, at) => same(item, other[at]))
    );
  }
  return Object.is(one, other);
}

function everyEntry(map: PlainMap, holds: (key: string, value: Plain) => boolean): boolean {
  return [...map].every(([key, value]) => holds(key, value));
}
