// How a caller comes to a session: by policy alone, or by a person's yes. Nothing else mints one for an agent.
import type { Agents } from "./agents.ts";
import type { Approvals, Question } from "./approval.ts";
import type { Asking } from "./asking.ts";
import { type Caller, mayKnow } from "./caller.ts";
import type { Capability, Service } from "./config.ts";
import { Failure } from "./failure.ts";
import type { Policy, Store } from "./ports.ts";
import type { PreparedServices } from "./prepared.ts";
import { judge, type Session, type Sessions } from "./session.ts";
import type { Trail } from "./trail.ts";

export interface AccessParts {
  readonly policy: Policy;
  readonly store: Store;
  readonly sessions: Sessions;
  readonly approvals: Approvals;
  readonly agents: Agents;
  readonly services: PreparedServices;
}

export interface AccessWish {
  readonly surface: string;
  readonly caller: Caller;
  readonly capability: string;
  readonly reason?: string;
  /** The caller asks for access as such, so a session that has expired is replaced. */
  readonly renew: boolean;
}

/** Live sessions of one caller. */
const mostSessions = 100;
const mostKnown = 1024;

export class Access {
  readonly #parts: AccessParts;
  readonly #asking: Asking;
  readonly #trail: Trail;
  /** Tokens that were handed out for sessions, as long as these live. */
  readonly #tokens = new Map<string, string>();
  /** The newest session of each owner and capability, for as long as nobody has written to the store. */
  readonly #newest = new Map<string, Session>();
  #newestAt = -1;

  constructor(parts: AccessParts, asking: Asking, trail: Trail) {
    this.#parts = parts;
    this.#asking = asking;
    this.#trail = trail;
  }

  /** The session that lives, or a new one where policy or a person lets the caller have one. */
  async open(wish: AccessWish): Promise<Session | Failure> {
    const { policy, sessions, services } = this.#parts;
    const { config } = policy.current();
    const capability = config.capabilities.get(wish.capability);
    const service = capability && config.services.get(capability.service);
    if (!capability || !service || !mayKnow(wish.caller, wish.capability)) {
      return new Failure("unknown_capability", "there is no capability of this name", {
        next: "list_capabilities shows those there are",
      });
    }
    const last = this.#last(wish.caller.owner, capability.name);
    const problem = last && judge(last, sessions.now());
    if (last && !problem) return last;
    if (problem?.code === "session_expired" && !wish.renew) {
      return new Failure("session_expired", "this session has expired", { next: "call request_access" });
    }
    const refused = refuseCaller(wish, capability) ?? this.#refuseMore(wish.caller);
    if (refused) return refused;
    const minted = this.#mint(wish, capability, undefined);
    if (minted) return this.#noted(wish, minted, service);
    if (!this.#parts.agents.stands(wish.caller)) {
      return new Failure("session_unknown", "this agent's token was taken away", {
        next: "ask the person for a new one",
      });
    }

    const scrubber = await services.scrubber(service);
    if (scrubber instanceof Failure) return scrubber;
    const question = questionOf(wish, capability);
    const unapproved = this.#asking.ask(question, scrubber);
    if (unapproved) return unapproved;
    const approved = this.#mint(wish, capability, question);
    if (approved) return this.#noted(wish, approved, service);
    return new Failure("session_revoked", "this was revoked after a person had said yes", {
      next: "ask again, if it is still wanted",
    });
  }

  live(owner: string, capability: string): Session | undefined {
    const last = this.#last(owner, capability);
    return last && !judge(last, this.#parts.sessions.now()) ? last : undefined;
  }

  /** The token that was handed out for this session, or a new one. */
  tokenOf({ id }: Session): string | undefined {
    const known = this.#tokens.get(id);
    if (known !== undefined) return known;
    for (const other of this.#tokens.keys()) {
      const session = this.#parts.sessions.byId(other);
      if (!session || judge(session, this.#parts.sessions.now())) this.#tokens.delete(other);
    }
    const token = this.#parts.sessions.rekey(id);
    if (token !== undefined) this.#tokens.set(id, token);
    return token;
  }

  async end(id: string, surface: string, caller: Caller): Promise<Session | Failure> {
    const { sessions, policy } = this.#parts;
    const mine = sessions.byId(id)?.owner === caller.owner;
    const ended = mine ? sessions.end(id) : undefined;
    if (!ended) return new Failure("not_found", "this agent has no live session of this id");
    const { owner, capability } = ended;
    const service = policy.current().config.capabilities.get(capability)?.service;
    const unwritten = await this.#trail.note({
      ...{ event: "session", surface, outcome: "ended", owner, session: id, capability },
      ...(service === undefined ? {} : { service }),
    });
    return unwritten ?? ended;
  }

  #last(owner: string, capability: string): Session | undefined {
    const { store, sessions } = this.#parts;
    const version = store.versionOfTick();
    if (version !== this.#newestAt || this.#newest.size >= mostKnown) this.#newest.clear();
    this.#newestAt = version;
    const place = `${owner} ${capability}`;
    const session = this.#newest.get(place) ?? sessions.last(owner, capability);
    if (session) this.#newest.set(place, session);
    return session;
  }

  #refuseMore(caller: Caller): Failure | undefined {
    if (this.#parts.sessions.liveOf(caller.owner).length < mostSessions) return undefined;
    return new Failure("too_many_sessions", `${mostSessions} sessions of this agent are live already`, {
      next: "end_session ends one that is no longer needed",
    });
  }

  /** Under one lock: whether a person is needed, the use of what a person said, and the new session. */
  #mint(wish: AccessWish, capability: Capability, answered: Question | undefined): Session | undefined {
    const { store, sessions, approvals, agents } = this.#parts;
    const { owner, agent, agentProven, ttlMs } = wish.caller;
    return store.transaction(() => {
      // A session that began after its agent was removed would outlive the removal.
      if (!agents.stands(wish.caller)) return undefined;
      const live = sessions.live(owner, capability.name);
      if (live) return live;
      const held = sessions.holds.held(owner, capability.name);
      if (answered) {
        const approval = approvals.find(answered);
        // A yes lifts the hold that stood when it was given: one that stands now came later, and outranks it.
        if (!approval || !approvals.use(approval.id) || held) return undefined;
      } else if (!capability.autoApprove || held) return undefined;
      return sessions.mint({
        owner,
        capability,
        approvedBy: answered ? "person" : "policy",
        ...(ttlMs === undefined ? {} : { ttlMs }),
        ...(agent === undefined ? {} : { agent }),
        ...(agentProven ? { agentProven } : {}),
        ...(wish.reason === undefined ? {} : { reason: wish.reason }),
      }).session;
    });
  }

  async #noted(wish: AccessWish, session: Session, service: Service): Promise<Session | Failure> {
    const { id, owner, agent, capability, reason } = session;
    const unwritten = await this.#trail.note({
      ...{ event: "session", surface: wish.surface, outcome: "opened", owner, session: id, capability },
      service: service.name,
      decision: session.approvedBy === "person" ? "approved" : "allow",
      ...(agent === undefined ? {} : { agent }),
      ...(reason === undefined ? {} : { reason }),
    });
    if (!unwritten) return session;
    this.#parts.sessions.end(id);
    return unwritten;
  }
}

function refuseCaller({ caller, reason }: AccessWish, capability: Capability): Failure | undefined {
  const agents = capability.allowedAgents;
  if (agents && !(caller.agentProven && agents.includes(caller.agent ?? ""))) {
    return new Failure("agent_not_allowed", `"${capability.name}" is not for this agent`, {
      next: "ask the person, who can give this agent a token of its own or grant a session",
    });
  }
  if (capability.requireReason && !reason) {
    return new Failure("reason_required", `"${capability.name}" wants a reason with each session`, {
      next: "say in `reason` what it is for",
    });
  }
  return undefined;
}

function questionOf({ caller, reason }: AccessWish, capability: Capability): Question {
  return {
    kind: "session",
    owner: caller.owner,
    ...(caller.agent === undefined ? {} : { agent: caller.agent }),
    capability: capability.name,
    service: capability.service,
    ttlMs: capability.ttlMs,
    ...(reason === undefined ? {} : { reason }),
  };
}
