// Small edits of JSON text that leave every other byte as it is. (`modify` of jsonc-parser lays the neighbours out anew.)
import { applyEdits, createScanner, findNodeAtLocation, modify, type Node, parseTree } from "jsonc-parser";

const longestLine = 90;

type Path = readonly (string | number)[];

// Of jsonc-parser's SyntaxKind, which exists for the type checker alone.
const comma = 5;
const lineComment = 12;
const blockComment = 13;
const blank = [14, 15];

/** Sets what stands at the path; tables that are missing on the way are made. undefined takes it out. */
export function setJson(text: string, path: Path, value: unknown): string {
  const tree = parseTree(text, [], { allowTrailingComma: true });
  const found = tree && findNodeAtLocation(tree, [...path]);
  if (value === undefined) return found ? applyEdits(text, modify(text, [...path], undefined, {})) : text;
  if (found) {
    const written = laidOut(text, value, indentAt(text, found.offset), inLine(text, found));
    return splice(text, found.offset, found.offset + found.length, written);
  }
  for (let depth = path.length - 1; depth >= 0; depth--) {
    const parent = tree && findNodeAtLocation(tree, path.slice(0, depth));
    if (!parent) continue;
    const nested = path.slice(depth + 1).reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
    return insert(text, parent, parent.type === "array" ? undefined : String(path[depth]), nested);
  }
  return text;
}

/** Puts a last item into a table or a list. */
function insert(text: string, parent: Node, key: string | undefined, value: unknown): string {
  const eol = eolOf(text);
  const close = parent.offset + parent.length - 1;
  const last = parent.children?.at(-1);
  const outer = indentAt(text, parent.offset);
  const item = (indent: string, flat: boolean): string => {
    const name = key === undefined ? "" : `${JSON.stringify(key)}: `;
    return name + laidOut(text, value, indent, flat);
  };
  if (!last) {
    const indent = outer + unitOf(text);
    const inside = text.slice(parent.offset + 1, close).trimEnd();
    return splice(
      text,
      parent.offset + 1 + inside.length,
      close,
      `${eol}${indent}${item(indent, false)}${eol}${outer}`,
    );
  }
  const end = last.offset + last.length;
  const { commaEnd, lineEnd } = behind(text, end, close);
  if (!startsLine(text, last.offset)) {
    // All in one line: the new one joins it.
    const at = commaEnd ?? end;
    return splice(
      text,
      at,
      at,
      `${commaEnd === undefined ? "," : ""} ${item(outer, true)}${commaEnd === undefined ? "" : ","}`,
    );
  }
  const indent = indentAt(text, last.offset);
  const added = `${eol}${indent}${item(indent, false)}`;
  if (commaEnd !== undefined) return splice(text, lineEnd, lineEnd, `${added},`);
  return splice(splice(text, lineEnd, lineEnd, added), end, end, ",");
}

/** Behind an item: the end of its comma, and of what belongs to it in the same line, comments included. */
function behind(text: string, end: number, close: number): { commaEnd: number | undefined; lineEnd: number } {
  const scanner = createScanner(text, false);
  scanner.setPosition(end);
  let commaEnd: number | undefined;
  let lineEnd = end;
  let sameLine = true;
  for (let token: number = scanner.scan(); scanner.getTokenOffset() < close; token = scanner.scan()) {
    const tokenEnd = scanner.getTokenOffset() + scanner.getTokenLength();
    if (token === comma) {
      commaEnd = tokenEnd;
      lineEnd = Math.max(lineEnd, tokenEnd);
    } else if (blank.includes(token)) sameLine &&= !/[\r\n]/.test(scanner.getTokenValue());
    else if ((token === lineComment || token === blockComment) && sameLine) lineEnd = tokenEnd;
  }
  return { commaEnd, lineEnd };
}

function laidOut(text: string, value: unknown, indent: string, flat: boolean): string {
  return flat ? JSON.stringify(value) : pretty(value, indent, unitOf(text), eolOf(text));
}

/** As people write such files: a short list of arguments takes one line. */
function pretty(value: unknown, indent: string, unit: string, eol: string): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const inner = indent + unit;
  const items = Array.isArray(value)
    ? value.map((item) => pretty(item, inner, unit, eol))
    : Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${pretty(item, inner, unit, eol)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  if (items.length === 0) return `${open}${close}`;
  const line = `[${items.join(", ")}]`;
  if (Array.isArray(value) && indent.length + line.length <= longestLine && !line.includes("\n")) return line;
  return `${open}${eol}${items.map((item) => inner + item).join(`,${eol}`)}${eol}${indent}${close}`;
}

/** A value that lies in one line with its neighbours stays so. */
function inLine(text: string, node: Node): boolean {
  const property = node.parent?.type === "property" ? node.parent : node;
  return !startsLine(text, property.offset);
}

function startsLine(text: string, offset: number): boolean {
  return /^[ \t]*$/.test(lineBefore(text, offset));
}

function indentAt(text: string, offset: number): string {
  return /^[ \t]*/.exec(lineBefore(text, offset))?.[0] ?? "";
}

function lineBefore(text: string, offset: number): string {
  return text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset);
}

function unitOf(text: string): string {
  return /^([ \t]+)["}\]/]/m.exec(text)?.[1] ?? "  ";
}

function eolOf(text: string): string {
  return text.includes("\r\n") ? "\r\n" : "\n";
}

function splice(text: string, from: number, to: number, added: string): string {
  return text.slice(0, from) + added + text.slice(to);
}
