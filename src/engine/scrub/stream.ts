// Scrubs a body piece by piece. How much is held back is a matter of counts and of the boundaries of the format,
// never of what the bytes are: an agent that can make an upstream pause must not learn from what has arrived.
import type { Finder, Ranges } from "./find.ts";

export const REDACTED = "[janee:redacted]";

export type Boundary = "none" | "event" | "line";

export interface ScrubStream {
  push(chunk: Buffer): Buffer;
  end(): Buffer;
  readonly redactions: number;
}

const MARK = Buffer.from(REDACTED);
const EMPTY = Buffer.alloc(0);
const CR = 13;
const LF = 10;

/** The first `end` bytes with each range replaced; the first `open` bytes belong to a replacement already made. */
export function redact(bytes: Buffer, end: number, ranges: Ranges, open: number) {
  const pieces: Buffer[] = [];
  let redactions = 0;
  let at = Math.min(open, end);
  let reached = open;
  for (let index = 0; index < ranges.length; index += 2) {
    const start = ranges[index] as number;
    const stop = ranges[index + 1] as number;
    if (start < reached) {
      reached = Math.max(reached, stop);
    } else if (start >= end) {
      break;
    } else {
      if (start > at) pieces.push(bytes.subarray(at, start));
      pieces.push(MARK);
      redactions += 1;
      reached = stop;
    }
    at = Math.min(reached, end);
  }
  if (pieces.length === 0)
    return { bytes: bytes.subarray(at, end), redactions, open: Math.max(0, reached - end) };
  if (at < end) pieces.push(bytes.subarray(at, end));
  return { bytes: Buffer.concat(pieces), redactions, open: Math.max(0, reached - end) };
}

/** `lends`: what is handed out may be overwritten by the next piece, for one who keeps nothing of it. */
export function scrubStream(finder: Finder, boundary: Boundary, lends = false): ScrubStream {
  const held = finder.longest - 1;
  let waiting: Buffer = EMPTY;
  let open = 0;
  let redactions = 0;
  // The last event passed on ended in a CR, whose LF may be still to come.
  let half = false;
  let lent: Buffer = EMPTY;

  function joined(chunk: Buffer): Buffer {
    if (!lends) return Buffer.concat([waiting, chunk]);
    const length = waiting.length + chunk.length;
    if (lent.length < length) lent = Buffer.allocUnsafeSlow(length);
    waiting.copy(lent);
    chunk.copy(lent, waiting.length);
    return lent.subarray(0, length);
  }

  function release(bytes: Buffer, end: number): Buffer {
    const scrubbed = redact(bytes, end, finder.find(bytes), open);
    redactions += scrubbed.redactions;
    open = scrubbed.open;
    // A copy: the caller may use its buffer again, and a slice would keep all of it alive.
    waiting = Buffer.from(bytes.subarray(end));
    return scrubbed.bytes;
  }

  return {
    push(chunk) {
      if (chunk.length === 0) return EMPTY;
      const bytes = waiting.length === 0 ? chunk : joined(chunk);
      let flushed = boundary === "none" ? 0 : lastBoundary(bytes, waiting.length, boundary);
      if (flushed === 0 && half && bytes[0] === LF) flushed = 1;
      half = boundary === "event" && flushed > 0 && bytes[flushed - 1] === CR && flushed === bytes.length;
      const end = Math.max(flushed, bytes.length - held);
      if (end > 0) return release(bytes, end);
      waiting = bytes === chunk || lends ? Buffer.from(bytes) : bytes;
      return EMPTY;
    },
    end() {
      return waiting.length === 0 ? EMPTY : release(waiting, waiting.length);
    },
    get redactions() {
      return redactions;
    },
  };
}

// Just past the last event end or newline that the new bytes complete, or 0.
function lastBoundary(bytes: Buffer, known: number, boundary: "event" | "line"): number {
  for (let at = bytes.length - 1; at >= known; at -= 1) {
    const byte = bytes[at];
    if (byte !== LF && (byte !== CR || boundary === "line")) continue;
    if (boundary === "line") return at + 1;
    const before = byte === LF && bytes[at - 1] === CR ? at - 2 : at - 1;
    if (bytes[before] === LF || bytes[before] === CR) return at + 1;
  }
  return 0;
}
