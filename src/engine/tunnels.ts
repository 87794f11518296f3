// Tunnels to where no capability is: who may have one, and until when. They carry no credential, but a revocation ends them
// with everything else of the one whom it concerns.
import { Failure } from "./failure.ts";
import type { Lifeline, Policy, Store } from "./ports.ts";
import { judge, type Sessions } from "./session.ts";
import type { By, Standings } from "./standing.ts";

export interface TunnelParts {
  readonly policy: Policy;
  readonly store: Store;
  readonly sessions: Sessions;
}

/** That one may have a tunnel, from when it was asked for. */
export class Passage {
  readonly by: By;
  readonly #stands: () => boolean;

  constructor(by: By, stands: () => boolean) {
    this.by = by;
    this.#stands = stands;
  }

  /** Asked for each piece: what was true when the tunnel was opened need not be true any more. */
  get stands(): boolean {
    return this.#stands();
  }
}

export class Tunnels {
  readonly #parts: TunnelParts;
  readonly #standings: Standings;
  readonly #open = new Map<Passage, Lifeline>();
  readonly #waiting: (() => void)[] = [];

  constructor(parts: TunnelParts, standings: Standings) {
    this.#parts = parts;
    this.#standings = standings;
  }

  passageFor(by: By): Passage | undefined {
    const { policy, store, sessions } = this.#parts;
    const since = sessions.now();
    let looked = { version: -1, generation: -1, stands: false };
    const passage = new Passage(by, () => {
      const { generation } = policy.current();
      const version = store.versionOfTick();
      if (version !== looked.version || generation !== looked.generation) {
        looked = { version, generation, stands: this.#isOpenTo(by, since) };
      }
      return looked.stands && !this.#hasExpired(by);
    });
    return passage.stands ? passage : undefined;
  }

  begin(passage: Passage, lifeline: Lifeline): void {
    this.#open.set(passage, lifeline);
  }

  end(passage: Passage): void {
    this.#open.delete(passage);
    if (this.#open.size > 0) return;
    for (const done of this.#waiting.splice(0)) done();
  }

  /** When none stands, and the last line of each is written. */
  async idle(): Promise<void> {
    if (this.#open.size === 0) return;
    await new Promise<void>((done) => this.#waiting.push(done));
  }

  /** Also where nothing moves a tunnel ends with what let it be opened. */
  recheck(): void {
    for (const [passage, lifeline] of this.#open) {
      if (!passage.stands)
        lifeline.cut(new Failure("session_ended", "what this tunnel was opened with is gone"));
    }
  }

  /** A session's for as long as it lives; a caller's while something is left to it, and nothing was taken from it since. */
  #isOpenTo(by: By, since: number): boolean {
    const { policy, sessions } = this.#parts;
    const asking = { surface: "forward", capability: "", by };
    const caller = this.#standings.callerOf(asking);
    if (!caller) return this.#standings.sessionOf(asking) !== undefined;
    const { capabilities = [] } = this.#standings.reachOf(by, policy.current().config) ?? {};
    const { holds } = sessions;
    const isLeft = capabilities.some((name) => !holds.held(caller.owner, name));
    return isLeft && !holds.anySince(caller.owner, capabilities, since);
  }

  #hasExpired(by: By): boolean {
    const asking = { surface: "forward", capability: "", by };
    if (this.#standings.callerOf(asking)) return false;
    const session = this.#standings.sessionOf(asking);
    return session === undefined || judge(session, this.#parts.sessions.now()) !== undefined;
  }
}
