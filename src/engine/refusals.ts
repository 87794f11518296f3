/** How many refusals of one peer are written a minute; further ones are counted in one line a second. */
const linesPerMinute = 100;
const minuteMs = 60_000;
const mostPeers = 10_000;

interface Tally {
  since: number;
  written: number;
  uncounted: number;
}

/** Keeps a flood of bad requests from becoming a flood of audit lines. */
export class RefusalMeter {
  readonly #peers = new Map<string, Tally>();

  /** True when this refusal gets a line of its own; otherwise it is counted. */
  takesLine(peer: string, now: number): boolean {
    let tally = this.#peers.get(peer);
    if (!tally) {
      if (this.#peers.size >= mostPeers) this.#makeRoom();
      tally = { since: now, written: 0, uncounted: 0 };
      this.#peers.set(peer, tally);
    }
    if (now - tally.since >= minuteMs) {
      tally.since = now;
      tally.written = 0;
    }
    if (tally.written < linesPerMinute) {
      tally.written += 1;
      return true;
    }
    tally.uncounted += 1;
    return false;
  }

  /** Forgets the peers of which nothing is left to say, or all when that is not enough. */
  #makeRoom(): void {
    for (const [peer, { uncounted }] of this.#peers) if (uncounted === 0) this.#peers.delete(peer);
    if (this.#peers.size >= mostPeers) this.#peers.clear();
  }

  /** The counts since the last time, a peer each. */
  drain(): { peer: string; count: number }[] {
    const counts: { peer: string; count: number }[] = [];
    for (const [peer, tally] of this.#peers) {
      if (tally.uncounted === 0) continue;
      counts.push({ peer, count: tally.uncounted });
      tally.uncounted = 0;
    }
    return counts;
  }
}
