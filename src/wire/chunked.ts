import { readFields } from "./head.ts";
import { type HeadLimits, Malformed } from "./types.ts";

export type Strictness = "strict" | "lenient";

const LF = 0x0a;
const CR = 0x0d;
const SEMICOLON = 0x3b;

const extensionLimit = 256;
const trailerLimits: HeadLimits = { bytes: 8 * 1024, fields: 1 };

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const strictTail = new RegExp(`^(?:;${token}(?:=(?:${token}|"(?:[\\t !#-\\[\\]-~]|\\\\[\\t -~])*"))?)+\\r$`);
const lenientTail = /^[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?\r$/;

// A trailer is dropped, but one that names framing or routing is an attack on whoever merges it.
const forbiddenTrailers = new Set(["content-length", "transfer-encoding", "host"]);

// What the next byte belongs to.
const SIZE = 0;
const TAIL = 1;
const SIZE_LF = 2;
const BODY = 3;
const BODY_CR = 4;
const BODY_LF = 5;
const TRAILER = 6;
const DONE = 7;

function badChunk(message: string): Malformed {
  return new Malformed("bad_chunk", message);
}

function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** RFC 9112 section 7.1, with sizes, extensions and trailers bounded. */
export class ChunkedReader {
  readonly #strict: boolean;
  #state = SIZE;
  #size = 0;
  #digits = 0;
  #line = "";
  #trailerBytes = 0;

  constructor(strictness: Strictness) {
    this.#strict = strictness === "strict";
  }

  get done(): boolean {
    return this.#state === DONE;
  }

  /** Adds the body parts of `bytes` to `pieces`; returns how many bytes belong to this body. */
  feed(bytes: Buffer, pieces: Buffer[]): number | Malformed {
    let at = 0;
    while (at < bytes.length && this.#state !== DONE) {
      if (this.#state === BODY) {
        const end = Math.min(bytes.length, at + this.#size);
        pieces.push(bytes.subarray(at, end));
        this.#size -= end - at;
        at = end;
        if (this.#size === 0) this.#state = BODY_CR;
        continue;
      }
      if (this.#state === TAIL || this.#state === TRAILER) {
        const next = this.#collect(bytes, at);
        if (typeof next !== "number") return next;
        at = next;
        continue;
      }
      const refused = this.#step(bytes[at] as number);
      if (refused !== undefined) return refused;
      // The first byte that is no digit may open the tail: it is looked at again there.
      if (this.#state !== TAIL) at += 1;
    }
    return at;
  }

  #step(code: number): Malformed | undefined {
    switch (this.#state) {
      case SIZE:
        return this.#sizeByte(code);
      case SIZE_LF:
        if (code !== LF) return badChunk("a chunk size ends with CR LF");
        this.#endSize();
        return undefined;
      case BODY_CR:
        if (code !== CR) return badChunk("a chunk is as long as its size says, and CR LF follows");
        this.#state = BODY_LF;
        return undefined;
      default:
        if (code !== LF) return badChunk("a chunk is as long as its size says, and CR LF follows");
        this.#state = SIZE;
        return undefined;
    }
  }

  #sizeByte(code: number): Malformed | undefined {
    const value = hexValue(code);
    if (value >= 0) {
      this.#digits += 1;
      this.#size = this.#size * 16 + value;
      if (this.#digits > (this.#strict ? 8 : 16) || this.#size > Number.MAX_SAFE_INTEGER) {
        return badChunk("the chunk size is too large");
      }
      return undefined;
    }
    if (this.#digits === 0) return badChunk("a chunk begins with its size in hexadecimal");
    if (code === CR) {
      this.#state = SIZE_LF;
      return undefined;
    }
    const blank = code === 0x20 || code === 0x09;
    if (code !== SEMICOLON && (this.#strict || !blank))
      return badChunk("a chunk size is hexadecimal digits only");
    this.#state = TAIL;
    return undefined;
  }

  #endSize(): void {
    this.#digits = 0;
    this.#state = this.#size === 0 ? TRAILER : BODY;
  }

  /** Takes the rest of one line, of an extension or of the trailer section. */
  #collect(bytes: Buffer, at: number): number | Malformed {
    const lineFeed = bytes.indexOf(LF, at);
    const end = lineFeed === -1 ? bytes.length : lineFeed;
    if (this.#state === TAIL) {
      if (this.#line.length + end - at > extensionLimit)
        return badChunk("a chunk extension is at most 256 bytes");
    } else {
      this.#trailerBytes += end - at;
      if (this.#trailerBytes > trailerLimits.bytes)
        return new Malformed("bad_trailer", "trailers are at most 8192 bytes");
    }
    this.#line += bytes.toString("latin1", at, end);
    if (lineFeed === -1) return end;
    const line = this.#line;
    this.#line = "";
    const refused = this.#state === TAIL ? this.#endTail(line) : this.#endTrailer(line);
    return refused ?? lineFeed + 1;
  }

  #endTail(line: string): Malformed | undefined {
    if (!(this.#strict ? strictTail : lenientTail).test(line))
      return badChunk("a chunk extension is malformed");
    this.#endSize();
    return undefined;
  }

  #endTrailer(line: string): Malformed | undefined {
    const end = line.length - 1;
    if (end < 0 || line.charCodeAt(end) !== CR) {
      return new Malformed("bad_trailer", "a trailer line ends with CR LF, never with a bare LF");
    }
    if (end === 0) {
      this.#state = DONE;
      return undefined;
    }
    const read = readFields(`${line}\n\r\n`, 0, trailerLimits);
    if (read instanceof Malformed || read.some(({ key }) => forbiddenTrailers.has(key))) {
      return new Malformed("bad_trailer", "a trailer is a header line that says nothing of framing");
    }
    return undefined;
  }
}
