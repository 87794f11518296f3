// Sets one entry in a YAML file. A new one is put behind the others and leaves every other byte as it is; a change goes
// through the document, which keeps comments and order.
import { type Document, isMap, isNode, isScalar, type Pair, parseDocument, stringify } from "yaml";
import { Failure } from "../../engine/failure.ts";
import { isTable, valueAt } from "../../engine/stanza.ts";
import { invalid, spotAt, top } from "./invalid.ts";
import type { Task } from "./merge-json.ts";
import { parseClientFile, yamlDocument } from "./parse.ts";
import { same, withValue } from "./same.ts";

const plain = { lineWidth: 0 } as const;

export function mergeYaml({ text, file, root, path, entry }: Task): string | Failure {
  const document = yamlDocument(text, file);
  if (document instanceof Failure) return document;
  const refused = doubtful(document, path, text, file);
  if (refused) return refused;
  const before = valueAt(root, path);
  const edited =
    before === undefined ? append(document, text, path, entry) : renew(document, text, path, entry);
  if (edited !== undefined && same(parseClientFile("yaml", edited, file), withValue(root, path, entry)))
    return edited;
  const table = path.slice(0, -1);
  // A table that is still empty: `extensions:`.
  if (document.hasIn(table) && !isMap(document.getIn(table))) document.deleteIn(table);
  setEntry(document, path, before, entry);
  const written = document.toString(plain);
  return text.includes("\r\n") ? written.replace(/\r?\n/g, "\r\n") : written;
}

function setEntry(document: Document, path: readonly string[], before: unknown, entry: Task["entry"]): void {
  const old = isTable(before) ? before : {};
  for (const key of new Set([...Object.keys(old), ...Object.keys(entry)])) {
    if (same(old[key], entry[key])) continue;
    if (entry[key] === undefined) document.deleteIn([...path, key]);
    else document.setIn([...path, key], document.createNode(entry[key]));
  }
}

function doubtful(
  document: Document,
  path: readonly string[],
  text: string,
  file: string,
): Failure | undefined {
  for (let depth = 0; depth <= path.length; depth++) {
    const node: unknown = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
    if (node === undefined || node === null || (isScalar(node) && node.value === null)) return undefined;
    if (isMap(node)) continue;
    const name = depth === 0 ? "the file" : `"${path[depth - 1]}"`;
    const offset = isNode(node) ? node.range?.[0] : undefined;
    return invalid(file, `${name} is not a mapping`, offset === undefined ? top : spotAt(text, offset));
  }
  return undefined;
}

/** undefined: the table is not written in a way that text can be put behind. The caller checks what comes out. */
function append(
  document: Document,
  text: string,
  path: readonly string[],
  entry: unknown,
): string | undefined {
  const [table = "", name = ""] = path;
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  const block = (value: unknown, indent: string): string => {
    const lines = stringify(value, plain).trimEnd().split("\n");
    return lines.map((line) => `${indent}${line}${eol}`).join("");
  };
  if (document.contents === null || !document.has(table)) {
    const start = text === "" || text.endsWith("\n") ? text : text + eol;
    return start + block({ [table]: { [name]: entry } }, "");
  }
  const map = document.get(table);
  if (!isMap(map) || map.flow) return undefined;
  const [first, last] = [linesOf(text, map.items[0]), linesOf(text, map.items.at(-1))];
  if (!first || !last) return undefined;
  const head = text.slice(0, last.to);
  const joined = head.endsWith("\n") ? head : head + eol;
  return joined + block({ [name]: entry }, first.indent) + text.slice(last.to);
}

/** Only the lines of the entry are written anew; its own comments stay. */
function renew(
  document: Document,
  text: string,
  path: readonly string[],
  entry: Task["entry"],
): string | undefined {
  const [table = "", name = ""] = path;
  const map = document.get(table);
  if (!isMap(map) || map.flow) return undefined;
  const pair = map.items.find(({ key }) => (isScalar(key) ? key.value : key) === name);
  const lines = linesOf(text, pair);
  if (!lines) return undefined;
  const { from, to, indent } = lines;
  const source = text.slice(from, to).replaceAll("\r\n", "\n").split("\n");
  if (source.some((line) => line.trim() !== "" && !line.startsWith(indent))) return undefined;
  const own = parseDocument(source.map((line) => line.slice(indent.length)).join("\n"), {
    logLevel: "silent",
  });
  if (own.errors.length > 0) return undefined;
  setEntry(own, [name], (own.toJS() as Record<string, unknown>)[name], entry);
  const written = own.toString(plain).trimEnd().split("\n");
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  const block = written.map((line) => (line === "" ? "" : indent) + line + eol).join("");
  return text.slice(0, from) + block + text.slice(to);
}

/** The whole lines that a pair of a block mapping takes. */
function linesOf(
  text: string,
  pair: Pair | undefined,
): { from: number; to: number; indent: string } | undefined {
  const { key, value } = pair ?? {};
  const start = isNode(key) ? key.range?.[0] : undefined;
  const lastNode = isNode(value) ? value : key;
  const end = isNode(lastNode) ? lastNode.range?.[1] : undefined;
  if (start === undefined || end === undefined) return undefined;
  const from = text.lastIndexOf("\n", start - 1) + 1;
  const indent = text.slice(from, start);
  if (indent.trim() !== "") return undefined;
  return { from, to: text[end - 1] === "\n" ? end : text.indexOf("\n", end) + 1 || text.length, indent };
}
