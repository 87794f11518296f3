import { randomBytes } from "node:crypto";
import type { Alarm, Clock, Entropy, Soon } from "../engine/ports.ts";

export const clock: Clock = {
  wall: () => Date.now(),
  elapsed: () => performance.now(),
};

export const entropy: Entropy = {
  bytes: (count) => new Uint8Array(randomBytes(count)),
};

/** After the sockets that are ready have been read: calls that came together are written together. */
export const soon: Soon = (task) => {
  setImmediate(task);
};

export const alarm: Alarm = (milliseconds, task) => {
  const timer = setTimeout(task, milliseconds);
  return () => clearTimeout(timer);
};

/** A look outside is good for the tick in which it was made, and for no longer than this. */
const longestLookMs = 1;

/** Says when it is time to look again at what other processes may have changed. */
export class Glance {
  #madeAt = Number.NEGATIVE_INFINITY;
  readonly #forget = (): void => {
    this.#madeAt = Number.NEGATIVE_INFINITY;
  };

  /** What comes now goes upstream: it wants a look of its own. */
  forget(): void {
    this.#forget();
  }

  isStale(): boolean {
    const now = performance.now();
    if (now - this.#madeAt <= longestLookMs) return false;
    if (this.#madeAt === Number.NEGATIVE_INFINITY) setImmediate(this.#forget);
    this.#madeAt = now;
    return true;
  }
}
