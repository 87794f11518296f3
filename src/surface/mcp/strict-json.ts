// JSON-RPC text, read so that it can mean one thing only: the same object is judged, shown to a person and sent.

export type StrictJson = { readonly value: unknown } | { readonly problem: string };

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
  if (!isShallow(value, mostNested)) return { problem: `nested more than ${mostNested} deep` };
  if (text.includes("\\u") && !isWellFormed(value)) return { problem: "a lone surrogate in a string" };
  if (writtenKeys(text) !== countKeys(value)) return { problem: "a key stands twice in one object" };
  return { value };
}

/** Far beyond what an API wants, and far from where reading it would exhaust the stack. */
const mostNested = 256;

function isShallow(value: unknown, left: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return left > 0 && Object.values(value).every((item) => isShallow(item, left - 1));
}

/**
 * Outside of strings, JSON has no quotation mark: each string that a colon follows is a key. Scanned by hand, for a
 * RegExp gives up on a string of megabytes without saying so.
 */
function writtenKeys(text: string): number {
  let count = 0;
  for (let start = text.indexOf('"'); start >= 0; ) {
    let end = text.indexOf('"', start + 1);
    while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
    let next = end + 1;
    while (isSpace(text.charCodeAt(next))) next += 1;
    if (text[next] === ":") count += 1;
    start = text.indexOf('"', next);
  }
  return count;
}

function isEscaped(text: string, at: number): boolean {
  let first = at;
  while (text[first - 1] === "\\") first -= 1;
  return (at - first) % 2 === 1;
}

function isSpace(code: number): boolean {
  return code === 32 || code === 9 || code === 10 || code === 13;
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
