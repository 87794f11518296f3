// Decides, at an escape or a line break, whether a form that only a decoded view shows could run through it.
// A "yes" costs time and nothing else: what is redacted is decided by the view. A "no" must be certain, and it
// is certain for the first escape or break of a form: to its left the form stands as it is.
import { BYTE, escapeAt, meaning, NONE, NOTHING, quotedAt, size } from "./escape.ts";
import { FOLD, type Needle, SIXBITS, table } from "./forms.ts";

/** Which bytes, folded, may stand next to each other in a form. */
export interface Neighbours {
  readonly anywhere: Uint8Array;
  readonly first: Uint8Array;
  readonly last: Uint8Array;
  readonly pair: Uint8Array;
  readonly firstPair: Uint8Array;
  readonly lastPair: Uint8Array;
  /** Hashed: a collision costs a needless view. */
  readonly triple: Uint8Array;
  /** A form holds bytes beyond ASCII. */
  readonly wide: boolean;
  /** A form holds, as it stands, what reads like the start of an escape. */
  readonly opens: boolean;
}

const FURTHEST_GAP = 64;
const BLANK = table((byte) => ([0, 9, 10, 13, 32].includes(byte) ? 1 : 0));
const HEX_GAP = table((byte) => (byte < 128 && /[0-9A-Za-z]/.test(String.fromCharCode(byte)) ? 0 : 1));
/** Where an escape or a line break may begin. */
export const TRIGGER = table((byte) => ([0x0a, 0x0d, 0x25, 0x26, 0x3d, 0x5c].includes(byte) ? 1 : 0));
const OPENS = table((byte) => ([0x25, 0x26, 0x5c, 0x3d].includes(byte) ? 1 : 0));
// What comes next is itself encoded or wrapped, so that it cannot be compared as it stands.
const UNREADABLE = table((byte) => (OPENS[byte] === 1 || BLANK[byte] === 1 ? 1 : 0));

function tripleSlot(a: number, b: number, c: number): number {
  return (a ^ (b << 5) ^ (c << 10)) & 0x7fff;
}

export function neighbours(needles: readonly Needle[]): Neighbours {
  const known = {
    anywhere: new Uint8Array(256),
    first: new Uint8Array(256),
    last: new Uint8Array(256),
    pair: new Uint8Array(65536),
    firstPair: new Uint8Array(65536),
    lastPair: new Uint8Array(65536),
    triple: new Uint8Array(32768),
    wide: needles.some((needle) => needle.bytes.some((byte) => byte >= 128)),
    opens: needles.some(
      ({ bytes }) => BLANK[bytes[0] as number] === 1 || bytes.some((byte) => TRIGGER[byte] === 1),
    ),
  };
  for (const needle of needles) learn(known, letters(needle));
  return known;
}

// The possible bytes at each place: an edge digit of base64 is only partly the secret's.
function letters(needle: Needle): number[][] {
  const places = Array.from(needle.bytes, (byte) => [FOLD[byte] as number]);
  if (needle.headMask !== 0) places.unshift(edgeDigits(needle.headMask, needle.headBits));
  if (needle.tailMask !== 0) places.push(edgeDigits(needle.tailMask, needle.tailBits));
  return places;
}

function edgeDigits(mask: number, bits: number): number[] {
  const digits = new Set<number>();
  for (let byte = 0; byte < 128; byte += 1) {
    const value = SIXBITS[byte] as number;
    if (value !== 255 && (value & mask) === bits) digits.add(FOLD[byte] as number);
  }
  return [...digits];
}

function learn(known: Neighbours, places: readonly number[][]): void {
  const end = places.length - 1;
  for (const [at, here] of places.entries()) {
    for (const c of here) {
      known.anywhere[c] = 1;
      if (at === 0) known.first[c] = 1;
      if (at === end) known.last[c] = 1;
      for (const b of places[at - 1] ?? []) {
        const pair = (b << 8) | c;
        known.pair[pair] = 1;
        if (at === 1) known.firstPair[pair] = 1;
        if (at === end) known.lastPair[pair] = 1;
        for (const a of places[at - 2] ?? []) known.triple[tripleSlot(a, b, c)] = 1;
      }
    }
  }
}

/**
 * How many bytes the escape or break at `at` takes: 0 when it is none, negative when a form could run through it.
 * `follow` tells that another one ended just here; if both are of one form, it is the first that answers for it.
 */
export function inspect(
  known: Neighbours,
  text: Uint8Array,
  at: number,
  length: number,
  follow: boolean,
): number {
  const byte = text[at] as number;
  if (BLANK[byte] === 1) {
    if (!follow && gap(known, text, at, at + 1, length)) return -1;
    // The same bytes stand around the rest of this gap, so the answer is the same.
    let end = at + 1;
    while (end < length && BLANK[text[end] as number] === 1) end += 1;
    return end - at;
  }
  // \" is by far the most common escape there is.
  if (byte === 0x5c && text[at + 1] === 0x22 && known.anywhere[0x22] === 0) return 2;
  const code = byte === 0x3d ? quotedAt(text, at, length) : escapeAt(text, at, length);
  if (code === NONE) return 0;
  const end = at + size(code);
  const value = meaning(code);
  const letter = value & 255;
  let possible: boolean;
  if (value === NOTHING)
    possible = end < length && joins(known, text, at - 1, text[end] as number, end + 1, length);
  else if ((value & BYTE) === 0 && value >= 128) possible = known.wide;
  else
    possible =
      opensAgain(letter, text, end, length) || runsThrough(known, text, at, end, length, letter, follow);
  return possible ? at - end : end - at;
}

function runsThrough(
  known: Neighbours,
  text: Uint8Array,
  at: number,
  end: number,
  length: number,
  letter: number,
  follow: boolean,
): boolean {
  if (!follow && BLANK[letter] === 1 && gap(known, text, at, end, length)) return true;
  const folded = FOLD[letter] as number;
  if (known.first[folded] === 0 && (follow || !follows(known, text, at - 1, folded))) return false;
  return known.last[folded] === 1 || leads(known, folded, text, end, length);
}

// %2526, &amp;#115; and the like: the escape stands for the start of another one.
function opensAgain(letter: number, text: Uint8Array, end: number, length: number): boolean {
  if (end >= length || OPENS[letter] === 0 || letter === 0x3d) return false;
  const next = text[end] as number;
  if (letter === 0x5c || OPENS[next] === 1) return true;
  if (letter === 0x25) return next === 0x75;
  if (next === 0x23) return true;
  let close = end;
  while (close < length && close - end < 9 && HEX_GAP[text[close] as number] === 0) close += 1;
  return close > end && (text[close] === 0x3b || text[close] === 0x25);
}

// Whether text[at] may stand before `after` in a form.
function follows(known: Neighbours, text: Uint8Array, at: number, after: number): boolean {
  if (at < 0) return false;
  const before = FOLD[text[at] as number] as number;
  if (known.firstPair[(before << 8) | after] === 1) return true;
  return at > 0 && known.triple[tripleSlot(FOLD[text[at - 1] as number] as number, before, after)] === 1;
}

// Whether what comes next may come after `before` in a form. What cannot be read here counts as yes.
function leads(known: Neighbours, before: number, text: Uint8Array, at: number, length: number): boolean {
  if (at >= length) return false;
  const next = text[at] as number;
  if (UNREADABLE[next] === 1) return true;
  const folded = FOLD[next] as number;
  const pair = (before << 8) | folded;
  if (known.lastPair[pair] === 1) return true;
  if (at + 1 >= length || known.pair[pair] === 0) return false;
  const second = text[at + 1] as number;
  return UNREADABLE[second] === 1 || known.triple[tripleSlot(before, folded, FOLD[second] as number)] === 1;
}

function gap(known: Neighbours, text: Uint8Array, at: number, end: number, length: number): boolean {
  // After an escaped newline this is no more than the rest of a gap that has been judged.
  if (at >= 2 && text[at - 2] === 0x5c && (text[at - 1] === 0x6e || text[at - 1] === 0x72)) return false;
  let right = end;
  while (right < length && BLANK[text[right] as number] === 1) right += 1;
  if (right === length || right - end > FURTHEST_GAP) return false;
  const after = text[right] as number;
  if (OPENS[after] === 0 && known.anywhere[FOLD[after] as number] === 0 && after !== 0x30) return false;
  let left = at - 1;
  while (left >= 0 && at - left < FURTHEST_GAP && BLANK[text[left] as number] === 1) left -= 1;
  if (left < 0) return false;
  // Hex digits may have a separator before the break.
  const separated = left;
  while (left >= 0 && separated - left < 4 && HEX_GAP[text[left] as number] === 1) left -= 1;
  const skipped = left < separated && left >= 0;
  if (!ends(known, text, separated) && !(skipped && ends(known, text, left))) return false;
  return [separated, left].some(
    (before) =>
      before >= 0 &&
      (meets(known, text, before, right, length, 0) || meets(known, text, before, right, length, 2)),
  );
}

// Whether what stands at `right`, after escaped blanks and, with `prefix`, one 0x, may come after text[left].
function meets(
  known: Neighbours,
  text: Uint8Array,
  left: number,
  right: number,
  length: number,
  prefix: 0 | 2,
) {
  let at = right;
  while (at < length && at - right <= FURTHEST_GAP) {
    const byte = text[at] as number;
    if (prefix === 2 && byte === 0x30 && ((text[at + 1] as number) | 32) === 0x78) {
      at += 2;
      continue;
    }
    const code = OPENS[byte] === 1 ? escapeAt(text, at, length) : NONE;
    at += code === NONE ? 1 : size(code);
    if (code === NONE) {
      if (BLANK[byte] === 0) return joins(known, text, left, byte, at, length);
      continue;
    }
    const value = meaning(code);
    if ((value & BYTE) === 0 && value >= 128) return known.wide;
    const letter = value & 255;
    if (OPENS[letter] === 1) return true;
    if (BLANK[letter] === 0) return joins(known, text, left, letter, at, length);
  }
  return false;
}

// Whether a form may have come as far as text[at].
function ends(known: Neighbours, text: Uint8Array, at: number): boolean {
  const here = FOLD[text[at] as number] as number;
  if (known.first[here] === 1) return true;
  return at > 0 && known.pair[((FOLD[text[at - 1] as number] as number) << 8) | here] === 1;
}

// Whether text[left] and `next`, which ends at `after`, may be neighbours once what lies between is taken out.
function joins(
  known: Neighbours,
  text: Uint8Array,
  left: number,
  next: number,
  after: number,
  length: number,
) {
  if (left < 0) return false;
  const folded = FOLD[next] as number;
  if (!follows(known, text, left, folded)) return false;
  return known.last[folded] === 1 || leads(known, folded, text, after, length);
}
