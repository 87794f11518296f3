// Answers are held in memory whole until the client has read them: so many are fetched at once, and none while it does
// not read. Calls that wait for a person take no turn.
const mostAtOnce = 32;
const lookEveryMs = 20;

const mostFresh = 8;
const freshMs = 3_000;

const large = 64 * 1024;
/** Bytes of large answers. */
const collectEvery = 2 * 1024 * 1024;
const goesOutMs = 2;

export class Turns {
  readonly #isBlocked: () => boolean;
  readonly #atOnce: number;
  readonly #waiting: (() => void)[] = [];
  #taken = 0;

  constructor(isBlocked: () => boolean, atOnce = mostAtOnce) {
    this.#isBlocked = isBlocked;
    this.#atOnce = atOnce;
  }

  /**
   * Does the work in its turn, which ends with it or before, by `over`. A call that is cancelled while it waits goes
   * ahead, and ends by its own signal.
   */
  async inTurn<T>(signal: AbortSignal, work: () => Promise<T>, over?: () => Promise<void>): Promise<T> {
    if (this.#taken >= this.#atOnce) await new Promise<void>((done) => this.#waiting.push(done));
    else this.#taken += 1;
    const end = this.#turn();
    void over?.().then(end);
    try {
      while (this.#isBlocked() && !signal.aborted) await pause(lookEveryMs);
      return await work();
    } finally {
      end();
    }
  }

  #turn(): () => void {
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      const next = this.#waiting.shift();
      if (next) next();
      else this.#taken -= 1;
    };
  }
}

/**
 * Commands that have just begun write the most, and few of them at once fill the machine. One that goes on makes
 * way for others; requests do not wait for either.
 */
export class CommandTurns {
  readonly #all: Turns;
  readonly #fresh: Turns;
  readonly #answers: LargeAnswers;

  constructor(isBlocked: () => boolean, answers: LargeAnswers) {
    this.#all = new Turns(isBlocked);
    this.#fresh = new Turns(() => false, mostFresh);
    this.#answers = answers;
  }

  inTurn<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const untilOld = async (): Promise<void> => {
      // While answers wait for one another, more of them would only wait with them.
      do await unhurried(freshMs);
      while (this.#answers.isWaiting);
    };
    return this.#all.inTurn(signal, () => this.#fresh.inTurn(signal, work, untilOld));
  }
}

/**
 * An answer on its way is several times as large as its bytes: text, JSON of that, and both in one line. So one large
 * one is made at a time, when the one before it has gone out; until then its bytes wait.
 */
export class LargeAnswers {
  readonly #isWriting: () => boolean;
  readonly #collect: () => void;
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;
  #made = 0;

  /** `collect` gives back the memory of answers that have gone out. */
  constructor(isWriting: () => boolean, collect: () => void) {
    this.#isWriting = isWriting;
    this.#collect = collect;
  }

  get isWaiting(): boolean {
    return this.#waiting > 0;
  }

  async room(bytes: number, signal: AbortSignal): Promise<void> {
    if (bytes < large) return;
    this.#waiting += 1;
    const before = this.#last;
    this.#last = before.then(() => this.#untilWritten(signal));
    await this.#last;
    this.#waiting -= 1;
    this.#made += bytes;
    if (this.#made < collectEvery) return;
    this.#made = 0;
    this.#collect();
  }

  /** The answer before this one had no time to get into the line yet: it is let go first. */
  async #untilWritten(signal: AbortSignal): Promise<void> {
    do await pause(goesOutMs);
    while (this.#isWriting() && !signal.aborted);
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds));
}

/** Nobody stays for this one. */
function unhurried(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds).unref());
}
