// Pieces of answers that clients have not taken yet. Others wait for one that is on its way, but not for a client that
// does not read: it would hold up the agents of everybody else.
const patienceMs = 1_000;

export class Writing {
  readonly #now: () => number;
  /** Since when each is there to be taken. */
  readonly #pieces = new Set<{ readonly since: number }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** What is handed out is called when the piece was taken, or nobody wants it any more. */
  begin(): () => void {
    const piece = { since: this.#now() };
    this.#pieces.add(piece);
    return () => this.#pieces.delete(piece);
  }

  get isGoingOn(): boolean {
    const since = this.#now() - patienceMs;
    for (const piece of this.#pieces) if (piece.since > since) return true;
    return false;
  }
}
