// What goes into a child and what comes out of it.
import type { ChildProcess } from "node:child_process";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setImmediate as turn } from "node:timers/promises";

const pieceLength = 64 * 1024;

/** As fast as the child takes it. One that does not read, or not all, is no error of janee. */
export function feed(child: ChildProcess, bytes: Uint8Array): void {
  if (!child.stdin) return;
  pipeline(Readable.from(pieces(bytes)), child.stdin).catch(() => undefined);
}

function* pieces(bytes: Uint8Array): Generator<Buffer> {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < whole.length; at += pieceLength) yield whole.subarray(at, at + pieceLength);
}

export class Outputs {
  readonly #streams: readonly Readable[];
  readonly #open: Set<Readable>;
  #stopped = false;
  #pieces = 0;
  #whenEnded: (() => void) | undefined;

  constructor(child: ChildProcess, output: (stream: "stdout" | "stderr", bytes: Buffer) => void) {
    const named = [
      ["stdout", child.stdout],
      ["stderr", child.stderr],
    ] as const;
    this.#streams = named.flatMap(([, stream]) => stream ?? []);
    this.#open = new Set(this.#streams);
    for (const [name, stream] of named) {
      if (!stream) continue;
      stream.on("data", (bytes: Buffer) => {
        this.#pieces += 1;
        if (!this.#stopped) output(name, bytes);
      });
      const over = (): void => {
        this.#open.delete(stream);
        if (this.#open.size === 0) this.#whenEnded?.();
      };
      stream.on("end", over).on("close", over).on("error", over);
    }
  }

  /**
   * Waits for what was written and not yet read. The pipes end when all who could write have; where one of them
   * got away and holds them open, quiet is taken for the end.
   */
  async drained(quietMs: number, mostMs: number): Promise<void> {
    const start = performance.now();
    while (this.#open.size > 0) {
      const before = this.#pieces;
      await this.#endedOr(quietMs);
      // A busy process is late with its timers: what has arrived in the meantime is read before it is called quiet.
      for (let turns = 0; turns < 3 && this.#open.size > 0; turns++) await turn();
      if (this.#pieces === before || performance.now() - start > mostMs) return;
    }
  }

  #endedOr(milliseconds: number): Promise<void> {
    return new Promise((done) => {
      const timer = setTimeout(done, milliseconds);
      this.#whenEnded = () => {
        clearTimeout(timer);
        done();
      };
    });
  }

  /** Nothing more is delivered, whoever still writes. */
  stop(): void {
    this.#stopped = true;
    for (const stream of this.#streams) stream.destroy();
  }
}
