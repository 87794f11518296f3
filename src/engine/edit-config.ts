// Edits of the config's text that leave every other byte as its owner wrote it: no part is ever dumped anew.
import { isMap, isScalar, isSeq, type Pair, type YAMLMap } from "yaml";
import { isPlainList, isPlainMap } from "./config-render.ts";
import { keyText, type Plain, type PlainMap, parseTree, plainOf, repeatedKey } from "./config-tree.ts";
import { ConfigText, type Splice } from "./edit-text.ts";
import { Failure } from "./failure.ts";

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** A path leads through maps only. Setting a map or a list keeps what it shares with the old one untouched. */
export type Edit =
  | { readonly path: readonly string[]; readonly value: Json }
  | { readonly path: readonly string[]; readonly remove: true };

type Step = { readonly path: readonly string[]; readonly value: Plain | undefined };

export function editConfig(text: string, file: string, edits: readonly Edit[]): string | Failure {
  const before = parseTree(text, file);
  if (before instanceof Failure) return before;
  const repeated = repeatedKey(before.root);
  if (repeated !== undefined) {
    const at = before.position(repeated);
    return new Failure("config_invalid", "this key appears twice in its map", { at });
  }
  const steps: Step[] = edits.map((edit) => ({
    path: edit.path,
    value: "remove" in edit ? undefined : plainFrom(edit.value),
  }));
  const edited = apply(text, file, steps);
  if (edited instanceof Failure) return edited;

  const after = parseTree(edited, file);
  if (after instanceof Failure && Buffer.byteLength(edited) > Buffer.byteLength(text)) {
    if (after.message.includes("1 MiB")) return after;
  }
  const wanted = steps.reduce<Plain>(
    (plain, step) => changed(plain, step.path, step.value),
    plainOf(before.root),
  );
  if (after instanceof Failure || !sameConfig(plainOf(after.root), wanted)) {
    throw new Error("an edit of the config would have changed something else: nothing is written");
  }
  return edited;
}

/** One parse serves as many replacements of scalars as stand in a row; anything else is a pass of its own. */
function apply(text: string, file: string, steps: readonly Step[]): string | Failure {
  let current = text;
  const queue = [...steps];
  while (queue.length > 0) {
    const tree = parseTree(current, file);
    if (tree instanceof Failure) return tree;
    const content = new ConfigText(current, tree.root);
    const splices: Splice[] = [];
    const touched = new Set<string>();
    for (let step = queue[0]; step; step = queue[0]) {
      const spot = find(content, step.path);
      if (spot === undefined) {
        return new Failure("config_invalid", "expected a map where an edit is to go, found something else", {
          at: tree.position(0),
        });
      }
      const simple = replacesScalar(spot, step.value);
      const id = JSON.stringify(step.path);
      if (splices.length > 0 && (!simple || touched.has(id))) break;
      queue.shift();
      touched.add(id);
      const inner = smallerSteps(spot, step);
      if (inner) {
        queue.unshift(...inner);
        break;
      }
      splices.push(...spliceFor(content, spot, step.value));
      if (!simple) break;
    }
    current = content.splice(splices);
  }
  return current;
}

interface Spot {
  /** From the root to the map that holds the last key found. */
  readonly maps: readonly YAMLMap[];
  /** The pair of each key on the way. */
  readonly pairs: readonly Pair[];
  /** Keys that are not in the file yet. */
  readonly missing: readonly string[];
}

/** Undefined when something else than a map is in the way. */
function find(content: ConfigText, path: readonly string[]): Spot | undefined {
  if (path.length === 0) throw new Error("an edit needs a path");
  const maps: YAMLMap[] = [];
  const pairs: Pair[] = [];
  let node: unknown = content.root;
  for (const [index, key] of path.entries()) {
    if (content.isEmpty(node)) return { maps, pairs, missing: path.slice(index) };
    if (!isMap(node)) return undefined;
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

/** A map set over a map is an edit for each key, so that what both have stays as it is. */
function smallerSteps(spot: Spot, step: Step): readonly Step[] | undefined {
  const node = spot.pairs.at(-1)?.value;
  const value = step.value;
  if (spot.missing.length > 0 || value === undefined || !isMap(node) || !isPlainMap(value)) return undefined;
  if (node.items.length === 0 || value.size === 0) return undefined;
  const old = plainOf(node);
  if (!isPlainMap(old)) return undefined;
  const set = [...value].filter(([key, inner]) => !same(old.get(key), inner));
  const gone = [...old.keys()].filter((key) => !value.has(key));
  return [
    ...set.map(([key, inner]) => ({ path: [...step.path, key], value: inner })),
    ...gone.map((key) => ({ path: [...step.path, key], value: undefined })),
  ];
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

function changed(plain: Plain, path: readonly string[], value: Plain | undefined): Plain {
  const [key, ...rest] = path;
  if (key === undefined) return value ?? null;
  const entries = isPlainMap(plain) ? plain : undefined;
  if (value === undefined && !entries?.has(key)) return plain;
  const copy = new Map(entries);
  if (value === undefined && rest.length === 0) copy.delete(key);
  else copy.set(key, changed(entries?.get(key) ?? null, rest, value));
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
