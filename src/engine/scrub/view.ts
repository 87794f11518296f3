// A stretch of text read another way, each byte still knowing where it came from.
import { BYTE, escapeAt, meaning, NONE, NOTHING, quotedAt, size } from "./escape.ts";
import { table } from "./forms.ts";

export interface View {
  readonly bytes: Uint8Array;
  readonly length: number;
  /** Where in the source the byte's own form begins and ends. */
  readonly from: Uint32Array;
  readonly to: Uint32Array;
}

type Reader = (text: Uint8Array, at: number, length: number) => number;

const ESCAPE = table((byte) => (byte === 0x25 || byte === 0x5c || byte === 0x26 ? 1 : 0));
const SLASH = table((byte) => (byte === 0x5c ? 1 : 0));
const EQUALS = table((byte) => (byte === 0x3d ? 1 : 0));
const BLANK = table((byte) => ([0, 9, 10, 13, 32].includes(byte) ? 1 : 0));
const NOT_ALPHANUMERIC = table((byte) =>
  byte < 128 && /[0-9A-Za-z]/.test(String.fromCharCode(byte)) ? 0 : 1,
);

/** The stretch as it stands, less the NUL bytes of UTF-16. */
export function plainView(source: Uint8Array, low: number, high: number): View {
  const room = high - low;
  const view = { bytes: new Uint8Array(room), from: new Uint32Array(room), to: new Uint32Array(room) };
  let length = 0;
  for (let at = low; at < high; at += 1) {
    if (source[at] === 0) continue;
    view.bytes[length] = source[at] as number;
    view.from[length] = at;
    view.to[length] = at + 1;
    length += 1;
  }
  return { ...view, length };
}

export function unescaped(view: View): View | undefined {
  return decoded(view, ESCAPE, escapeAt);
}

/** Backslash escapes alone: a stray % or & before a value must not swallow its first characters. */
export function unslashed(view: View): View | undefined {
  return decoded(view, SLASH, escapeAt);
}

export function unquoted(view: View): View | undefined {
  return decoded(view, EQUALS, quotedAt);
}

/** The bytes with one layer of escapes undone. */
export function unescapedBytes(bytes: Uint8Array): Uint8Array {
  const view = plainView(bytes, 0, bytes.length);
  const read = view.length === bytes.length ? unescaped(view) : undefined;
  return read === undefined ? bytes : read.bytes.slice(0, read.length);
}

/** Without line wraps and blanks, for base64; undefined when there is nothing to take out. */
export function unwrapped(view: View): View | undefined {
  return without(view, BLANK, false);
}

/** Without anything that may stand between hex digits. */
export function unseparated(view: View): View | undefined {
  return without(view, NOT_ALPHANUMERIC, true);
}

function without(view: View, dropped: Uint8Array, hex: boolean): View | undefined {
  const { bytes, length, from, to } = view;
  const out = { bytes: new Uint8Array(length), from: new Uint32Array(length), to: new Uint32Array(length) };
  let kept = 0;
  for (let at = 0; at < length; at += 1) {
    const byte = bytes[at] as number;
    if (dropped[byte] === 1) continue;
    if (hex && byte === 0x30 && at + 1 < length && ((bytes[at + 1] as number) | 32) === 0x78) {
      at += 1;
      continue;
    }
    // The x of \x; the backslash is gone already.
    if (hex && (byte | 32) === 0x78 && at > 0 && bytes[at - 1] === 0x5c) continue;
    out.bytes[kept] = byte;
    out.from[kept] = from[at] as number;
    out.to[kept] = to[at] as number;
    kept += 1;
  }
  return kept === length ? undefined : { ...out, length: kept };
}

function decoded(view: View, triggers: Uint8Array, read: Reader): View | undefined {
  const { bytes, length, from, to } = view;
  let at = 0;
  while (at < length && triggers[bytes[at] as number] === 0) at += 1;
  if (at === length) return undefined;
  // No form is shorter than the UTF-8 that it stands for.
  const out = { bytes: new Uint8Array(length), from: new Uint32Array(length), to: new Uint32Array(length) };
  out.bytes.set(bytes.subarray(0, at));
  out.from.set(from.subarray(0, at));
  out.to.set(to.subarray(0, at));
  let kept = at;
  let changed = false;
  const put = (byte: number, start: number, end: number) => {
    out.bytes[kept] = byte;
    out.from[kept] = from[start] as number;
    out.to[kept] = to[end - 1] as number;
    kept += 1;
  };
  while (at < length) {
    const byte = bytes[at] as number;
    const code = triggers[byte] === 0 ? NONE : read(bytes, at, length);
    if (code === NONE) {
      put(byte, at, at + 1);
      at += 1;
      continue;
    }
    changed = true;
    const value = meaning(code);
    const end = at + size(code);
    if (value === NOTHING) {
      at = end;
      continue;
    }
    if ((value & BYTE) !== 0 || value < 128) put(value & 255, at, end);
    else for (const part of Buffer.from(String.fromCodePoint(value), "utf8")) put(part, at, end);
    at = end;
  }
  return changed ? { ...out, length: kept } : undefined;
}
