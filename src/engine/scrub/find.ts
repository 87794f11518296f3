// All stretches of a text that stand for a secret, in order and merged.
import { anchorNeedles, coreNeedles, type Needle } from "./forms.ts";
import { type Index, index, scan } from "./scan.ts";
import { inspect, type Neighbours, neighbours, TRIGGER } from "./suspect.ts";
import {
  plainView,
  unescaped,
  unescapedBytes,
  unquoted,
  unseparated,
  unslashed,
  unwrapped,
  type View,
} from "./view.ts";

/** Flat pairs: start, end, start, end … */
export type Ranges = readonly number[];

export interface Finder {
  /** The longest form that is promised to be found. */
  readonly longest: number;
  /** No form is shorter. */
  readonly shortest: number;
  find(text: Uint8Array): Ranges;
}

// A byte of the secret may take this many on the wire: &#x00000073; is twelve, \\r\\n after each base64 digit less.
const WIDEST = 12;
const MARGIN = 32;
const NONE: Ranges = [];

export function finder(secrets: readonly string[]): Finder {
  const core: Needle[] = [];
  const anchors: Needle[] = [];
  let longest = 0;
  let shortest = Number.POSITIVE_INFINITY;
  for (const secret of secrets) {
    const own = coreNeedles(secret, unescapedBytes);
    core.push(...own);
    anchors.push(...anchorNeedles(secret, own));
    longest = Math.max(longest, Buffer.byteLength(secret) * WIDEST + MARGIN);
    for (const needle of own) shortest = Math.min(shortest, needle.bytes.length);
  }
  if (core.length === 0) return { longest: 1, shortest: 1, find: () => NONE };
  const direct = index([...core, ...anchors]);
  const indirect = index(core);
  const known = neighbours(core);
  return { longest, shortest, find: (text) => find(text, longest, direct, indirect, known) };
}

/** What either finds. */
export function both(one: Finder, other: Finder): Finder {
  return {
    longest: Math.max(one.longest, other.longest),
    shortest: Math.min(one.shortest, other.shortest),
    find(text) {
      const [some, more] = [one.find(text), other.find(text)];
      if (more.length === 0) return some;
      return some.length === 0 ? more : merge(some.concat(more), false);
    },
  };
}

function find(text: Uint8Array, reach: number, direct: Index, indirect: Index, known: Neighbours): Ranges {
  const found: number[] = [];
  const windows: number[] = [];
  scan(direct, text, text.length, (start, end, needle) => {
    if (needle.kind === "anchor") windows.push(start - reach, start + reach);
    else found.push(start, end);
  });
  openWindows(text, reach, known, windows);
  const merged = merge(windows, true);
  for (let at = 0; at < merged.length; at += 2) {
    const low = Math.max(0, merged[at] as number);
    look(text, low, Math.min(text.length, merged[at + 1] as number), indirect, found);
  }
  return merge(found, false);
}

function openWindows(text: Uint8Array, reach: number, known: Neighbours, windows: number[]): void {
  const { length } = text;
  let at = 0;
  let open = -1;
  let ended = -1;
  const eight = length - 8;
  while (at < length) {
    while (at <= eight && clear(text, at)) at += 8;
    while (at < length && TRIGGER[text[at] as number] === 0) at += 1;
    if (at >= length) break;
    const size = inspect(known, text, at, length, ended === at);
    if (size < 0) {
      if (open >= 0 && at - reach <= (windows[open] as number)) windows[open] = at + reach;
      else open = windows.push(at - reach, at + reach) - 1;
    }
    at += size === 0 ? 1 : Math.abs(size);
    if (size !== 0 && !known.opens) ended = at;
  }
}

function clear(text: Uint8Array, at: number): boolean {
  const front = (TRIGGER[text[at] as number] as number) | (TRIGGER[text[at + 1] as number] as number);
  const second = (TRIGGER[text[at + 2] as number] as number) | (TRIGGER[text[at + 3] as number] as number);
  const third = (TRIGGER[text[at + 4] as number] as number) | (TRIGGER[text[at + 5] as number] as number);
  const back = (TRIGGER[text[at + 6] as number] as number) | (TRIGGER[text[at + 7] as number] as number);
  return (front | second | third | back) === 0;
}

/** Sorts flat pairs and joins those that overlap (or, when asked, only touch). */
function merge(pairs: readonly number[], touching: boolean): Ranges {
  if (pairs.length <= 2) return pairs;
  const sorted: [number, number][] = [];
  for (let at = 0; at < pairs.length; at += 2) sorted.push([pairs[at] as number, pairs[at + 1] as number]);
  sorted.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const merged: number[] = [];
  for (const [start, end] of sorted) {
    const last = merged.length - 1;
    const reached = last < 0 ? Number.NEGATIVE_INFINITY : (merged[last] as number);
    if (start < reached || (touching && start === reached)) merged[last] = Math.max(reached, end);
    else merged.push(start, end);
  }
  return merged;
}

function look(text: Uint8Array, low: number, high: number, needles: Index, found: number[]): void {
  const plain = plainView(text, low, high);
  const once = unescaped(plain);
  const quoted = unquoted(plain);
  const views = [plain, once, once && unescaped(once), unslashed(plain), quoted, quoted && unescaped(quoted)];
  for (const view of views) {
    if (view === undefined) continue;
    collect(view, needles, found);
    collect(unwrapped(view), needles, found);
    collect(unseparated(view), needles, found);
  }
}

function collect(view: View | undefined, needles: Index, found: number[]): void {
  if (view === undefined) return;
  scan(needles, view.bytes, view.length, (start, end) => {
    found.push(view.from[start] as number, view.to[end - 1] as number);
  });
}
