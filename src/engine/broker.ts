// The one pipeline: admit → ask → open → record → send → scrub → record. Every face comes through here.
import { Access, type AccessWish } from "./access.ts";
import type { Agents } from "./agents.ts";
import type { Approval, Approvals, Verdict } from "./approval.ts";
import { Asking } from "./asking.ts";
import type { AuditTrail } from "./audit.ts";
import type { Call, Judged, Progress, Reply } from "./call.ts";
import type { Caller } from "./caller.ts";
import { Consent, type Way } from "./consent.ts";
import type { Reach } from "./destination.ts";
import type { CommandCall, CommandReply } from "./exec/call.ts";
import { Commands } from "./exec/commands.ts";
import { Failure } from "./failure.ts";
import { type Flight, InFlight } from "./in-flight.ts";
import { IssuedCredentials } from "./issued/issued.ts";
import { Judging } from "./judging.ts";
import { refuseOverLimit } from "./limit.ts";
import { checkPlaceholders, type Placeholders, type Strayed } from "./placeholder.ts";
import type { Clock, Decoder, Digest, Entropy, Lifeline, Policy, Spawner, Store, Upstream } from "./ports.ts";
import type { PreparedServices } from "./prepared.ts";
import { readFirst } from "./read-first.ts";
import { Replying } from "./replying.ts";
import { Sending } from "./sending.ts";
import type { Session, Sessions } from "./session.ts";
import { Standings } from "./standing.ts";
import { type Observed, refusedAccess, refusedCall, Trail } from "./trail.ts";
import { type Passage, Tunnels } from "./tunnels.ts";
import { Withdrawals } from "./withdrawals.ts";

export interface BrokerParts {
  readonly policy: Policy;
  readonly store: Store;
  readonly sessions: Sessions;
  readonly approvals: Approvals;
  readonly agents: Agents;
  readonly services: PreparedServices;
  readonly upstream: Upstream;
  readonly decoder: Decoder;
  readonly audit: AuditTrail;
  readonly digest: Digest;
  readonly entropy: Entropy;
  readonly spawner: Spawner;
  readonly clock: Clock;
  readonly placeholders: Placeholders;
  /** Told how each request ended. */
  readonly observe?: (entry: Observed) => void;
}

export type EndTunnel = (bytes: { readonly bytesIn: number; readonly bytesOut: number }) => Promise<void>;

/** Bodies of up to 8 MiB each. */
const mostReadFirst = 32;
export class Broker {
  readonly #parts: BrokerParts;
  readonly #trail: Trail;
  readonly #asking: Asking;
  readonly #access: Access;
  readonly #consent: Consent;
  readonly #standings: Standings;
  readonly #commands: Commands;
  readonly #judging: Judging;
  readonly #sending: Sending;
  readonly #replying: Replying;
  readonly #withdrawals: Withdrawals;
  readonly #tunnels: Tunnels;
  readonly #inFlight = new InFlight();
  #readingFirst = 0;

  constructor(parts: BrokerParts) {
    this.#parts = parts;
    this.#trail = new Trail({ ...parts, now: () => parts.sessions.now() });
    const issued = new IssuedCredentials(parts.entropy, (id) => parts.sessions.isLive(id));
    this.#asking = new Asking(parts.approvals, parts.sessions, this.#trail);
    this.#withdrawals = new Withdrawals(parts);
    this.#access = new Access(parts, this.#asking, this.#trail);
    this.#consent = new Consent(parts, this.#trail);
    this.#standings = new Standings(parts, this.#access);
    this.#tunnels = new Tunnels(parts, this.#standings);
    this.#judging = new Judging(parts, this.#standings, this.#asking);
    this.#sending = new Sending(parts, this.#judging, issued);
    this.#replying = new Replying(parts, this.#trail, issued);
    const shared = { trail: this.#trail, questions: this.#asking, inFlight: this.#inFlight };
    this.#commands = new Commands(parts, { ...shared, standings: this.#standings });
  }

  /** A session for a caller that asks for one. */
  async requestAccess(wish: Omit<AccessWish, "renew">): Promise<Session | Failure> {
    const opened = await this.#access.open({ ...wish, renew: true });
    if (opened instanceof Failure) await this.#trail.refuse(refusedAccess(this.#trail.newId(), wish), opened);
    return opened;
  }

  /** A token by which HTTP clients can use a session that was opened without one. */
  tokenOf(session: Session): string | undefined {
    return this.#access.tokenOf(session);
  }

  /** Ends a session of this caller by its own wish: no hold comes of it. */
  async endSession(id: string, surface: string, caller: Caller): Promise<Session | Failure> {
    const ended = await this.#access.end(id, surface, caller);
    if (!(ended instanceof Failure)) this.recheckInFlight();
    return ended;
  }

  async endSessionsOf(caller: Caller, surface: string): Promise<void> {
    for (const { id } of this.#parts.sessions.liveOf(caller.owner))
      await this.endSession(id, surface, caller);
  }

  /** When all that was let through has ended, and its last line is written. */
  async idle(): Promise<void> {
    await this.#inFlight.idle();
    await this.#tunnels.idle();
  }

  /** A person's answer to a question that waits; undefined: it waits no more. */
  decide(id: string, verdict: Verdict, way: Way): Promise<Approval | Failure | undefined> {
    return this.#consent.decide(id, verdict, way);
  }

  /** A command instead of a request. */
  run(call: CommandCall): Promise<CommandReply | Failure> {
    return this.#commands.run(call);
  }

  /** The capabilities that a token or a caller is for; undefined: a token that nobody holds. */
  reachOf(by: Call["by"]): Reach | undefined {
    return this.#standings.reachOf(by, this.#parts.policy.current().config);
  }

  async handle(asked: Call): Promise<Reply | Failure> {
    const id = this.#trail.newId();
    const caller = this.#standings.callerOf(asked);
    const seated = caller
      ? this.#standings.seated(asked, caller, () => this.#judging.refusedByRules(asked))
      : asked;
    const call = seated instanceof Promise ? await seated : seated;
    if (call instanceof Failure) return this.#refuse(id, asked, call);
    const judged = this.#judging.judge(call, undefined);
    if (judged instanceof Failure) return this.#refuse(id, call, judged);
    const strayed = this.#checkPlaceholders(call, judged);
    if (strayed) {
      const { failure, isAlarm } = strayed;
      if (isAlarm) await this.#trail.alarm(refusedCall(id, call, judged.session, judged), failure);
      return this.#refuse(id, call, failure, judged);
    }
    const startedAt = this.#parts.sessions.now();
    const { body } = call;
    const unread: Progress = {
      id,
      call,
      startedAt,
      body,
      form: undefined,
      digest: undefined,
      preview: undefined,
    };
    const reading = this.#readFirst(unread, judged);
    const progress = reading instanceof Promise ? await reading : reading;
    if (progress instanceof Failure) return this.#refuse(id, call, progress, judged);
    const flight: Flight = { call, capability: judged.admission.capability.name, session: judged.session };
    this.#inFlight.begin(flight);
    let goesOn = false;
    try {
      const reply = await this.#perform(progress, judged);
      if (!(reply instanceof Failure) && reply.socket) {
        goesOn = true;
        const frames = this.#inFlight.untilEnd(reply.socket.frames, flight);
        return { ...reply, socket: { ...reply.socket, frames } };
      }
      if (reply instanceof Failure || reply.body.kind !== "stream") return reply;
      goesOn = true;
      const chunks = this.#inFlight.untilEnd(reply.body.chunks, flight);
      return { ...reply, body: { kind: "stream", length: reply.body.length, chunks } };
    } finally {
      if (!goesOn) this.#inFlight.end(flight);
    }
  }

  #checkPlaceholders({ fields, target }: Call, { admission, session }: Judged): Strayed | undefined {
    const { placeholders, policy } = this.#parts;
    const carrying = { owner: session?.owner ?? "person", service: admission.service, target, fields };
    const services = policy.current().config.services.values();
    return checkPlaceholders(placeholders, { ...carrying, services });
  }

  /** Bodies that are read whole share a bounded memory. No promise where nothing is to be read. */
  #readFirst(unread: Progress, judged: Judged): Progress | Failure | Promise<Progress | Failure> {
    if (this.#readingFirst >= mostReadFirst) {
      return new Failure("too_busy", "too many bodies are being read at once", { retryAfter: 1 });
    }
    const reading = readFirst(unread, judged, this.#parts.digest);
    if (!(reading instanceof Promise)) return reading;
    this.#readingFirst += 1;
    return reading.finally(() => {
      this.#readingFirst -= 1;
    });
  }

  /** A request that never became a call: malformed, foreign, or without a capability. */
  async refuseUnread(
    surface: string,
    peer: string,
    failure: Failure,
    method = "",
    target = "",
  ): Promise<void> {
    await this.#trail.refuse({ id: this.#trail.newId(), surface, peer, method, target }, failure);
  }

  /** Whether this one may have a tunnel: a session that has ended or was revoked has none. */
  passageFor(by: Call["by"]): Passage | undefined {
    return this.#tunnels.passageFor(by);
  }

  /** Bytes that pass unread to where no capability is. Nothing passes that is not written down. */
  async beginTunnel(
    surface: string,
    passage: Passage,
    path: string,
    lifeline: Lifeline,
  ): Promise<EndTunnel | Failure> {
    const { owner, agent } = this.#standings.whose(passage.by);
    const startedAt = this.#parts.sessions.now();
    const tunnel = { event: "tunnel", surface, owner, method: "CONNECT", path } as const;
    const who = agent === undefined ? tunnel : { ...tunnel, agent };
    const unwritten = await this.#trail.note({ ...who, outcome: "opened" });
    if (unwritten) return unwritten;
    this.#tunnels.begin(passage, lifeline);
    return async (bytes) => {
      const durationMs = Math.round(this.#parts.sessions.now() - startedAt);
      await this.#trail.note({ ...who, outcome: "ended", durationMs, ...bytes });
      this.#tunnels.end(passage);
    };
  }

  /** Ends calls in flight whose session or capability is gone, and gives back tokens that were revoked with it. Run many times a second. */
  recheckInFlight(): void {
    this.#withdrawals.look();
    this.#tunnels.recheck();
    const { policy, store, sessions } = this.#parts;
    this.#inFlight.recheck({
      policy,
      store,
      now: sessions.now(),
      sessionOf: (call) => this.#standings.sessionOf(call),
    });
  }

  writeRefusalCounts(): Promise<void> {
    return this.#trail.writeRefusalCounts();
  }

  async #perform(progress: Progress, first: Judged): Promise<Reply | Failure> {
    const { sessions, services, store } = this.#parts;
    const { id, call, form } = progress;
    const judged = form === undefined ? first : this.#judging.judge(call, form);
    if (judged instanceof Failure) return this.#refuse(id, call, judged, first);
    const { capability, service } = judged.admission;
    const known = services.known(service);
    const prepared = known ?? (await services.prepare(service));
    if (prepared instanceof Failure) return this.#refuse(id, call, prepared, judged);
    const refused =
      this.#asking.unapproved(progress, judged, prepared) ??
      refuseOverLimit(store, capability, sessions.now());
    if (refused) return this.#refuse(id, call, refused, judged);

    const story = this.#trail.story(progress, judged, prepared);
    const unwritten = await this.#trail.begin(progress, story);
    if (unwritten) return unwritten;
    const reply = await this.#sending.send(progress, judged, prepared);
    if (reply instanceof Failure) return this.#replying.conclude(progress, story, reply);
    return this.#replying.answer(progress, story, judged, prepared, reply);
  }

  async #refuse(id: string, call: Call, failure: Failure, judged?: Judged): Promise<Failure> {
    await this.#trail.refuse(refusedCall(id, call, this.#standings.sessionOf(call), judged), failure);
    return failure;
  }
}
