// One escape sequence at one place. A result packs what it stands for and how long it is, so that the
// readers allocate nothing: (value << 6) | length, or NONE.
import { table } from "./forms.ts";

export const NONE = -1;
/** Set on a value that is one byte (percent, \x) rather than a code point. */
export const BYTE = 0x200000;
/** A value that stands for nothing: a quoted-printable soft break. */
export const NOTHING = 0x3fffff;

const BACKSLASH = 0x5c;
const LONGEST_RUN = 24;
const LONGEST_NUMBER = 24;
const HEX = table((byte) => {
  const digit = Number.parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(digit) ? 255 : digit;
});
const LETTER = table((byte) => (/[A-Za-z]/.test(String.fromCharCode(byte)) ? 1 : 0));
// Not % and &: these begin an escape of their own.
const PUNCTUATION = table((byte) =>
  byte < 0x7f && /[^\s\w%&]|_/.test(String.fromCharCode(byte)) && byte > 0x20 ? 1 : 0,
);
/** What a backslash and this letter stand for, 0 when for no control character. */
const CONTROL = table((byte) => "\n\r\t\b\f\v".charCodeAt("nrtbfv".indexOf(String.fromCharCode(byte))) || 0);
const NAMED = new Map(
  Object.entries({
    amp: "&",
    lt: "<",
    gt: ">",
    quot: '"',
    apos: "'",
    sol: "/",
    bsol: "\\",
    plus: "+",
    equals: "=",
    lowbar: "_",
    UnderBar: "_",
    period: ".",
    colon: ":",
    semi: ";",
    comma: ",",
    percnt: "%",
    num: "#",
    dollar: "$",
    excl: "!",
    quest: "?",
    commat: "@",
    lpar: "(",
    rpar: ")",
    ast: "*",
    midast: "*",
    lsqb: "[",
    lbrack: "[",
    rsqb: "]",
    rbrack: "]",
    lcub: "{",
    lbrace: "{",
    rcub: "}",
    rbrace: "}",
    grave: "`",
    vert: "|",
    verbar: "|",
    Hat: "^",
    AMP: "&",
    LT: "<",
    GT: ">",
    QUOT: '"',
    Tab: "\t",
    NewLine: "\n",
  }).map(([name, letter]) => [nameKey(name), letter.charCodeAt(0)]),
);

function nameKey(name: string): number {
  return Array.from(name).reduce((key, letter) => key * 64 + letter.charCodeAt(0) - 64, 0);
}

function pack(value: number, length: number): number {
  return (value << 6) | length;
}

export function meaning(code: number): number {
  return code >>> 6;
}

export function size(code: number): number {
  return code & 63;
}

export function isHexPair(text: Uint8Array, at: number, length: number): boolean {
  return at + 1 < length && HEX[text[at] as number] !== 255 && HEX[text[at + 1] as number] !== 255;
}

function hexPair(text: Uint8Array, at: number): number {
  return ((HEX[text[at] as number] as number) << 4) | (HEX[text[at + 1] as number] as number);
}

function fourHex(text: Uint8Array, at: number, length: number): number {
  if (!isHexPair(text, at, length) || !isHexPair(text, at + 2, length)) return NONE;
  return (hexPair(text, at) << 8) | hexPair(text, at + 2);
}

/** Percent, backslash or HTML escape. Doubled ones (%2573, \\u0073, &amp;#115;) are read as one. */
export function escapeAt(text: Uint8Array, at: number, length: number): number {
  const byte = text[at];
  if (byte === 0x25) return percentAt(text, at, length);
  if (byte === BACKSLASH) return backslashAt(text, at, length);
  return byte === 0x26 ? entityAt(text, at, length) : NONE;
}

function percentAt(text: Uint8Array, at: number, length: number): number {
  let digits = at + 1;
  while (text[digits] === 0x32 && text[digits + 1] === 0x35 && digits - at < LONGEST_RUN) {
    if (!isHexPair(text, digits + 2, length)) break;
    digits += 2;
  }
  if (isHexPair(text, digits, length)) return pack(BYTE | hexPair(text, digits), digits + 2 - at);
  if (text[digits] !== 0x75) return NONE;
  const unit = fourHex(text, digits + 1, length);
  return unit === NONE ? NONE : pack(unit, digits + 5 - at);
}

function backslashAt(text: Uint8Array, at: number, length: number): number {
  let next = at + 1;
  // A run is read as one backslash: where a run was cut by a chunk must not change what follows it.
  while (next < length && text[next] === BACKSLASH && next - at < LONGEST_RUN) next += 1;
  if (next >= length) return next - at > 1 ? pack(BACKSLASH, next - at) : NONE;
  const letter = text[next] as number;
  if (letter === 0x75) return unicodeAt(text, at, next + 1, length);
  if (letter === 0x78 && isHexPair(text, next + 1, length)) {
    return pack(BYTE | hexPair(text, next + 1), next + 3 - at);
  }
  const control = CONTROL[letter] as number;
  if (control !== 0) return pack(control, next + 1 - at);
  // Markdown, shells and JSON put a backslash before punctuation: \_ \" \/
  if (PUNCTUATION[letter] === 1) return pack(letter, next + 1 - at);
  return next - at > 1 ? pack(BACKSLASH, next - at) : NONE;
}

function unicodeAt(text: Uint8Array, at: number, digits: number, length: number): number {
  if (text[digits] === 0x7b) return numberAt(text, at, digits + 1, length, 16, 0x7d);
  const unit = fourHex(text, digits, length);
  const end = digits + 4;
  if (unit === NONE) return NONE;
  if (unit < 0xd800 || unit > 0xdbff) return pack(unit, end - at);
  let next = end;
  while (next < length && text[next] === BACKSLASH && next - end < LONGEST_RUN) next += 1;
  const low = next > end && text[next] === 0x75 ? fourHex(text, next + 1, length) : NONE;
  if (low < 0xdc00 || low > 0xdfff) return pack(unit, end - at);
  return pack(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00), next + 5 - at);
}

function entityAt(text: Uint8Array, at: number, length: number): number {
  let name = at + 1;
  while (name - at < LONGEST_RUN && named(text, name, length) === 0x26) name += 4;
  const inner = referenceAt(text, at, name, length);
  return inner === NONE && name > at + 1 ? pack(0x26, name - at) : inner;
}

function referenceAt(text: Uint8Array, at: number, name: number, length: number): number {
  if (text[name] === 0x23) {
    const radix = ((text[name + 1] as number) | 32) === 0x78 ? 16 : 10;
    return numberAt(text, at, radix === 16 ? name + 2 : name + 1, length, radix, 0x3b);
  }
  const letter = named(text, name, length);
  if (letter === NONE) return NONE;
  return pack(letter, text.indexOf(0x3b, name) + 1 - at);
}

function named(text: Uint8Array, start: number, length: number): number {
  let end = start;
  let key = 0;
  while (end < length && end - start < 8 && LETTER[text[end] as number] === 1) {
    key = key * 64 + (text[end] as number) - 64;
    end += 1;
  }
  if (end === start || end >= length || text[end] !== 0x3b) return NONE;
  return NAMED.get(key) ?? NONE;
}

function numberAt(
  text: Uint8Array,
  at: number,
  from: number,
  length: number,
  radix: number,
  close: number,
): number {
  let value = 0;
  let end = from;
  while (end < length && end - from < LONGEST_NUMBER) {
    const digit = HEX[text[end] as number] as number;
    if (digit >= radix) break;
    value = value * radix + digit;
    if (value > 0x10ffff) return NONE;
    end += 1;
  }
  if (end === from) return NONE;
  if (text[end] === close && end < length) end += 1;
  else if (close === 0x7d) return NONE;
  return pack(value, end - at);
}

/** Quoted-printable: =XX, or a soft break, which stands for nothing. */
export function quotedAt(text: Uint8Array, at: number, length: number): number {
  if (text[at] !== 0x3d) return NONE;
  if (isHexPair(text, at + 1, length)) return pack(BYTE | hexPair(text, at + 1), 3);
  let end = at + 1;
  while (end < length && end - at < LONGEST_RUN && (text[end] === 0x20 || text[end] === 0x09)) end += 1;
  if (text[end] === 0x0d) end += 1;
  if (end < length && text[end] === 0x0a) return pack(NOTHING, end + 1 - at);
  return NONE;
}
