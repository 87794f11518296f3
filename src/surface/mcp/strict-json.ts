// JSON-RPC text, read so that it can mean one thing only: the same object is judged, shown to a person and sent.

export type StrictJson = { readonly value: unknown } | Unread;

export interface Unread {
  readonly problem: string;
  /** Of the request that was refused, where it can be told: a client waits for an answer of this name. */
  readonly id?: string | number;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Valid UTF-8, valid JSON, no key twice in one object, no lone surrogate (RFC 8259 sections 4 and 8.2). */
export function readStrictJson(bytes: Uint8Array): StrictJson {
  let text: string;
  let value: unknown;
  try {
    text = decoder.decode(bytes);
  } catch {
    return { problem: "not valid UTF-8" };
  }
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: "not valid JSON" };
  }
  const problem = problemOf(text, value);
  if (problem === undefined) return { value };
  const id = idOf(value);
  return id !== null && topLevelIds(text) === 1 ? { problem, id } : { problem };
}

function problemOf(text: string, value: unknown): string | undefined {
  if (!isShallow(value, mostNested)) return `nested more than ${mostNested} deep`;
  if (text.includes("\\u") && !isWellFormed(value)) return "a lone surrogate in a string";
  if (writtenKeys(text) !== countKeys(value)) return "a key stands twice in one object";
  return undefined;
}

/** The id of a JSON-RPC message (JSON-RPC 2.0 section 4); null where there is none, or none that may be. */
export function idOf(value: unknown): string | number | null {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, "id")) return null;
  const { id } = value as { id?: unknown };
  if (typeof id === "string") return id.isWellFormed() ? id : null;
  return typeof id === "number" && Number.isInteger(id) ? id : null;
}

const opening = /[{[]/;
const closing = /[}\]]/;

/** How often the outermost object has the key `id`, however it is spelt. Of valid JSON only. */
function topLevelIds(text: string): number {
  let [depth, count] = [0, 0];
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (opening.test(character)) depth += 1;
    else if (closing.test(character)) depth -= 1;
    else if (character === '"') {
      const end = endOfString(text, at + 1);
      let after = end;
      while (isBlank(text.charCodeAt(after))) after += 1;
      if (depth === 1 && text.charCodeAt(after) === colon && JSON.parse(text.slice(at, end)) === "id")
        count += 1;
      at = end - 1;
    }
  }
  return count;
}

/** Far beyond what an API wants, and far from where reading it would exhaust the stack. */
const mostNested = 256;

function isShallow(value: unknown, left: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return left > 0 && Object.values(value).every((item) => isShallow(item, left - 1));
}

const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;

/** Outside of strings, JSON has no quotation mark: each string that a colon follows is a key. Of valid JSON only. */
function writtenKeys(text: string): number {
  let count = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at)) {
    at = endOfString(text, at + 1);
    while (isBlank(text.charCodeAt(at))) at += 1;
    if (text.charCodeAt(at) === colon) count += 1;
  }
  return count;
}

/** Behind the quotation mark that ends the string. */
function endOfString(text: string, from: number): number {
  let at = from;
  for (let code = text.charCodeAt(at); code !== quote; code = text.charCodeAt(at)) {
    at += code === backslash ? 2 : 1;
  }
  return at + 1;
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function countKeys(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + countKeys(item), 0);
  return Object.values(value).reduce((sum: number, item) => sum + 1 + countKeys(item), 0);
}

function isWellFormed(value: unknown): boolean {
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(value).every(([key, item]) => key.isWellFormed() && isWellFormed(item));
}
