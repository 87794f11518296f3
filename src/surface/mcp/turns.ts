// Answers are held in memory whole until the client has read them: so many are fetched at once, and none while it does
// not read. Calls that wait for a person take no turn.
const atOnce = 32;
const lookEveryMs = 20;

export class Turns {
  readonly #isBlocked: () => boolean;
  readonly #waiting: (() => void)[] = [];
  #taken = 0;

  constructor(isBlocked: () => boolean) {
    this.#isBlocked = isBlocked;
  }

  /** Does the work in its turn. A call that is cancelled while it waits goes ahead, and ends by its own signal. */
  async inTurn<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    if (this.#taken >= atOnce) await new Promise<void>((done) => this.#waiting.push(done));
    else this.#taken += 1;
    try {
      while (this.#isBlocked() && !signal.aborted) await pause(lookEveryMs);
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#taken -= 1;
    }
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds));
}
