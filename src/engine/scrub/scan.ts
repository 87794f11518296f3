// Many needles in one pass (Wu–Manber, three-byte blocks): most text is skipped, not read.
import { FOLD, LOWER, type Needle, SIXBITS, STANDARD } from "./forms.ts";

export interface Index {
  readonly window: number;
  readonly shift: Uint8Array;
  readonly bucket: Uint16Array;
  readonly buckets: readonly (readonly Needle[])[];
  /** Needles too short for a block, tried at every byte. */
  readonly tiny: readonly Needle[];
}

export type Hit = (start: number, end: number, needle: Needle) => void;

const SLOTS = 1 << 15;
const LONGEST_WINDOW = 64;

function slot(bytes: Uint8Array, last: number): number {
  const a = FOLD[bytes[last - 2] as number] as number;
  const b = FOLD[bytes[last - 1] as number] as number;
  return (a ^ (b << 5) ^ ((FOLD[bytes[last] as number] as number) << 10)) & (SLOTS - 1);
}

export function index(needles: readonly Needle[]): Index {
  const long = needles.filter((needle) => needle.bytes.length >= 3);
  const window = long.reduce((least, needle) => Math.min(least, needle.bytes.length), LONGEST_WINDOW);
  const shift = new Uint8Array(SLOTS).fill(window - 2);
  const bucket = new Uint16Array(SLOTS);
  const buckets: Needle[][] = [[]];
  for (const needle of long) {
    for (let last = 2; last < window; last += 1) {
      const at = slot(needle.bytes, last);
      shift[at] = Math.min(shift[at] as number, window - 1 - last);
    }
    const at = slot(needle.bytes, window - 1);
    if (bucket[at] === 0) bucket[at] = buckets.push([]) - 1;
    (buckets[bucket[at] as number] as Needle[]).push(needle);
  }
  return { window, shift, bucket, buckets, tiny: needles.filter((needle) => needle.bytes.length < 3) };
}

/** Calls `hit` for each needle that stands in the first `length` bytes, the base64 edge digits included. */
export function scan(index: Index, text: Uint8Array, length: number, hit: Hit): void {
  const { shift, window } = index;
  if (index.tiny.length > 0) scanTiny(index.tiny, text, length, hit);
  if (index.buckets.length === 1) return;
  let last = window - 1;
  while (last < length) {
    const a = FOLD[text[last - 2] as number] as number;
    const b = FOLD[text[last - 1] as number] as number;
    const at = (a ^ (b << 5) ^ ((FOLD[text[last] as number] as number) << 10)) & (SLOTS - 1);
    const step = shift[at] as number;
    if (step === 0) {
      verify(
        index.buckets[index.bucket[at] as number] as readonly Needle[],
        text,
        last - window + 1,
        length,
        hit,
      );
      last += 1;
    } else {
      last += step;
    }
  }
}

function scanTiny(needles: readonly Needle[], text: Uint8Array, length: number, hit: Hit): void {
  for (let start = 0; start < length; start += 1) verify(needles, text, start, length, hit);
}

function verify(needles: readonly Needle[], text: Uint8Array, start: number, length: number, hit: Hit): void {
  for (const needle of needles) {
    const { bytes } = needle;
    const end = start + bytes.length;
    if (end > length) continue;
    const canonical = needle.kind === "base64" ? STANDARD : LOWER;
    let at = 0;
    while (at < bytes.length && canonical[text[start + at] as number] === bytes[at]) at += 1;
    if (at < bytes.length) continue;
    if (needle.headMask === 0 && needle.tailMask === 0) hit(start, end, needle);
    else if (edgesAgree(needle, text, start, end, length)) {
      hit(needle.headMask === 0 ? start : start - 1, needle.tailMask === 0 ? end : end + 1, needle);
    }
  }
}

// Without this a guess that is wrong only in its outermost bits would be redacted: a match of a part.
function edgesAgree(needle: Needle, text: Uint8Array, start: number, end: number, length: number): boolean {
  if (needle.headMask !== 0) {
    const value = start > 0 ? (SIXBITS[text[start - 1] as number] as number) : 255;
    if (value === 255 || (value & needle.headMask) !== needle.headBits) return false;
  }
  if (needle.tailMask === 0) return true;
  const value = end < length ? (SIXBITS[text[end] as number] as number) : 255;
  return value !== 255 && (value & needle.tailMask) === needle.tailBits;
}
