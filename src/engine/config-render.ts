// Values as YAML text, in the style a person would write: plain where it is safe, else double-quoted.
import type { Plain, PlainMap } from "./config-tree.ts";

const longestInline = 80;

export function isPlainMap(value: Plain): value is PlainMap {
  return value instanceof Map;
}

export function isPlainList(value: Plain): value is readonly Plain[] {
  return Array.isArray(value);
}

/** Lines of a map or list in block style, each with its indentation. */
export function blockLines(value: Plain, indent: number, step: number): string[] {
  const pad = " ".repeat(indent);
  if (isPlainMap(value)) {
    return [...value].flatMap(([key, inner]) => {
      const inline = inlineText(inner);
      const name = `${pad}${scalarText(key)}:`;
      return inline === undefined ? [name, ...blockLines(inner, indent + step, step)] : [`${name} ${inline}`];
    });
  }
  if (!isPlainList(value)) throw new Error("only a map or a list has a block style");
  return value.flatMap((item) => {
    if (!isPlainMap(item) || item.size === 0) return [`${pad}- ${flowText(item)}`];
    const [first = "", ...rest] = blockLines(item, indent + 2, step);
    return [`${pad}- ${first.trimStart()}`, ...rest];
  });
}

/** What fits behind a colon: scalars, empty collections, short lists of scalars; undefined for the rest. */
export function inlineText(value: Plain): string | undefined {
  if (isPlainMap(value)) return value.size === 0 ? "{}" : undefined;
  if (!isPlainList(value)) return scalarText(value);
  const text = flowText(value);
  const scalars = value.every((item) => !isPlainMap(item) && !isPlainList(item));
  return scalars && text.length <= longestInline ? text : undefined;
}

export function flowText(value: Plain): string {
  if (isPlainList(value)) return `[${value.map(flowText).join(", ")}]`;
  if (isPlainMap(value)) {
    return `{${[...value].map(([key, inner]) => `${scalarText(key)}: ${flowText(inner)}`).join(", ")}}`;
  }
  return scalarText(value, true);
}

export function scalarText(value: string | number | boolean | null, flow = false): string {
  if (typeof value !== "string") return String(value);
  if (isSafePlain(value) && !(flow && /[{},]/.test(value))) return value;
  // JSON strings are YAML double-quoted scalars; what JSON leaves raw and YAML calls unprintable is escaped too.
  return JSON.stringify(value).replace(
    /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Words that some YAML parser or other takes for something else than text. */
const reserved = /^(?:null|true|false|yes|no|on|off|y|n)$/i;

function isSafePlain(text: string): boolean {
  if (reserved.test(text)) return false;
  if (/^[0-9]/.test(text)) return /^[0-9]+(?:\/?[smhd])$/.test(text);
  // No "#", no quotes, no brackets that a flow collection needs; ":" only inside a word.
  return /^(?:[A-Za-z_/]|\/|~\/)(?:[A-Za-z0-9_./@%+=~$*,{}-]|:(?=[A-Za-z0-9_./@%+=~-])| (?=[^ #]))*$/.test(
    text,
  );
}
