// The one pipeline: admit → ask → open → record → send → scrub → record. Every face comes through here.
import { Access, type AccessWish } from "./access.ts";
import { type Admission, admit, type Standing } from "./admit.ts";
import type { Agents } from "./agents.ts";
import type { Approval, Approvals, Verdict } from "./approval.ts";
import { Asking } from "./asking.ts";
import type { AuditTrail } from "./audit.ts";
import { bodyLength, collect } from "./bodies.ts";
import type { Call, Judged, Progress, Reply } from "./call.ts";
import type { Caller } from "./caller.ts";
import { Consent, type Way } from "./consent.ts";
import type { Reach } from "./destination.ts";
import type { Story } from "./entry.ts";
import type { CommandCall, CommandReply } from "./exec/call.ts";
import { Commands } from "./exec/commands.ts";
import { Failure } from "./failure.ts";
import { type Flight, InFlight } from "./in-flight.ts";
import { IssuedCredentials } from "./issued/issued.ts";
import { maskReply } from "./issued/mask-reply.ts";
import type { Stand } from "./issued/substitute.ts";
import { countUse, refuseOverLimit } from "./limit.ts";
import { noticeOf } from "./notice.ts";
import { type Outgoing, outgoing } from "./outgoing.ts";
import { checkPlaceholders, type Placeholders, type Strayed } from "./placeholder.ts";
import type {
  Clock,
  Decoder,
  Digest,
  Entropy,
  Policy,
  Spawner,
  Store,
  Upstream,
  UpstreamReply,
  UpstreamRequest,
  UpstreamSocket,
} from "./ports.ts";
import type { Prepared, PreparedServices } from "./prepared.ts";
import { readFirst } from "./read-first.ts";
import { sameService } from "./same-service.ts";
import type { Scrubber } from "./scrub.ts";
import { boundaryOf, scrubReply, scrubStream } from "./scrub-reply.ts";
import { judge, type Session, type Sessions } from "./session.ts";
import { Standings } from "./standing.ts";
import { type Observed, refusedAccess, refusedCall, Trail } from "./trail.ts";
import { isAgreed } from "./websocket/handshake.ts";
import { relay } from "./websocket/relay.ts";
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
/** What is safe to send twice (RFC 9110 section 9.2.2). */
const repeatable = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]);
const longestChallenge = 256 * 1024;

export class Broker {
  readonly #parts: BrokerParts;
  readonly #trail: Trail;
  readonly #asking: Asking;
  readonly #access: Access;
  readonly #consent: Consent;
  readonly #standings: Standings;
  readonly #commands: Commands;
  readonly #withdrawals: Withdrawals;
  readonly #inFlight = new InFlight();
  readonly #issued: IssuedCredentials;
  #readingFirst = 0;

  constructor(parts: BrokerParts) {
    this.#parts = parts;
    this.#trail = new Trail({ ...parts, now: () => parts.sessions.now() });
    this.#issued = new IssuedCredentials(parts.entropy, (id) => this.#isLive(id));
    this.#asking = new Asking(parts.approvals, parts.sessions, this.#trail);
    this.#withdrawals = new Withdrawals(parts);
    this.#access = new Access(parts, this.#asking, this.#trail);
    this.#consent = new Consent(parts, this.#trail);
    this.#standings = new Standings(parts, this.#access);
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
  idle(): Promise<void> {
    return this.#inFlight.idle();
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
    const seated = caller ? this.#standings.seated(asked, caller, () => this.#refusedByRules(asked)) : asked;
    const call = seated instanceof Promise ? await seated : seated;
    if (call instanceof Failure) return this.#refuse(id, asked, call);
    const judged = this.#judge(call, undefined);
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

  #isLive(id: string): boolean {
    const { sessions } = this.#parts;
    const session = sessions.byId(id);
    return session !== undefined && judge(session, sessions.now()) === undefined;
  }

  #checkPlaceholders({ fields, target }: Call, { admission, session }: Judged): Strayed | undefined {
    const { placeholders, policy } = this.#parts;
    const carrying = { owner: session?.owner ?? "person", service: admission.service, target, fields };
    const services = policy.current().config.services.values();
    return checkPlaceholders(placeholders, { ...carrying, services });
  }

  /** What stands for the service's own credential in this session, where that is one value. */
  #ownPlaceholder({ admission, session }: Judged, { secrets }: Prepared): Stand | undefined {
    const [secret, ...others] = secrets.values();
    if (!secret || others.length > 0 || !session) return undefined;
    return { placeholder: this.#parts.placeholders.of(session.owner, admission.service), secret };
  }

  #refusedByRules(call: Call): Failure | undefined {
    const { policy, sessions } = this.#parts;
    const admission = admit(policy.current().config, "rules-only", call, sessions.now());
    return admission instanceof Failure ? admission : undefined;
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

  /** Whether bytes of this one may pass through a tunnel: a session that has ended or was revoked has none. */
  mayTunnel(by: Call["by"]): boolean {
    return this.#standings.isLive(by);
  }

  /** Bytes that pass unread to where no capability is. Nothing passes that is not written down. */
  async beginTunnel(surface: string, by: Call["by"], path: string): Promise<EndTunnel | Failure> {
    const { owner, agent } = this.#standings.whose(by);
    const startedAt = this.#parts.sessions.now();
    const tunnel = { event: "tunnel", surface, owner, method: "CONNECT", path } as const;
    const who = agent === undefined ? tunnel : { ...tunnel, agent };
    const unwritten = await this.#trail.note({ ...who, outcome: "opened" });
    return (
      unwritten ??
      (async (bytes) => {
        const durationMs = Math.round(this.#parts.sessions.now() - startedAt);
        await this.#trail.note({ ...who, outcome: "ended", durationMs, ...bytes });
      })
    );
  }

  /** Ends calls in flight whose session or capability is gone, and gives back tokens that were revoked with it. Run many times a second. */
  recheckInFlight(): void {
    this.#withdrawals.look();
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

  #judge(call: Call, form: string | undefined): Judged | Failure {
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

  async #perform(progress: Progress, first: Judged): Promise<Reply | Failure> {
    const { sessions, services, store } = this.#parts;
    const { id, call, form } = progress;
    const judged = form === undefined ? first : this.#judge(call, form);
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
    const reply = await this.#send(progress, judged, prepared);
    if (reply instanceof Failure) return this.#conclude(progress, story, reply);
    return this.#answer(progress, story, judged, prepared, reply);
  }

  async #send(progress: Progress, before: Judged, prepared: Prepared): Promise<UpstreamReply | Failure> {
    const { upstream, policy, clock } = this.#parts;
    const { lifeline, fields } = progress.call;
    const { service } = before.admission;
    const session = before.session?.id ?? "";
    const resolve = (placeholder: string) => this.#issued.resolve(placeholder, session, service);
    const identity = "made" in prepared.credential ? prepared.credential.made.identity : undefined;
    let how: "pooled" | "fresh" = "pooled";
    let isFirst = true;
    let challenged = false;
    for (;;) {
      if (lifeline.cutBy) return lifeline.cutBy;
      const { network } = policy.current().config;
      const kept = how === "pooled" ? upstream.pooled(service, network, identity) : undefined;
      const connection = kept ?? (await upstream.connect(service, network, lifeline, identity));
      if (connection instanceof Failure) return connection;
      // From here to the first byte nothing else can run: what is checked and signed now is true when it is sent.
      const refused = this.#lastLook(progress, before, isFirst);
      const sent = { fields, body: progress.body, own: () => this.#ownPlaceholder(before, prepared) };
      const made = refused ?? outgoing(before.admission, sent, prepared, resolve, clock.wall());
      if (made instanceof Failure) {
        connection.release();
        return made;
      }
      isFirst = false;
      const wasReused = connection.reused;
      const { upgrade } = progress.call;
      const request = upgrade === undefined ? made.request : { ...made.request, upgrade };
      const reply = await connection.send(request, lifeline);
      if (reply instanceof Failure) {
        const closed = reply.code === "upstream_closed" && wasReused && how === "pooled";
        if (!closed || !mayRepeat(before.admission, made.request)) return reply;
        how = "fresh";
        continue;
      }
      if (challenged || !isChallenge(reply, made, prepared)) {
        if (reply.status === 401) this.#parts.services.refused(service, prepared);
        return reply;
      }
      challenged = true;
      await collect(reply.body, longestChallenge);
    }
  }

  /**
   * What is used once or counted is spent under the store's lock. Waiting for the lock comes before the last look
   * at the session: a revocation that another process makes meanwhile must hold.
   */
  #lastLook(progress: Progress, before: Judged, isFirst: boolean): Failure | undefined {
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
    const again = this.#judge(progress.call, progress.form);
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

  async #answer(
    progress: Progress,
    story: Story,
    judged: Judged,
    prepared: Prepared,
    answer: UpstreamReply,
  ): Promise<Reply | Failure> {
    const { decoder } = this.#parts;
    const { service } = judged.admission;
    const { status } = answer;
    const { capture } = service;
    if (answer.socket) return this.#upgraded(progress, story, judged, prepared, answer, answer.socket);
    const session = judged.session?.id ?? "";
    const reply =
      capture.length === 0
        ? answer
        : await maskReply(answer, capture, decoder, (value) => this.#issued.keep(value, session, service));
    if (reply instanceof Failure) return this.#conclude(progress, story, reply);
    const scrubber = this.#issued.scrubber(prepared.scrubber, service);
    const scrubbed = scrubReply(reply, judged.admission, scrubber, decoder);
    if (scrubbed instanceof Failure) return this.#conclude(progress, story, scrubbed);
    const { fields, body, redactions } = scrubbed;
    const notice = noticeOf(status, judged.admission.service);
    if (body.kind !== "stream") {
      const ending = { status, bytesOut: bodyLength(body), redactions };
      const unwritten = await this.#trail.end(progress, story, ending);
      return unwritten ?? { status, fields, body, notice };
    }
    const stream = scrubber.stream(boundaryOf(reply.fields));
    const chunks = scrubStream(body.chunks, stream, (ending) =>
      this.#trail.end(progress, story, { ...ending, status, redactions: redactions + ending.redactions }),
    );
    return { status, fields, body: { kind: "stream", length: undefined, chunks }, notice };
  }

  /** Its story ends when the socket does. */
  #upgraded(
    progress: Progress,
    story: Story,
    { admission }: Judged,
    prepared: Prepared,
    answer: UpstreamReply,
    socket: UpstreamSocket,
  ): Promise<Reply | Failure> | Reply {
    const { status, fields } = answer;
    const { service } = admission;
    const { decoder, entropy } = this.#parts;
    const scrubber = (): Scrubber => this.#issued.scrubber(prepared.scrubber, service);
    const clean = isAgreed(fields) && scrubReply(answer, admission, scrubber(), decoder);
    if (!clean || clean instanceof Failure) {
      socket.end();
      const why = "the service agreed to another protocol than was asked for";
      return this.#conclude(progress, story, clean || new Failure("upstream_nonsense", why));
    }
    const agent = relay(socket, {
      scrubber,
      mask: () => entropy.bytes(4),
      ended: ({ redactions, ...ending }) =>
        this.#trail.end(progress, story, { ...ending, status, redactions: redactions + clean.redactions }),
    });
    return { status, fields: clean.fields, body: { kind: "empty" }, socket: agent };
  }

  /** An admitted request that got no answer: its story ends with the failure. */
  async #conclude(progress: Progress, story: Story, failure: Failure): Promise<Failure> {
    await this.#trail.end(progress, story, { bytesOut: 0, redactions: 0, failure: failure.code });
    return failure;
  }

  async #refuse(id: string, call: Call, failure: Failure, judged?: Judged): Promise<Failure> {
    await this.#trail.refuse(refusedCall(id, call, this.#standings.sessionOf(call), judged), failure);
    return failure;
  }
}

/** A kept connection can be closed under us. What was approved or counted once is not sent twice. */
function mayRepeat({ capability, decision }: Admission, { method, body }: UpstreamRequest): boolean {
  const once = decision.effect === "ask" || capability.limit !== undefined;
  return !once && repeatable.has(method) && body.kind !== "stream";
}

/** Whether the credential was only asked for, so that the request was not carried out (RFC 9110 section 15.5.2). */
function isChallenge(reply: UpstreamReply, { request, signed }: Outgoing, { credential }: Prepared): boolean {
  if (reply.status !== 401 || !signed || !("made" in credential) || request.body.kind === "stream")
    return false;
  return credential.made.challenged?.(reply.fields, signed) === true;
}
