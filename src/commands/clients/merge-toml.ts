// Sets one table in a TOML file by its text, line by line, since no library keeps comments. The caller reads both texts
// with a parser and takes the new one only when nothing else has changed.
import type { Failure } from "../../engine/failure.ts";
import { isTable, valueAt } from "../../engine/stanza.ts";
import { invalid, spotAt } from "./invalid.ts";
import type { Task } from "./merge-json.ts";
import { tomlTree } from "./parse.ts";
import { same } from "./same.ts";
import { tableLines } from "./toml-lines.ts";

export function mergeToml({ text, file, root, path, entry }: Task): string | Failure {
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  const before = valueAt(root, path);
  if (before === undefined) {
    const lines = Object.entries(entry).map(([key, value]) => `${key} = ${tomlValue(value)}${eol}`);
    const gap = text === "" ? "" : text.endsWith("\n") ? eol : eol + eol;
    return `${text}${gap}[${path.join(".")}]${eol}${lines.join("")}`;
  }
  const lines = text.split("\n");
  const own = tableLines(lines, path);
  if (!own || !isTable(before)) {
    const at = spotAt(text, Math.max(0, text.indexOf(path.at(-1) ?? "")));
    return invalid(
      file,
      `[${path.join(".")}] is not written as a table of its own`,
      at,
      `write it so by hand: [${path.join(".")}]`,
    );
  }
  // From the last to the first, so that the lines before keep their places.
  for (const key of new Set([...Object.keys(before), ...Object.keys(entry)])) {
    if (same(before[key], entry[key])) continue;
    const inner = tableLines(lines, [...path, key]);
    if (inner) {
      const [old, wanted] = [before[key], entry[key]];
      if (!isTable(old)) continue;
      for (const name of new Set([...Object.keys(old), ...(isTable(wanted) ? Object.keys(wanted) : [])])) {
        const value = isTable(wanted) ? wanted[name] : undefined;
        if (!same(old[name], value)) setLine(lines, [...path, key], name, value);
      }
    } else setLine(lines, path, key, entry[key]);
  }
  return lines.join("\n");
}

/** Replaces the lines of a key, adds them behind the last of the table, or takes them out. */
function setLine(lines: string[], path: readonly string[], key: string, value: unknown): void {
  const span = tableLines(lines, path);
  if (!span) return;
  const carriage = lines[span.from - 1]?.endsWith("\r") ? "\r" : "";
  const text = value === undefined ? [] : [`${tomlKey(key)} = ${tomlValue(value)}${carriage}`];
  for (let at = span.from; at < span.to; at++) {
    const length = assignment(lines, at, span.to, key);
    if (length === 0) continue;
    lines.splice(at, length, ...text);
    return;
  }
  lines.splice(span.to, 0, ...text);
}

/** How many lines the value of `key` takes from here: as many as the parser needs. 0: it is not set here. */
function assignment(lines: readonly string[], at: number, to: number, key: string): number {
  const quoted = key.replace(/[^\w-]/g, "\\$&");
  if (!new RegExp(`^\\s*(?:${quoted}|"${quoted}"|'${quoted}')\\s*=`).test(lines[at] ?? "")) return 0;
  for (let end = at + 1; end <= to; end++) {
    if (valueAt(tomlTree(`${lines.slice(at, end).join("\n")}\n`, ""), [key]) !== undefined) return end - at;
  }
  return 0;
}

function tomlKey(key: string): string {
  return /^[\w-]+$/.test(key) ? key : tomlValue(key);
}

/** JSON's strings are TOML's, but for DEL. */
function tomlValue(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value).replaceAll("\u007f", "\\u007f");
  if (Array.isArray(value)) return `[${value.map(tomlValue).join(", ")}]`;
  if (!isTable(value)) return String(value);
  return `{ ${Object.entries(value)
    .map(([key, inner]) => `${tomlKey(key)} = ${tomlValue(inner)}`)
    .join(", ")} }`;
}
