// Sets one entry in a JSON file, key by key: what is there stays, comments and order included.
import { findNodeAtLocation, type Node } from "jsonc-parser";
import type { Client } from "../../engine/clients.ts";
import { Failure } from "../../engine/failure.ts";
import { type Entry, isTable, valueAt } from "../../engine/stanza.ts";
import { invalid, spotAt } from "./invalid.ts";
import { setJson } from "./json-text.ts";
import { jsonTree } from "./parse.ts";
import { same } from "./same.ts";

export interface Task {
  readonly text: string;
  readonly file: string;
  /** The tree that `text` holds. */
  readonly root: unknown;
  readonly path: readonly string[];
  readonly entry: Entry;
}

export function mergeJson(client: Client, task: Task): string | Failure {
  const { file, root, path, entry } = task;
  const bom = task.text.startsWith("\uFEFF") ? "\uFEFF" : "";
  const given = task.text.slice(bom.length);
  const tree = jsonTree(client.format, given, file);
  if (tree instanceof Failure) return tree;
  const refused = tree && doubtful(tree, path, given, file);
  if (refused) return refused;
  const eol = given.includes("\r\n") ? "\r\n" : "\n";
  let text = tree ? given : `${given.trimEnd()}${given.trim() === "" ? "" : eol}{}${eol}`;
  const set = (place: readonly (string | number)[], value: unknown): void => {
    text = setJson(text, place, value);
  };
  const before = valueAt(root, path);
  if (!isTable(before)) set([...path], entry);
  else {
    for (const key of new Set([...Object.keys(before), ...Object.keys(entry)])) {
      if (!same(before[key], entry[key])) set([...path, key], entry[key]);
    }
  }
  const input = client.input;
  if (input && JSON.stringify(entry).includes(`\${input:${input.entry.id}}`)) {
    const list = valueAt(root, [input.list]);
    const known = Array.isArray(list) ? list : [];
    if (list !== undefined && !Array.isArray(list)) {
      return invalid(file, `"${input.list}" is not a list`, spotOf(tree, [input.list], given));
    }
    const there = known.some((one) => isTable(one) && one.id === input.entry.id);
    if (!there && list === undefined) set([input.list], [input.entry]);
    else if (!there) set([input.list, known.length], input.entry);
  }
  return bom + text;
}

/** Everything on the way must be a table, and stand there once: of two, each program takes another. */
function doubtful(tree: Node, path: readonly string[], text: string, file: string): Failure | undefined {
  let node: Node | undefined = tree;
  for (const [depth, key] of [...path, undefined].entries()) {
    if (!node) return undefined;
    const name = depth === 0 ? "the file" : `"${path[depth - 1]}"`;
    if (node.type !== "object") return invalid(file, `${name} is not an object`, spotAt(text, node.offset));
    if (key === undefined) return undefined;
    const named: Node[] = (node.children ?? []).filter((pair) => pair.children?.[0]?.value === key);
    const second = named[1];
    if (second) return invalid(file, `"${key}" stands there twice`, spotAt(text, second.offset));
    node = named[0]?.children?.[1];
  }
  return undefined;
}

function spotOf(tree: Node | undefined, path: readonly string[], text: string) {
  return spotAt(text, (tree && findNodeAtLocation(tree, [...path])?.offset) ?? 0);
}
