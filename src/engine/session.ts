// A session is one owner's time-limited use of one capability.
import type { RowSeal } from "./authentic.ts";
import { Failure } from "./failure.ts";
import { everyone, Holds } from "./holds.ts";
import type { Capability, Clock, Digest, Entropy, Store } from "./ports.ts";
import { Recent } from "./recent.ts";
import { newToken, shortId } from "./token.ts";

export type SessionState = "live" | "ended" | "revoked" | "expired";

export interface Session {
  readonly id: string;
  readonly tokenHash: string;
  /** One stdio process, one agent token, one `janee run` or one `janee grant`. */
  readonly owner: string;
  /** A name for people to read; it decides nothing. */
  readonly agent?: string;
  readonly capability: string;
  readonly reason?: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** Whether a person said yes to this session, or the capability's `autoApprove` did. */
  readonly approvedBy: "person" | "policy";
  readonly state: SessionState;
  readonly endedAt?: number;
  /** `agent` is proven by a token or was named by a person: `allowedAgents` goes by nothing else. */
  readonly agentProven?: boolean;
  /** `ask` rules, as written, that a person answered for the whole session. */
  readonly confirmed?: readonly string[];
}

export interface MintRequest {
  readonly owner: string;
  readonly capability: Capability;
  readonly approvedBy: "person" | "policy";
  readonly ttlMs?: number;
  readonly agent?: string;
  readonly agentProven?: boolean;
  readonly reason?: string;
}

const tokenPattern = /^jns_[0-9A-Za-z]{43}$/;
/** How far a wall clock may run behind the latest time seen before its sessions are no longer trusted. */
const tolerableSetbackMs = 60_000;
const persistTimeEveryMs = 1_000;
/** Sessions in use at once, within reason: one beyond it costs a look into the store each time. */
const mostKnown = 16_384;
/** How long ended sessions and decided approvals can still be listed. */
const rememberMs = 30 * 24 * 3_600_000;

export class Sessions {
  readonly holds: Holds;
  readonly #store: Store;
  readonly #rows: RowSeal;
  readonly #clock: Clock;
  readonly #entropy: Entropy;
  readonly #digest: Digest;
  /** What the store says of a token, for as long as nobody has written to it. */
  readonly #known = new Recent<Session>(mostKnown);
  #knownAt = -1;
  #notedAt = 0;
  readonly #startWall: number;
  readonly #startElapsed: number;

  constructor(store: Store, rows: RowSeal, clock: Clock, entropy: Entropy, digest: Digest) {
    this.#store = store;
    this.#rows = rows;
    this.#clock = clock;
    this.#entropy = entropy;
    this.#digest = digest;
    this.holds = new Holds(store, rows, () => this.now());
    this.#startWall = clock.wall();
    this.#startElapsed = clock.elapsed();
    this.#noticeSetback();
  }

  /** Never runs backwards in one process, whatever is done to the wall clock. */
  now(): number {
    return Math.max(this.#clock.wall(), this.#startWall + this.#clock.elapsed() - this.#startElapsed);
  }

  /** A clock that was set back would revive sessions that had ended: they end for good instead. */
  #noticeSetback(): void {
    const latest = this.#store.latestTime();
    if (this.#startWall >= latest - tolerableSetbackMs) return;
    this.#store.transaction(() => {
      for (const session of this.list()) this.#end(session, "expired", this.#startWall);
      this.#store.setLatestTime(this.#startWall);
    });
  }

  /** Keeps the latest time seen in the store, so that the next process can notice a setback. */
  noteTime(): void {
    const now = this.now();
    if (now - this.#notedAt < persistTimeEveryMs) return;
    this.#notedAt = now;
    if (now - this.#store.latestTime() >= persistTimeEveryMs) this.#store.setLatestTime(now);
  }

  /** `version`: of the store as it is known to the caller; what was read before at that version still holds. */
  byToken(token: string, version = this.#store.version()): Session | undefined {
    this.#forgetAt(version);
    const known = this.#known.get(token);
    if (known) return known;
    if (!tokenPattern.test(token)) return undefined;
    const hash = this.hashOf(token);
    const session = this.#rows.read<Session>("session", this.#store.sessionByToken(hash));
    if (session?.tokenHash !== hash) return undefined;
    this.#known.set(token, session);
    return session;
  }

  /** `version`: as with `byToken`; without it the store is asked. */
  byId(id: string, version?: number): Session | undefined {
    if (version === undefined) return this.#read(id);
    this.#forgetAt(version);
    // No token begins like this, so both can be kept in one place.
    const place = `#${id}`;
    const known = this.#known.get(place) ?? this.#read(id);
    if (known) this.#known.set(place, known);
    return known;
  }

  #forgetAt(version: number): void {
    if (version === this.#knownAt) return;
    this.#known.clear();
    this.#knownAt = version;
  }

  #read(id: string): Session | undefined {
    const session = this.#rows.read<Session>("session", this.#store.sessionById(id));
    return session?.id === id ? session : undefined;
  }

  hashOf(token: string): string {
    return this.#digest.sha256(token);
  }

  isLive(id: string): boolean {
    const session = this.#read(id);
    return session !== undefined && judge(session, this.now()) === undefined;
  }

  list(filter: { readonly ended: boolean } = { ended: false }): Session[] {
    const sessions: Session[] = [];
    for (const stored of this.#store.sessions(filter)) {
      const session = this.#rows.read<Session>("session", stored);
      if (session) sessions.push(session);
    }
    return sessions;
  }

  live(owner: string, capability: string): Session | undefined {
    const session = this.#rows.read<Session>("session", this.#store.liveSession(owner, capability));
    if (!session || session.owner !== owner || session.capability !== capability) return undefined;
    return judge(session, this.now()) === undefined ? session : undefined;
  }

  /** The newest session of this owner, live or not. */
  last(owner: string, capability: string): Session | undefined {
    const session = this.#rows.read<Session>("session", this.#store.lastSession(owner, capability));
    return session?.owner === owner && session.capability === capability ? session : undefined;
  }

  liveOf(owner: string): Session[] {
    const sessions: Session[] = [];
    for (const stored of this.#store.liveSessionsOf(owner)) {
      const session = this.#rows.read<Session>("session", stored);
      if (session?.owner === owner && !judge(session, this.now())) sessions.push(session);
    }
    return sessions;
  }

  /** A new token for a session whose old one nobody holds. */
  rekey(id: string): string | undefined {
    const token = newToken(this.#entropy);
    return this.#store.transaction(() => {
      const session = this.byId(id);
      if (session?.state !== "live") return undefined;
      this.#put({ ...session, tokenHash: this.hashOf(token) });
      return token;
    });
  }

  /** A person answered an `ask` rule for as long as this session lives. */
  confirm(id: string, rule: string): void {
    this.#store.transaction(() => {
      const session = this.byId(id);
      if (session?.state !== "live") return;
      this.#put({ ...session, confirmed: [...(session.confirmed ?? []), rule] });
    });
  }

  mint(request: MintRequest): { session: Session; token: string } {
    const token = newToken(this.#entropy);
    const now = this.now();
    return this.#store.transaction(() => {
      const replaced = this.#rows.read<Session>(
        "session",
        this.#store.liveSession(request.owner, request.capability.name),
      );
      if (replaced) this.#end(replaced, judge(replaced, now) ? "expired" : "ended", now);
      let id = shortId(this.#entropy);
      while (this.#store.sessionById(id)) id = shortId(this.#entropy);
      const session: Session = {
        id,
        tokenHash: this.hashOf(token),
        owner: request.owner,
        capability: request.capability.name,
        createdAt: now,
        expiresAt: now + Math.min(request.ttlMs ?? request.capability.ttlMs, request.capability.ttlMs),
        approvedBy: request.approvedBy,
        state: "live",
        ...(request.agent === undefined ? {} : { agent: request.agent }),
        ...(request.agentProven ? { agentProven: true } : {}),
        ...(request.reason === undefined ? {} : { reason: request.reason }),
      };
      this.#put(session);
      this.#store.setLatestTime(Math.max(now, this.#store.latestTime()));
      return { session, token };
    });
  }

  /**
   * A session by a person's hand. `wasHeld` is what the person was told: when a revocation came since, nothing is
   * minted, or a session would live on after `revoke` had returned.
   */
  grant(
    request: MintRequest,
    wasHeld: boolean,
    capabilities: readonly string[],
  ): { session: Session; token: string } | undefined {
    return this.#store.transaction(() => {
      if (this.holds.held("", request.capability.name) !== wasHeld) return undefined;
      if (wasHeld) this.holds.lift("", request.capability.name, capabilities);
      return this.mint(request);
    });
  }

  /** A person said yes to a session that policy alone had let in. */
  approve(id: string): void {
    this.#store.transaction(() => {
      const session = this.byId(id);
      if (session?.state === "live") this.#put({ ...session, approvedBy: "person" });
    });
  }

  /** Ends without holding: the agent's own end, a command that finished, a closed stdin. */
  end(id: string): Session | undefined {
    return this.#store.transaction(() => {
      const session = this.byId(id);
      return session?.state === "live" ? this.#end(session, "ended", this.now()) : undefined;
    });
  }

  /** Ends and holds that owner and capability: the next request asks a person. */
  revoke(id: string): Session | undefined {
    return this.#store.transaction(() => {
      const session = this.byId(id);
      if (session?.state !== "live") return undefined;
      this.holds.put(session.owner, session.capability);
      return this.#end(session, "revoked", this.now());
    });
  }

  /** Ends every live session, of one capability or of all, and holds everyone. */
  revokeEvery(capability: string | undefined): Session[] {
    return this.#store.transaction(() => {
      const ended: Session[] = [];
      for (const session of this.list()) {
        if (capability !== undefined && session.capability !== capability) continue;
        ended.push(this.#end(session, "revoked", this.now()));
      }
      if (capability === undefined) this.holds.putEverywhere();
      else this.holds.put(everyone, capability);
      return ended;
    });
  }

  /** Marks what has expired, and forgets what ended long ago: the store does not grow without end. */
  tidy(): void {
    const now = this.now();
    this.#store.transaction(() => {
      for (const stored of this.#store.overdueSessions(now)) {
        const session = this.#rows.read<Session>("session", stored);
        if (session && judge(session, now)?.code === "session_expired") this.#end(session, "expired", now);
      }
      this.#store.forgetBefore(now - rememberMs);
    });
  }

  #end(session: Session, state: SessionState, at: number): Session {
    const ended = { ...session, state, endedAt: at };
    this.#put(ended);
    return ended;
  }

  #put(session: Session): void {
    const { id, tokenHash, owner, capability, state, endedAt, expiresAt } = session;
    const key = { id, tokenHash, owner, capability, live: state === "live", until: endedAt ?? expiresAt };
    this.#store.putSession(key, this.#rows.write("session", session));
  }
}

/** Why a session cannot be used at this instant; undefined when it can. */
export function judge(session: Session, now: number): Failure | undefined {
  const next = "ask the person for a new session";
  if (session.state === "revoked")
    return new Failure("session_revoked", "this session was revoked", { next });
  if (session.state === "ended") return new Failure("session_ended", "this session has ended", { next });
  const expired = session.state === "expired" || now >= session.expiresAt;
  if (expired) return new Failure("session_expired", "this session has expired", { next });
  if (now < session.createdAt - tolerableSetbackMs) {
    return new Failure("session_expired", "the clock was set back to before this session began", { next });
  }
  return undefined;
}
