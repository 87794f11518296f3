// The story of each call, as the audit trail tells it: a line before it is sent, a line when it ends, or one line
// when it is refused. Agent-written text may hold the key: it is scrubbed before it is written.
import type { AccessWish } from "./access.ts";
import type { CommandAdmission, Granted } from "./admit.ts";
import type { AuditTrail } from "./audit.ts";
import { bodyLength } from "./bodies.ts";
import type { Call, Judged, Progress } from "./call.ts";
import type { Entry, Story } from "./entry.ts";
import type { CommandCall } from "./exec/call.ts";
import type { Failure } from "./failure.ts";
import type { Entropy, Policy } from "./ports.ts";
import type { Prepared, PreparedServices } from "./prepared.ts";
import { RefusalMeter } from "./refusals.ts";
import type { Scrubber } from "./scrub.ts";
import { type Session, shortId } from "./session.ts";
import type { Asking } from "./standing.ts";

export interface Ending {
  readonly status?: number;
  /** Of a command. */
  readonly exitCode?: number;
  readonly signal?: string;
  readonly outcome?: "timed_out";
  readonly bytesOut: number;
  readonly redactions: number;
  readonly failure?: Failure["code"];
}

/** What the two lines of a call need of it. */
type Begun = Pick<Progress, "id" | "startedAt" | "body">;

/** What is known of a request that is refused. */
export interface Refused {
  readonly id: string;
  readonly surface: string;
  readonly peer: string;
  readonly method?: string;
  readonly target?: string;
  /** Of a command, instead of method and target. */
  readonly argv?: readonly string[];
  readonly cwd?: string | undefined;
  readonly capability?: string;
  readonly service?: string;
  readonly session?: Session | undefined;
  /** Of a caller that has no session. */
  readonly owner?: string | undefined;
  readonly agent?: string | undefined;
  readonly reason?: string | undefined;
}

export class Trail {
  readonly #audit: AuditTrail;
  readonly #services: PreparedServices;
  readonly #policy: Policy;
  readonly #now: () => number;
  readonly #refusals = new RefusalMeter();
  readonly #idPrefix: string;
  #count = 0;

  constructor(parts: {
    readonly audit: AuditTrail;
    readonly services: PreparedServices;
    readonly policy: Policy;
    readonly entropy: Entropy;
    readonly now: () => number;
  }) {
    this.#audit = parts.audit;
    this.#services = parts.services;
    this.#policy = parts.policy;
    this.#now = parts.now;
    this.#idPrefix = shortId(parts.entropy, 8);
  }

  newId(): string {
    this.#count += 1;
    return `${this.#idPrefix}-${this.#count.toString(36)}`;
  }

  story(progress: Progress, judged: Judged, prepared: Prepared): Story {
    const { method, target } = judged.admission;
    const clean = (text: string): string => prepared.scrubber.text(text).text;
    const query = target.query === undefined ? "" : clean(target.query);
    return { ...storyOf(progress.id, progress.call, judged, clean), method, path: clean(target.path), query };
  }

  commandStory(
    id: string,
    call: CommandCall,
    judged: Judged<CommandAdmission>,
    cwd: string | undefined,
    prepared: Prepared,
  ): Story {
    const clean = (text: string): string => prepared.scrubber.text(text).text;
    const argv = judged.admission.command.map(clean);
    return { ...storyOf(id, call, judged, clean), argv, ...(cwd === undefined ? {} : { cwd: clean(cwd) }) };
  }

  begin(progress: Begun, story: Story): Promise<Failure | undefined> {
    const timestamp = isoTime(progress.startedAt);
    return this.#audit.append({ timestamp, id: progress.id, event: "request" }, story);
  }

  end(progress: Begun, story: Story, ending: Ending): Promise<Failure | undefined> {
    const now = this.#now();
    const { status, exitCode, signal, outcome = "ok", bytesOut, redactions, failure } = ending;
    const entry: Entry = {
      timestamp: isoTime(now),
      id: progress.id,
      event: "response",
      ...(status === undefined ? {} : { status }),
      ...(failure === undefined ? { outcome } : { outcome: "failed", code: failure }),
      ...(exitCode === undefined ? {} : { exitCode }),
      ...(signal === undefined ? {} : { signal }),
      durationMs: Math.round(now - progress.startedAt),
      bytesIn: bodyLength(progress.body),
      bytesOut,
      redactions,
    };
    return this.#audit.append(entry, story);
  }

  /** Something that happened to no single request. */
  async note(entry: Omit<Entry, "timestamp" | "id">): Promise<Failure | undefined> {
    const now = this.#now();
    const { agent, reason, capability } = entry;
    const written = agent !== undefined || reason !== undefined;
    const clean = written ? await this.#cleanerFor(capability, now) : (text: string) => text;
    return this.#audit.append({
      ...entry,
      ...(agent === undefined ? {} : { agent: clean(agent) }),
      ...(reason === undefined ? {} : { reason: clean(reason) }),
      timestamp: isoTime(now),
      id: this.newId(),
    });
  }

  async refuse(call: Refused, failure: Failure): Promise<void> {
    const now = this.#now();
    if (!this.#refusals.takesLine(call.peer, now)) return;
    const clean = await this.#cleanerFor(call.capability, now);
    const { session, capability, service, reason } = call;
    const { owner, agent } = session ?? call;
    const { method = "", target = "", argv, cwd } = call;
    const mark = target.indexOf("?");
    const wish = argv
      ? { argv: argv.map(clean), ...(cwd === undefined ? {} : { cwd: clean(cwd) }) }
      : {
          method: clean(method.slice(0, 20)),
          path: clean(mark < 0 ? target : target.slice(0, mark)),
          query: mark < 0 ? "" : clean(target.slice(mark + 1)),
        };
    await this.#audit.append({
      timestamp: isoTime(now),
      id: call.id,
      event: "request",
      surface: call.surface,
      owner: owner ?? "unknown",
      ...(agent === undefined ? {} : { agent: clean(agent) }),
      ...(session === undefined ? {} : { session: session.id }),
      ...(capability === undefined ? {} : { capability: clean(capability) }),
      ...(service === undefined ? {} : { service }),
      ...wish,
      decision: failure.code === "approval_pending" ? "pending" : "deny",
      code: failure.code,
      outcome: "refused",
      ...(failure.rule === undefined ? {} : { rule: failure.rule }),
      ...(reason === undefined ? {} : { reason: clean(reason) }),
      peer: call.peer,
    });
  }

  /** Writes down how many refusals got no line of their own. Run once a second. */
  async writeRefusalCounts(): Promise<void> {
    for (const { peer, count } of this.#refusals.drain()) {
      await this.note({ event: "refusals", peer, count, decision: "deny" });
    }
  }

  /** An agent that somehow has the key must not get it into the trail through what it writes. */
  async #cleanerFor(capability: string | undefined, now: number): Promise<(text: string) => string> {
    const { config } = this.#policy.current();
    const name = capability === undefined ? undefined : config.capabilities.get(capability)?.service;
    const named = name === undefined ? undefined : config.services.get(name);
    const scrubbers: Scrubber[] = [];
    // A request that names no service may hold the key of any.
    for (const service of named ? [named] : config.services.values()) {
      if (!service.base) continue;
      // Nobody's request is no reason to run the command of a reference.
      const isReference = [...service.auth.secret.values()].some(({ kind }) => kind === "reference");
      const services = this.#services;
      const opened = isReference ? services.known(service, now) : await services.prepare(service, now);
      if (opened && "scrubber" in opened) scrubbers.push(opened.scrubber);
    }
    return (text) => scrubbers.reduce((rest, scrubber) => scrubber.text(rest).text, text);
  }
}

/** The line of a request for access that was refused. */
export function refusedAccess(id: string, wish: Omit<AccessWish, "renew">): Refused {
  const { surface, caller, capability, reason } = wish;
  const { owner, agent } = caller;
  return { id, surface, peer: owner, capability, owner, agent, reason };
}

/** What every line of one call shares. */
function storyOf(
  id: string,
  call: Asking,
  { admission, session }: Judged<Granted>,
  clean: (text: string) => string,
): Story {
  const { capability, service, decision } = admission;
  const reason = call.reason ?? session?.reason;
  return {
    id,
    surface: call.surface,
    owner: session?.owner ?? "person",
    ...(session?.agent === undefined ? {} : { agent: clean(session.agent) }),
    ...(session === undefined ? {} : { session: session.id }),
    capability: capability.name,
    service: service.name,
    decision: decision.effect === "ask" ? "approved" : "allow",
    ...(decision.rule === undefined ? {} : { rule: decision.rule.text }),
    ...(reason === undefined ? {} : { reason: clean(reason) }),
  };
}

/** The line of a refused command. */
export function refusedCommand(
  id: string,
  call: CommandCall,
  session: Session | undefined,
  service: string | undefined,
): Refused {
  const { surface, peer, capability, reason, command, cwd } = call;
  const { owner, agent } = typeof call.by === "object" && "caller" in call.by ? call.by.caller : {};
  return {
    ...{ id, surface, peer, capability, reason, owner, agent, cwd, session, argv: command },
    ...(service === undefined ? {} : { service }),
  };
}

/** The line of a refusal, from the call and as far as it was judged. */
export function refusedCall(id: string, call: Call, session: Session | undefined, judged?: Judged): Refused {
  const { surface, peer, method, target, capability, reason } = call;
  const service = judged?.admission.service.name;
  const { owner, agent } = typeof call.by === "object" && "caller" in call.by ? call.by.caller : {};
  return {
    ...{ id, surface, peer, method, target, capability, reason, owner, agent },
    session: judged?.session ?? session,
    ...(service === undefined ? {} : { service }),
  };
}

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
