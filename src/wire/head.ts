import { knownKey, LOWER, TEXT } from "./bytes.ts";
import { type Field, type HeadLimits, Malformed } from "./types.ts";

const HTAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SP = 0x20;
const COLON = 0x3a;

export const tooLarge = (limits: HeadLimits): Malformed =>
  new Malformed(
    "headers_too_large",
    `the head of a message is at most ${limits.bytes} bytes and ${limits.fields} header fields`,
  );

/**
 * The size of the head with its blank line, 0 when that is not within the limit (yet).
 *
 * `at` is where the last LF of CR LF CR LF may be. Any byte but CR and LF rules out four places at once,
 * which makes this as fast as the native search of Bun and twenty times that of Deno.
 */
export function headSize(buffer: Buffer, limits: HeadLimits): number {
  const end = Math.min(buffer.length, limits.bytes);
  for (let at = 3; at < end; ) {
    const code = buffer[at] as number;
    if (code === LF) {
      if (buffer[at - 1] === CR && buffer[at - 2] === LF && buffer[at - 3] === CR) return at + 1;
      at += 2;
    } else {
      at += code === CR ? 1 : 4;
    }
  }
  return 0;
}

/**
 * The end of the first line that no later byte can mend (a bare LF, or one line too many), or 0.
 *
 * Lines are judged in order, each by its own bytes, so that a head is refused with the same code however
 * its bytes were split, and a peer that ends lines with a bare LF is not waited for.
 */
export function faultyLineEnd(buffer: Buffer, limits: HeadLimits): number {
  let lines = 0;
  for (let at = buffer.indexOf(LF); at !== -1 && at < limits.bytes; at = buffer.indexOf(LF, at + 1)) {
    lines += 1;
    if (buffer[at - 1] !== CR || lines > limits.fields + 1) return at + 1;
  }
  return 0;
}

/** The fields of `text` from `from` to the blank line. The last byte of `text` must be an LF. */
export function readFields(text: string, from: number, limits: HeadLimits): Field[] | Malformed {
  const fields: Field[] = [];
  for (let start = from; ; ) {
    let at = start;
    let hash = 0;
    for (let code = lowerAt(text, at); code !== 0; code = lowerAt(text, at)) {
      hash = ((hash << 5) - hash + code) | 0;
      at += 1;
    }
    if (at === start || text.charCodeAt(at) !== COLON) {
      if (text.charCodeAt(start) === CR && text.charCodeAt(start + 1) === LF) return fields;
      return badLine(text.charCodeAt(start));
    }
    if (fields.length === limits.fields) return tooLarge(limits);
    const colon = at;
    do at += 1;
    while (isBlank(text.charCodeAt(at)));
    const first = at;
    while (TEXT[text.charCodeAt(at)] === 1) at += 1;
    if (text.charCodeAt(at) !== CR || text.charCodeAt(at + 1) !== LF) {
      return new Malformed("bad_header_value", "a header value holds no control characters, CR, LF or NUL");
    }
    let last = at;
    while (last > first && isBlank(text.charCodeAt(last - 1))) last -= 1;
    const name = text.slice(start, colon);
    const key = knownKey(text, start, colon, hash) ?? name.toLowerCase();
    if (last < at && isFraming(key) && text.slice(last, at).includes("\t")) {
      return new Malformed("bad_framing", "no tab follows the value of a framing field");
    }
    fields.push({ name, key, value: text.slice(first, last) });
    start = at + 2;
  }
}

// "chunked" and a tab is read as chunked here and as an unknown coding there; llhttp refuses it.
function isFraming(key: string): boolean {
  return key === "transfer-encoding" || key === "content-length";
}

function lowerAt(text: string, at: number): number {
  return LOWER[text.charCodeAt(at)] ?? 0;
}

function badLine(first: number): Malformed {
  // RFC 9112 section 5.2: a server may refuse obs-fold, and parsers disagree on what it joins.
  if (isBlank(first)) {
    return new Malformed("bad_header_value", "a header value is on one line: folded lines are refused");
  }
  if (first === LF) {
    return new Malformed("bad_header_value", "a header line ends with CR LF, never with a bare LF");
  }
  // RFC 9112 section 5.1: whitespace before the colon must be refused.
  return new Malformed("bad_header_name", "a header line is a token, a colon right after it, and a value");
}

function isBlank(code: number): boolean {
  return code === SP || code === HTAB;
}

export function hasToken(list: string, token: string): boolean {
  if (list.length < token.length) return false;
  const lower = list.toLowerCase();
  return lower.includes(token) && lower.split(",").some((part) => trimBlank(part) === token);
}

/** The names that Connection lists, in lower case: they end at this hop (RFC 9110 section 7.6.1). */
export function connectionTokens(fields: readonly Field[]): Set<string> {
  const tokens = new Set<string>();
  for (const { key, value } of fields) {
    if (key !== "connection") continue;
    for (const part of value.toLowerCase().split(",")) {
      const token = trimBlank(part);
      if (token !== "") tokens.add(token);
    }
  }
  return tokens;
}

export function trimBlank(text: string): string {
  let first = 0;
  let last = text.length;
  while (first < last && isBlank(text.charCodeAt(first))) first += 1;
  while (last > first && isBlank(text.charCodeAt(last - 1))) last -= 1;
  return first === 0 && last === text.length ? text : text.slice(first, last);
}
