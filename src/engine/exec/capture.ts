// What a command writes, scrubbed as it comes and kept within bounds.
import type { Scrubber } from "../scrub.ts";
import type { Captured } from "./call.ts";

/** Of each stream: half of it from the head, half from the tail. */
const mostKept = 1024 * 1024;
const half = mostKept / 2;

export class Capture {
  readonly #stream: ReturnType<Scrubber["stream"]>;
  readonly #pass: ((bytes: Buffer) => void) | undefined;
  #head: Buffer[] = [];
  #headSize = 0;
  #tail: Buffer[] = [];
  #tailSize = 0;
  #total = 0;

  /** `pass` takes everything, where the one who asked reads along. */
  constructor(scrubber: Scrubber, pass: ((bytes: Buffer) => void) | undefined) {
    this.#stream = scrubber.stream("none");
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
    const head = Buffer.concat(this.#head);
    const tail = Buffer.concat(this.#tail);
    const shown = tail.length > half ? tail.subarray(tail.length - half) : tail;
    const omitted = this.#pass ? 0 : this.#total - head.length - shown.length;
    return { bytes: Buffer.concat([head, shown]), omitted, cutAt: head.length };
  }

  #take(clean: Buffer): void {
    if (clean.length === 0) return;
    this.#total += clean.length;
    if (this.#pass) return this.#pass(clean);
    const room = Math.max(0, half - this.#headSize);
    const first = clean.subarray(0, room);
    if (first.length > 0) {
      this.#head.push(Buffer.from(first));
      this.#headSize += first.length;
    }
    const rest = clean.subarray(room);
    if (rest.length === 0) return;
    this.#tail.push(Buffer.from(rest));
    this.#tailSize += rest.length;
    this.#forget();
  }

  /** Whole pieces that the tail no longer reaches; small ones are joined, so that their number is bounded too. */
  #forget(): void {
    while (this.#tail.length > 1 && this.#tailSize - (this.#tail[0]?.length ?? 0) >= half) {
      this.#tailSize -= this.#tail.shift()?.length ?? 0;
    }
    if (this.#tail.length <= 1024) return;
    const joined = Buffer.concat(this.#tail);
    this.#tail = [joined.subarray(Math.max(0, joined.length - half))];
    this.#tailSize = this.#tail[0]?.length ?? 0;
  }
}
