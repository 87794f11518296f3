// Text on its way to a file, turned into bytes once: for the hash and for the write.

const atFirst = 64 * 1024;
/** A burst is not remembered for ever. */
const mostKept = 1024 * 1024;

export class LineBuffer {
  #bytes = Buffer.allocUnsafeSlow(atFirst);
  #length = 0;

  /** What was added since the last `clear`, until the next. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
    if (this.#bytes.length > mostKept) this.#bytes = Buffer.allocUnsafeSlow(atFirst);
  }

  /** The bytes of this text, until the next call. */
  add(text: string): Buffer {
    // No UTF-16 unit takes more than three bytes of UTF-8.
    this.#reserve(text.length * 3);
    const start = this.#length;
    this.#length += this.#bytes.write(text, start, "utf8");
    return this.#bytes.subarray(start, this.#length);
  }

  dropLastByte(): void {
    this.#length -= 1;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.bytes);
    this.#bytes = larger;
  }
}
