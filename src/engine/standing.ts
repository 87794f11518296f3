// Who stands behind a call: a session by its token, a caller that is given one, a person, or nobody.
import type { Access } from "./access.ts";
import { unknownCapability } from "./admit.ts";
import { type Agents, isAgentToken } from "./agents.ts";
import { type Caller, mayKnow } from "./caller.ts";
import type { Config } from "./config.ts";
import type { Reach } from "./destination.ts";
import { Failure } from "./failure.ts";
import type { Store } from "./ports.ts";
import type { Session, Sessions } from "./session.ts";

/** `person`: a command of janee itself, run by the one who owns the keys. */
export type By =
  | { readonly token: string }
  | { readonly caller: Caller }
  | { readonly session: string }
  | "nobody"
  | "person";

/** What every kind of call says of who makes it. */
export interface Asking {
  readonly surface: string;
  readonly by: By;
  readonly capability: string;
  readonly reason?: string;
}

export interface StandingParts {
  readonly store: Store;
  readonly sessions: Sessions;
  readonly agents: Agents;
}

export class Standings {
  readonly #parts: StandingParts;
  readonly #access: Access;

  constructor(parts: StandingParts, access: Access) {
    this.#parts = parts;
    this.#access = access;
  }

  callerOf({ by }: Asking): Caller | undefined {
    if (typeof by === "string") return undefined;
    if ("caller" in by) return by.caller;
    return "token" in by && isAgentToken(by.token) ? this.#parts.agents.byToken(by.token) : undefined;
  }

  sessionOf({ by, capability }: Asking): Session | undefined {
    if (typeof by === "string") return undefined;
    const { sessions, store } = this.#parts;
    if ("caller" in by) return sessions.live(by.caller.owner, capability);
    return "token" in by
      ? sessions.byToken(by.token, store.versionOfTick())
      : sessions.byId(by.session, store.versionOfTick());
  }

  /** The capabilities that a token or a caller is for; undefined: a token that nobody holds. */
  reachOf(by: By, config: Config): Reach | undefined {
    const none: Pick<Asking, "surface" | "capability"> = { surface: "forward", capability: "" };
    const caller = this.callerOf({ ...none, by });
    if (caller) {
      const names = caller.only ?? config.capabilities.keys();
      return { capabilities: [...names], firstMatch: caller.firstMatch ?? false };
    }
    const session = this.sessionOf({ ...none, by });
    return session && { capabilities: [session.capability], firstMatch: false };
  }

  /** For the audit trail. */
  whose(by: By): { readonly owner: string; readonly agent?: string | undefined } {
    const none: Pick<Asking, "surface" | "capability"> = { surface: "forward", capability: "" };
    const asking = { ...none, by };
    return this.callerOf(asking) ?? this.sessionOf(asking) ?? { owner: "unknown" };
  }

  /** A caller without a live session asks for one. `refused`: what the rules say anyway, so that nobody is bothered. */
  seated<C extends Asking>(
    call: C,
    caller: Caller,
    refused: () => Failure | undefined,
  ): C | Failure | Promise<C | Failure> {
    if (!mayKnow(caller, call.capability)) return unknownCapability();
    const session = this.#access.live(caller.owner, call.capability);
    if (session) return { ...call, by: { session: session.id } };
    return refused() ?? this.#opened(call, caller);
  }

  async #opened<C extends Asking>(call: C, caller: Caller): Promise<C | Failure> {
    const { surface, capability, reason } = call;
    const wish = {
      surface,
      caller,
      capability,
      renew: caller.renews ?? false,
      ...(reason === undefined ? {} : { reason }),
    };
    const opened = await this.#access.open(wish);
    return opened instanceof Failure ? opened : { ...call, by: { session: opened.id } };
  }
}
