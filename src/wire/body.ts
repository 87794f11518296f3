import { ChunkedReader, type Strictness } from "./chunked.ts";
import { type Framing, Malformed } from "./types.ts";

export interface BodyStep {
  /** views of the bytes pushed, in order */
  readonly pieces: readonly Buffer[];
  readonly done: boolean;
  /** bytes beyond the body, when there are any */
  readonly rest: Buffer | undefined;
}

const nothing: readonly Buffer[] = [];

export class BodyReader {
  readonly #chunked: ChunkedReader | undefined;
  /** bytes still to come; Infinity until the peer closes */
  #left: number;
  #refused: Malformed | undefined;

  constructor(framing: Framing, mode: Strictness) {
    this.#chunked = framing.kind === "chunked" ? new ChunkedReader(mode) : undefined;
    if (framing.kind === "length") this.#left = framing.length;
    else this.#left = framing.kind === "close" ? Number.POSITIVE_INFINITY : 0;
  }

  get done(): boolean {
    return this.#chunked === undefined ? this.#left === 0 : this.#chunked.done;
  }

  /** After a Malformed every later call answers the same one: the place in the bytes is lost. */
  push(bytes: Buffer): BodyStep | Malformed {
    if (this.#refused !== undefined) return this.#refused;
    if (this.#chunked !== undefined) return this.#pushChunked(this.#chunked, bytes);
    const { length } = bytes;
    if (this.#left === 0 || length === 0) {
      return { pieces: nothing, done: this.#left === 0, rest: length === 0 ? undefined : bytes };
    }
    if (length <= this.#left) {
      this.#left -= length;
      return { pieces: [bytes], done: this.#left === 0, rest: undefined };
    }
    const end = this.#left;
    this.#left = 0;
    return { pieces: [bytes.subarray(0, end)], done: true, rest: bytes.subarray(end) };
  }

  #pushChunked(chunked: ChunkedReader, bytes: Buffer): BodyStep | Malformed {
    const pieces: Buffer[] = [];
    const used = chunked.feed(bytes, pieces);
    if (used instanceof Malformed) {
      this.#refused = used;
      return used;
    }
    return { pieces, done: chunked.done, rest: used < bytes.length ? bytes.subarray(used) : undefined };
  }

  /** The peer ended the connection: that is the end of a body framed by close, and cuts any other short. */
  end(): undefined | Malformed {
    if (this.#refused !== undefined) return this.#refused;
    if (this.#left === Number.POSITIVE_INFINITY) this.#left = 0;
    if (this.done) return undefined;
    this.#refused = new Malformed("bad_body", "the connection ended before the body did");
    return this.#refused;
  }
}
