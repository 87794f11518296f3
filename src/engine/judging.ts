// Judging one call: when it comes, when its form is known, and once more in the tick in which it is sent.
import { admit, type Standing } from "./admit.ts";
import type { Asking } from "./asking.ts";
import type { Call, Judged, Progress } from "./call.ts";
import { Failure } from "./failure.ts";
import { countUse, refuseOverLimit } from "./limit.ts";
import type { Policy, Store } from "./ports.ts";
import { sameService } from "./same-service.ts";
import { judge, type Sessions } from "./session.ts";
import type { Standings } from "./standing.ts";

export interface JudgingParts {
  readonly policy: Policy;
  readonly store: Store;
  readonly sessions: Sessions;
}

export class Judging {
  readonly #parts: JudgingParts;
  readonly #standings: Standings;
  readonly #asking: Asking;

  constructor(parts: JudgingParts, standings: Standings, asking: Asking) {
    this.#parts = parts;
    this.#standings = standings;
    this.#asking = asking;
  }

  /** What the rules say, whoever asks. */
  refusedByRules(call: Call): Failure | undefined {
    const { policy, sessions } = this.#parts;
    const admission = admit(policy.current().config, "rules-only", call, sessions.now());
    return admission instanceof Failure ? admission : undefined;
  }

  judge(call: Call, form: string | undefined): Judged | Failure {
    const { policy, store, sessions } = this.#parts;
    const { config, generation } = policy.current();
    if (call.by === "nobody" && config.capabilities.has(call.capability)) {
      return new Failure("no_session", "a session token is needed where the key would stand", {
        next: "ask the person for a session, and send its token as the API key",
      });
    }
    const version = store.versionOfTick();
    const session = this.#standings.sessionOf(call);
    const standing: Standing = call.by === "person" ? "rules-only" : { session };
    const wish = form === undefined ? call : { ...call, form };
    const admission = admit(config, standing, wish, sessions.now());
    return admission instanceof Failure ? admission : { admission, session, version, generation };
  }

  /**
   * What is used once or counted is spent under the store's lock. Waiting for the lock comes before the last look
   * at the session: a revocation that another process makes meanwhile must hold.
   */
  lastLook(progress: Progress, before: Judged, isFirst: boolean): Failure | undefined {
    const { store } = this.#parts;
    const { capability, decision } = before.admission;
    const spends = isFirst && (capability.limit !== undefined || decision.effect === "ask");
    if (!spends) {
      const judged = this.#stillStands(progress, before, store.versionOfTick());
      return judged instanceof Failure ? judged : undefined;
    }
    return store.transaction(() => {
      const judged = this.#stillStands(progress, before, store.version());
      return judged instanceof Failure ? judged : this.#spend(progress, judged);
    });
  }

  /** Judges again unless nothing that was looked at has changed. */
  #stillStands(progress: Progress, judged: Judged, version: number): Judged | Failure {
    const { policy, sessions } = this.#parts;
    const same = version === judged.version && policy.current().generation === judged.generation;
    if (same) return (judged.session && judge(judged.session, sessions.now())) ?? judged;
    const again = this.judge(progress.call, progress.form);
    if (again instanceof Failure) return again;
    // A rewritten service or a narrowed rule must not be served with what the old one prepared.
    const before = judged.admission;
    const { service, decision } = again.admission;
    const changed = !sameService(service, before.service) || decision.effect !== before.decision.effect;
    if (!changed) return again;
    return new Failure("too_busy", "the policy changed while this request was on its way", {
      next: "send it again",
    });
  }

  #spend(progress: Progress, judged: Judged): Failure | undefined {
    const { store, sessions } = this.#parts;
    const { capability } = judged.admission;
    const now = sessions.now();
    const limited = refuseOverLimit(store, capability, now);
    if (limited) return limited;
    const refused = progress.call.by === "person" ? undefined : this.#asking.spend(progress, judged);
    if (!refused) countUse(store, capability, now);
    return refused;
  }
}
