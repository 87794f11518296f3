// The one pipeline: admit → ask → open → record → send → scrub → record. Every face comes through here.
import { type Admission, admit, type Standing } from "./admit.ts";
import { replyFields } from "./agent-fields.ts";
import type { Approval, Approvals, Question } from "./approval.ts";
import type { AuditTrail, Entry } from "./audit.ts";
import { bodyLength, collect, wholeBody } from "./bodies.ts";
import type { Config } from "./config.ts";
import { Failure, FailureError } from "./failure.ts";
import { countUse, refuseOverLimit } from "./limit.ts";
import type {
  Body,
  Decoder,
  Digest,
  Entropy,
  HeaderField,
  Lifeline,
  Policy,
  Store,
  Upstream,
  UpstreamReply,
} from "./ports.ts";
import { type Prepared, type PreparedServices, upstreamTarget } from "./prepared.ts";
import { RefusalMeter } from "./refusals.ts";
import { sameService } from "./same-service.ts";
import type { Scrubber } from "./scrub.ts";
import { judge, type Session, type Sessions, shortId, withoutTokens } from "./session.ts";
import { targetText } from "./target.ts";
import { visible } from "./visible.ts";

/** What an agent wants done, with who it is and the thread it hangs by. */
export interface Call {
  readonly surface: string;
  /** Whose refusals are counted together: an address, or an owner. */
  readonly peer: string;
  /** `person`: a command of janee itself, run by the one who owns the keys. */
  readonly by: { readonly token: string } | { readonly session: string } | "nobody" | "person";
  readonly capability: string;
  readonly method: string;
  readonly target: string;
  readonly fields: readonly HeaderField[];
  readonly body: Body;
  readonly reason?: string;
  readonly lifeline: Lifeline;
}

/** What the agent gets back. */
export interface Reply {
  readonly status: number;
  readonly fields: readonly HeaderField[];
  readonly body: Body;
}

export interface BrokerParts {
  readonly policy: Policy;
  readonly store: Store;
  readonly sessions: Sessions;
  readonly approvals: Approvals;
  readonly services: PreparedServices;
  readonly upstream: Upstream;
  readonly decoder: Decoder;
  readonly audit: AuditTrail;
  readonly digest: Digest;
  readonly entropy: Entropy;
}

/** A body under an `ask` rule, or a form, is read whole before anything is sent. */
const readFirstLimit = 8 * 1024 * 1024;
const previewBytes = 2048;
const repeatable = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]);

interface InFlight {
  readonly call: Call;
  readonly capability: string;
  session: Session | undefined;
}

/** One call on its way, and what is known of it so far. */
interface Progress {
  readonly id: string;
  readonly call: Call;
  readonly startedAt: number;
  readonly body: Body;
  readonly form: string | undefined;
  readonly digest: string | undefined;
  readonly preview: string | undefined;
}

interface Judged {
  readonly admission: Admission;
  readonly session: Session | undefined;
  readonly version: number;
  readonly generation: number;
}

export class Broker {
  readonly #parts: BrokerParts;
  readonly #refusals = new RefusalMeter();
  readonly #inFlight = new Set<InFlight>();
  readonly #idPrefix: string;
  #count = 0;
  #seenVersion = 0;
  #seenGeneration = 0;

  constructor(parts: BrokerParts) {
    this.#parts = parts;
    this.#idPrefix = shortId(parts.entropy, 8);
  }

  async handle(call: Call): Promise<Reply | Failure> {
    this.#count += 1;
    const id = `${this.#idPrefix}-${this.#count.toString(36)}`;
    const judged = this.#judge(call, undefined);
    if (judged instanceof Failure) return this.#refuse(id, call, judged);
    const reading = this.#readFirst(id, call, judged);
    const progress = reading instanceof Promise ? await reading : reading;
    if (progress instanceof Failure) return this.#refuse(id, call, progress, judged);
    const entry: InFlight = { call, capability: judged.admission.capability.name, session: judged.session };
    this.#inFlight.add(entry);
    const reply = await this.#perform(progress, judged);
    if (reply instanceof Failure || reply.body.kind !== "stream") {
      this.#inFlight.delete(entry);
      return reply;
    }
    const chunks = this.#untilEnd(reply.body.chunks, entry);
    return { ...reply, body: { kind: "stream", length: reply.body.length, chunks } };
  }

  /** A request that never became a call: malformed, foreign, or without a capability. */
  async refuseUnread(
    surface: string,
    peer: string,
    failure: Failure,
    method = "",
    target = "",
  ): Promise<void> {
    this.#count += 1;
    const id = `${this.#idPrefix}-${this.#count.toString(36)}`;
    await this.#writeRefusal(id, { surface, peer, method, target }, failure, undefined);
  }

  /** Ends calls in flight whose session or capability is gone. Run many times a second. */
  recheckInFlight(): void {
    if (this.#inFlight.size === 0) return;
    const { store, policy, sessions } = this.#parts;
    const { config, generation } = policy.current();
    const version = store.versionOfTick();
    const now = sessions.now();
    const unchanged = version === this.#seenVersion && generation === this.#seenGeneration;
    this.#seenVersion = version;
    this.#seenGeneration = generation;
    for (const entry of this.#inFlight) {
      if (entry.call.by === "person") continue;
      if (!unchanged) entry.session = this.#sessionOf(entry.call);
      const problem = this.#gone(entry, config) ?? (entry.session && judge(entry.session, now));
      if (problem) entry.call.lifeline.cut(problem);
    }
  }

  #gone(entry: InFlight, config: Config): Failure | undefined {
    if (entry.session && config.capabilities.has(entry.capability)) return undefined;
    return new Failure("session_ended", "the session or its capability is gone");
  }

  /** Writes down how many refusals got no line of their own. Run once a second. */
  async writeRefusalCounts(): Promise<void> {
    for (const { peer, count } of this.#refusals.drain()) {
      await this.#parts.audit.append({ ...this.#stamp(), event: "refusals", peer, count, decision: "deny" });
    }
  }

  #stamp(): { timestamp: string; id: string } {
    this.#count += 1;
    const timestamp = new Date(this.#parts.sessions.now()).toISOString();
    return { timestamp, id: `${this.#idPrefix}-${this.#count.toString(36)}` };
  }

  #sessionOf(call: Call): Session | undefined {
    if (call.by === "person" || call.by === "nobody") return undefined;
    const { sessions, store } = this.#parts;
    return "token" in call.by
      ? sessions.byToken(call.by.token, store.versionOfTick())
      : sessions.byId(call.by.session);
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
    const session = this.#sessionOf(call);
    const standing: Standing = call.by === "person" ? "rules-only" : { session };
    const wish = form === undefined ? call : { ...call, form };
    const admission = admit(config, standing, wish, sessions.now());
    return admission instanceof Failure ? admission : { admission, session, version, generation };
  }

  /** Reads the body before anything else where the decision depends on it. */
  #readFirst(id: string, call: Call, judged: Judged): Progress | Failure | Promise<Progress | Failure> {
    const startedAt = this.#parts.sessions.now();
    const asks = judged.admission.decision.effect === "ask";
    const form = isForm(call);
    if (isUnreadableForm(call)) {
      return new Failure(
        "method_override_denied",
        "a form in this charset could hide a field that changes the method",
        {
          next: "send the form as UTF-8",
        },
      );
    }
    const unread = {
      id,
      call,
      startedAt,
      body: call.body,
      form: undefined,
      digest: undefined,
      preview: undefined,
    };
    return asks || form ? this.#readWhole(unread, asks, form) : unread;
  }

  async #readWhole(unread: Progress, asks: boolean, form: boolean): Promise<Progress | Failure> {
    const { call } = unread;
    const bytes = await collect(call.body, readFirstLimit);
    if (bytes instanceof Failure) return bytes;
    return {
      ...unread,
      body: wholeBody(bytes),
      form: form ? bytes.toString("latin1") : undefined,
      digest: asks ? this.#parts.digest.sha256(bytes) : undefined,
      preview: asks ? visible(bytes.subarray(0, previewBytes).toString("utf8")) : undefined,
    };
  }

  async #perform(progress: Progress, first: Judged): Promise<Reply | Failure> {
    const { sessions, services, store, audit } = this.#parts;
    const { id, call, form } = progress;
    const judged: Judged | Failure = form === undefined ? first : this.#judge(call, form);
    if (judged instanceof Failure) return this.#refuse(id, call, judged, first);
    const { capability, service } = judged.admission;
    const known = services.known(service, sessions.now());
    const prepared = known ?? (await services.prepare(service, sessions.now()));
    if (prepared instanceof Failure) return this.#refuse(id, call, prepared, judged);
    const waits = this.#unapproved(progress, judged, prepared);
    if (waits instanceof Failure) return this.#refuse(id, call, waits, judged);
    const limited = refuseOverLimit(store, capability, sessions.now());
    if (limited) return this.#refuse(id, call, limited, judged);

    const story = this.#story(progress, judged, prepared);
    const unwritten = await audit.append({ ...story, event: "request" });
    if (unwritten) return unwritten;
    const reply = await this.#send(progress, judged, prepared);
    if (reply instanceof Failure) return this.#conclude(progress, story, reply);
    return this.#scrubbed(progress, story, first.admission, prepared, reply);
  }

  async #send(progress: Progress, before: Judged, prepared: Prepared): Promise<UpstreamReply | Failure> {
    const { upstream, policy } = this.#parts;
    const { lifeline } = progress.call;
    const { service, method, target, fields } = before.admission;
    const request = {
      method,
      target: upstreamTarget(service, target, prepared.injection),
      fields: [...fields, ...prepared.fields],
      body: progress.body,
    };
    for (let how: "pooled" | "fresh" = "pooled"; ; how = "fresh") {
      if (lifeline.cutBy) return lifeline.cutBy;
      const { network } = policy.current().config;
      const kept = how === "pooled" ? upstream.pooled(service, network) : undefined;
      const connection = kept ?? (await upstream.connect(service, network, lifeline));
      if (connection instanceof Failure) return connection;
      // From here to the first byte nothing else can run: what is checked now is true when it is sent.
      const refused = this.#lastLook(progress, before, how);
      if (refused) {
        connection.release();
        return refused;
      }
      const wasReused = connection.reused;
      const reply = await connection.send(request, lifeline);
      if (!(reply instanceof Failure) || reply.code !== "upstream_closed" || how === "fresh") return reply;
      // A kept connection can be closed under us; only what is safe to repeat is repeated (RFC 9110 section 9.2.2).
      if (!wasReused || !repeatable.has(method) || request.body.kind === "stream") return reply;
    }
  }

  /**
   * What is used once or counted is spent under the store's lock. Waiting for the lock comes before the last look
   * at the session: a revocation that another process makes meanwhile must hold.
   */
  #lastLook(progress: Progress, before: Judged, how: "pooled" | "fresh"): Failure | undefined {
    const look = (): Failure | undefined => {
      const judged = this.#stillStands(progress, before);
      if (judged instanceof Failure) return judged;
      return how === "pooled" ? this.#takeOnce(progress, judged) : undefined;
    };
    const { capability, decision } = before.admission;
    const spends = how === "pooled" && (capability.limit !== undefined || decision.effect === "ask");
    return spends ? this.#parts.store.transaction(look) : look();
  }

  /** Judges again unless nothing that was looked at has changed. */
  #stillStands(progress: Progress, judged: Judged): Judged | Failure {
    const { store, policy, sessions } = this.#parts;
    const same =
      store.versionOfTick() === judged.version && policy.current().generation === judged.generation;
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

  /** What can be used once, or is counted, is taken in the tick in which it is spent. */
  #takeOnce(progress: Progress, judged: Judged): Failure | undefined {
    const { approvals, store, sessions } = this.#parts;
    const { capability, decision } = judged.admission;
    const now = sessions.now();
    const limited = refuseOverLimit(store, capability, now);
    if (limited) return limited;
    if (decision.effect === "ask" && progress.call.by !== "person") {
      const approval = approvals.find(this.#questionOf(progress, judged, "request"));
      if (!approval || !approvals.use(approval.id)) return this.#pending(approval);
    }
    countUse(store, capability, now);
    return undefined;
  }

  /** Whether a person still has to say yes: to this session, or to this one request. */
  #unapproved(progress: Progress, judged: Judged, prepared: Prepared): Failure | undefined {
    const { session, admission } = judged;
    if (!session) return undefined;
    if (session.approvedBy === "policy" && !admission.capability.autoApprove) {
      const refused = this.#ask(this.#questionOf(progress, judged, "session"), prepared);
      if (refused) return refused;
      this.#parts.sessions.approve(session.id);
    }
    return admission.decision.effect === "ask"
      ? this.#ask(this.#questionOf(progress, judged, "request"), prepared)
      : undefined;
  }

  #ask(question: Question, prepared: Prepared): Failure | undefined {
    const shown = shownOf(question, prepared);
    const { approval, isNew } = this.#parts.approvals.ask(question, shown);
    if (isNew) {
      void this.#parts.audit.append({
        ...this.#stamp(),
        event: "approval",
        outcome: "asked",
        approval: approval.id,
        owner: shown.owner,
        capability: shown.capability,
        service: shown.service,
        ...(shown.method === undefined ? {} : { method: shown.method }),
        ...(shown.target === undefined ? {} : { path: shown.target }),
        ...(shown.rule === undefined ? {} : { rule: shown.rule }),
        ...(shown.reason === undefined ? {} : { reason: shown.reason }),
      });
    }
    return approval.state === "approved" ? undefined : this.#pending(approval);
  }

  #pending(approval: Approval | undefined): Failure {
    const details = approval?.rule === undefined ? {} : { rule: approval.rule };
    if (approval?.state === "declined") {
      return new Failure("approval_declined", "a person declined this request", {
        ...details,
        next: "do without it; do not ask again",
      });
    }
    const id = approval ? ` ${approval.id}` : "";
    return new Failure("approval_pending", `this waits for a person: approval${id}`, {
      ...details,
      next: `ask the person to decide on approval${id}, then send the very same request again`,
    });
  }

  #questionOf(progress: Progress, judged: Judged, kind: Question["kind"]): Question {
    const { admission, session } = judged;
    const { capability, service, decision, method, target, fields } = admission;
    const common = {
      kind,
      owner: session?.owner ?? "",
      session: session?.id ?? "",
      ...(session?.agent === undefined ? {} : { agent: session.agent }),
      capability: capability.name,
      service: service.name,
      ttlMs: capability.ttlMs,
    };
    if (kind === "session") return common;
    return {
      ...common,
      ...(progress.call.reason === undefined ? {} : { reason: progress.call.reason }),
      ...(decision.rule === undefined ? {} : { rule: decision.rule.text }),
      method,
      target: targetText(target),
      headers: fields.map(({ key, value }) => `${key}: ${value}`).sort(),
      bodyBytes: bodyLength(progress.body),
      ...(progress.digest === undefined ? {} : { bodyDigest: progress.digest }),
      ...(progress.preview === undefined ? {} : { bodyPreview: progress.preview }),
    };
  }

  async #scrubbed(
    progress: Progress,
    story: Entry,
    admission: Admission,
    prepared: Prepared,
    reply: UpstreamReply,
  ): Promise<Reply | Failure> {
    const coding = codingOf(reply.fields);
    const plain = coding === undefined ? reply.body : this.#decoded(coding, reply.body);
    if (plain instanceof Failure) return this.#conclude(progress, story, plain);
    let redactions = 0;
    const passed = replyFields(reply.fields, admission.service, coding !== undefined);
    // Nearly always there is nothing in any of them: one look at all values together says so.
    const clean = prepared.scrubber.text(passed.map(({ value }) => value).join("\n")).redactions === 0;
    const fields = clean
      ? passed
      : passed.map((field) => {
          const scrubbed = prepared.scrubber.text(field.value);
          redactions += scrubbed.redactions;
          return scrubbed.redactions === 0 ? field : { ...field, value: scrubbed.text };
        });
    if (admission.method === "HEAD") {
      const length = reply.fields.find(({ key }) => key === "content-length");
      if (length && coding === undefined) fields.push(length);
    }
    if (plain.kind === "stream") {
      const stream = prepared.scrubber.stream(boundaryOf(reply.fields));
      const chunks = this.#scrubbedChunks(progress, story, reply.status, plain.chunks, stream, redactions);
      return { status: reply.status, fields, body: { kind: "stream", length: undefined, chunks } };
    }
    let body: Body = plain;
    if (plain.kind === "whole") {
      const scrubbed = prepared.scrubber.whole(plain.bytes);
      redactions += scrubbed.redactions;
      body = scrubbed.redactions === 0 ? plain : wholeBody(scrubbed.bytes);
    }
    const unwritten = await this.#finish(progress, story, {
      status: reply.status,
      bytesOut: bodyLength(body),
      redactions,
      outcome: "ok",
    });
    return unwritten ?? { status: reply.status, fields, body };
  }

  #decoded(coding: string, body: Body): Body | Failure {
    if (body.kind === "empty") return body;
    const chunks = this.#parts.decoder.decode(coding, body.kind === "whole" ? once(body.bytes) : body.chunks);
    if (chunks) return { kind: "stream", length: undefined, chunks };
    return new Failure(
      "response_unscannable",
      `the upstream answered in the coding "${visible(coding).slice(0, 40)}"`,
      {
        next: "nothing: an answer that cannot be scrubbed is not passed on",
      },
    );
  }

  async *#scrubbedChunks(
    progress: Progress,
    story: Entry,
    status: number,
    chunks: AsyncIterable<Buffer>,
    stream: ReturnType<Prepared["scrubber"]["stream"]>,
    inFields: number,
  ): AsyncGenerator<Buffer> {
    let bytesOut = 0;
    let code: Failure["code"] | undefined = "client_closed";
    let unwritten: Failure | undefined;
    try {
      for await (const chunk of chunks) {
        const clean = stream.push(chunk);
        if (clean.length === 0) continue;
        bytesOut += clean.length;
        yield clean;
      }
      const rest = stream.end();
      bytesOut += rest.length;
      code = undefined;
      const redactions = inFields + stream.redactions;
      unwritten = await this.#finish(progress, story, { status, bytesOut, redactions, outcome: "ok" });
      if (!unwritten && rest.length > 0) yield rest;
    } catch (error) {
      code = error instanceof FailureError ? error.failure.code : "internal";
      throw error;
    } finally {
      if (code !== undefined) {
        const redactions = inFields + stream.redactions;
        await this.#finish(progress, story, { status, bytesOut, redactions, outcome: "failed", code });
      }
    }
    if (unwritten) throw new FailureError(unwritten);
  }

  async *#untilEnd(chunks: AsyncIterable<Buffer>, entry: InFlight): AsyncGenerator<Buffer> {
    try {
      yield* chunks;
    } finally {
      this.#inFlight.delete(entry);
    }
  }

  /** What both lines of an admitted request say. Agent-written text may hold the key: it is scrubbed as well. */
  #story(progress: Progress, judged: Judged, prepared: Prepared): Entry {
    const { admission, session } = judged;
    const { target, decision } = admission;
    const clean = (text: string): string => prepared.scrubber.text(text).text;
    const reason = progress.call.reason ?? session?.reason;
    return {
      timestamp: new Date(progress.startedAt).toISOString(),
      id: progress.id,
      event: "request",
      surface: progress.call.surface,
      owner: session?.owner ?? "person",
      ...(session?.agent === undefined ? {} : { agent: clean(session.agent) }),
      ...(session === undefined ? {} : { session: session.id }),
      capability: admission.capability.name,
      service: admission.service.name,
      method: admission.method,
      path: clean(target.path),
      query: target.query === undefined ? "" : clean(target.query),
      decision: decision.effect === "ask" ? "approved" : "allow",
      ...(decision.rule === undefined ? {} : { rule: decision.rule.text }),
      ...(reason === undefined ? {} : { reason: clean(reason) }),
    };
  }

  #finish(
    progress: Progress,
    story: Entry,
    end: Pick<Entry, "status" | "bytesOut" | "redactions" | "outcome" | "code">,
  ): Promise<Failure | undefined> {
    const now = this.#parts.sessions.now();
    return this.#parts.audit.append({
      ...story,
      timestamp: new Date(now).toISOString(),
      event: "response",
      ...end,
      durationMs: Math.round(now - progress.startedAt),
      bytesIn: bodyLength(progress.body),
    });
  }

  /** An admitted request that got no answer: its story ends with the failure. */
  async #conclude(progress: Progress, story: Entry, failure: Failure): Promise<Failure> {
    await this.#finish(progress, story, {
      bytesOut: 0,
      redactions: 0,
      outcome: "failed",
      code: failure.code,
    });
    return failure;
  }

  async #refuse(id: string, call: Call, failure: Failure, judged?: Judged): Promise<Failure> {
    await this.#writeRefusal(id, call, failure, judged);
    return failure;
  }

  async #writeRefusal(
    id: string,
    call: Partial<Call> & Pick<Call, "surface" | "peer" | "method" | "target">,
    failure: Failure,
    judged: Judged | undefined,
  ): Promise<void> {
    const now = this.#parts.sessions.now();
    if (!this.#refusals.takesLine(call.peer, now)) return;
    const session = judged?.session ?? (call.by === undefined ? undefined : this.#sessionOf(call as Call));
    const clean = await this.#cleanerFor(call.capability, now);
    const mark = call.target.indexOf("?");
    await this.#parts.audit.append({
      timestamp: new Date(now).toISOString(),
      id,
      event: "request",
      surface: call.surface,
      owner: session?.owner ?? "unknown",
      ...(session?.agent === undefined ? {} : { agent: clean(session.agent) }),
      ...(session === undefined ? {} : { session: session.id }),
      ...(call.capability === undefined ? {} : { capability: clean(call.capability) }),
      ...(judged === undefined ? {} : { service: judged.admission.service.name }),
      method: call.method.slice(0, 20),
      path: clean(mark < 0 ? call.target : call.target.slice(0, mark)),
      query: mark < 0 ? "" : clean(call.target.slice(mark + 1)),
      decision: failure.code === "approval_pending" ? "pending" : "deny",
      code: failure.code,
      outcome: "refused",
      ...(failure.rule === undefined ? {} : { rule: failure.rule }),
      ...(call.reason === undefined ? {} : { reason: clean(call.reason) }),
      peer: call.peer,
    });
  }

  /** An agent that somehow has the key must not get it into the trail through what it writes. */
  async #cleanerFor(capability: string | undefined, now: number): Promise<(text: string) => string> {
    const { services, policy } = this.#parts;
    const { config } = policy.current();
    const name = capability === undefined ? undefined : config.capabilities.get(capability)?.service;
    const named = name === undefined ? undefined : config.services.get(name);
    const scrubbers: Scrubber[] = [];
    // A request that names no service may hold the key of any.
    for (const service of named ? [named] : config.services.values()) {
      if (!service.base) continue;
      // Nobody's request is no reason to run the command of a reference.
      const isReference = [...service.auth.secret.values()].some(({ kind }) => kind === "reference");
      const prepared =
        named || !isReference ? await services.prepare(service, now) : services.known(service, now);
      if (prepared && !(prepared instanceof Failure)) scrubbers.push(prepared.scrubber);
    }
    return (text) => scrubbers.reduce((rest, scrubber) => scrubber.text(rest).text, text);
  }
}

const formType = /^\s*application\/x-www-form-urlencoded/i;
/** Charsets in which the names of a form read as they do in ASCII; servers decode by the others, some of them. */
const plainCharset = /charset\s*=\s*"?(?:utf-?8|us-ascii|iso-8859-1)"?\s*(?:;|$)/i;

function contentType(fields: readonly HeaderField[]): string {
  return fields.find(({ key }) => key.replaceAll("_", "-") === "content-type")?.value ?? "";
}

function isForm(call: Call): boolean {
  return call.body.kind !== "empty" && formType.test(contentType(call.fields));
}

function isUnreadableForm(call: Call): boolean {
  const type = contentType(call.fields);
  return isForm(call) && /charset/i.test(type) && !plainCharset.test(type);
}

function codingOf(fields: readonly HeaderField[]): string | undefined {
  const codings = fields.filter(({ key }) => key === "content-encoding").map(({ value }) => value);
  const coding = codings.join(",").trim().toLowerCase();
  return coding === "" || coding === "identity" ? undefined : coding;
}

/** Formats whose parts are passed on as they come. */
function boundaryOf(fields: readonly HeaderField[]): "none" | "event" | "line" {
  const type = fields.find(({ key }) => key === "content-type")?.value.toLowerCase() ?? "";
  if (type.startsWith("text/event-stream")) return "event";
  return /ndjson|jsonl|json-seq|stream\+json/.test(type) ? "line" : "none";
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

/** What a person sees and the store keeps of a question: what an agent wrote may hold the key, or a token. */
function shownOf(question: Question, prepared: Prepared): Question {
  const clean = (text: string): string => withoutTokens(prepared.scrubber.text(text).text);
  const { agent, reason, target, headers, bodyPreview } = question;
  return {
    ...question,
    ...(agent === undefined ? {} : { agent: clean(agent) }),
    ...(reason === undefined ? {} : { reason: clean(reason) }),
    ...(target === undefined ? {} : { target: clean(target) }),
    ...(headers === undefined ? {} : { headers: headers.map(clean) }),
    ...(bodyPreview === undefined ? {} : { bodyPreview: clean(bodyPreview) }),
  };
}
