/** Bytes on their way from a producer that is called back to a consumer that pulls, with back-pressure. */
export class Flow implements AsyncIterable<Buffer>, AsyncIterator<Buffer> {
  readonly #queue: Buffer[] = [];
  readonly #highWater: number;
  readonly #setFlowing: (flowing: boolean) => void;
  readonly #stopped: () => void;
  #bytes = 0;
  #flowing = true;
  #ended = false;
  #error: Error | undefined;
  #waiting: { resolve: (result: IteratorResult<Buffer>) => void; reject: (error: Error) => void } | undefined;

  /** `setFlowing` pauses and resumes the producer; `stopped` says that nobody will read on. */
  constructor(parts: { setFlowing: (flowing: boolean) => void; stopped: () => void; highWater?: number }) {
    this.#setFlowing = parts.setFlowing;
    this.#stopped = parts.stopped;
    this.#highWater = parts.highWater ?? 64 * 1024;
  }

  /** Whether something has come that nobody has read yet. */
  get holdsSome(): boolean {
    return this.#queue.length > 0;
  }

  push(chunk: Buffer): void {
    if (this.#ended) return;
    const waiting = this.#waiting;
    if (waiting) {
      this.#waiting = undefined;
      waiting.resolve({ done: false, value: chunk });
      return;
    }
    this.#queue.push(chunk);
    this.#bytes += chunk.length;
    if (this.#flowing && this.#bytes >= this.#highWater) this.#flow(false);
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#waiting?.resolve({ done: true, value: undefined });
    this.#waiting = undefined;
  }

  fail(error: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }

  next(): Promise<IteratorResult<Buffer>> {
    const chunk = this.#queue.shift();
    if (chunk) {
      this.#bytes -= chunk.length;
      if (!this.#flowing && this.#bytes === 0) this.#flow(true);
      return Promise.resolve({ done: false, value: chunk });
    }
    if (this.#error) return Promise.reject(this.#error);
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  return(): Promise<IteratorResult<Buffer>> {
    if (!this.#ended) {
      this.#ended = true;
      this.#stopped();
    }
    this.#queue.length = 0;
    this.#waiting?.resolve({ done: true, value: undefined });
    this.#waiting = undefined;
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): AsyncIterator<Buffer> {
    return this;
  }

  #flow(flowing: boolean): void {
    this.#flowing = flowing;
    this.#setFlowing(flowing);
  }
}
