// What a command writes, scrubbed as it comes and kept within bounds.
import type { Scrubber } from "../scrub.ts";
import type { Captured } from "./call.ts";

/** Of each stream: half of it from the head, half from the tail. */
const mostKept = 1024 * 1024;
const half = mostKept / 2;
const firstRoom = 4096;

export class Capture {
  readonly #stream: ReturnType<Scrubber["stream"]>;
  readonly #pass: ((bytes: Buffer) => void) | undefined;
  readonly #head = new Room();
  readonly #tail = new Room();
  /** Where the tail goes on: it begins anew at its start when it is full. */
  #at = 0;
  #total = 0;

  /** `pass` takes everything, where the one who asked reads along. */
  constructor(scrubber: Scrubber, pass: ((bytes: Buffer) => void) | undefined) {
    this.#stream = scrubber.stream("none", pass === undefined);
    this.#pass = pass;
  }

  get redactions(): number {
    return this.#stream.redactions;
  }

  get bytesOut(): number {
    return this.#total;
  }

  push(bytes: Buffer): void {
    this.#take(this.#stream.push(bytes));
  }

  end(): Captured {
    this.#take(this.#stream.end());
    const [head, tail] = [this.#head.bytes, this.#tail.bytes];
    const pieces =
      tail.length < half ? [head, tail] : [head, tail.subarray(this.#at), tail.subarray(0, this.#at)];
    const omitted = this.#pass ? 0 : this.#total - head.length - tail.length;
    return { bytes: tail.length === 0 ? head : Buffer.concat(pieces), omitted, cutAt: head.length };
  }

  #take(clean: Buffer): void {
    this.#total += clean.length;
    if (this.#pass) {
      if (clean.length > 0) this.#pass(clean);
      return;
    }
    const first = this.#head.add(clean);
    // Of a long piece only the end stays.
    for (let rest = clean.subarray(Math.max(first, clean.length - half)); rest.length > 0; ) {
      const put = this.#tail.put(rest, this.#at);
      this.#at = (this.#at + put) % half;
      rest = rest.subarray(put);
    }
  }
}

/** Bytes that are written once and grow up to a bound: nothing is left behind for each piece that comes. */
class Room {
  #held: Buffer = Buffer.alloc(0);
  #size = 0;

  get bytes(): Buffer {
    return this.#held.subarray(0, this.#size);
  }

  /** At its end; says how much found room. */
  add(bytes: Buffer): number {
    return this.put(bytes, this.#size);
  }

  put(bytes: Buffer, at: number): number {
    const count = Math.min(bytes.length, half - at);
    if (at + count > this.#held.length) this.#grow(at + count);
    bytes.copy(this.#held, at, 0, count);
    this.#size = Math.max(this.#size, at + count);
    return count;
  }

  #grow(least: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.min(half, Math.max(least, 2 * this.#held.length, firstRoom)));
    this.#held.copy(larger, 0, 0, this.#size);
    this.#held = larger;
  }
}
