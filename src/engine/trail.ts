// The story of each call, as the audit trail tells it: a line before it is sent, a line when it ends, or one line
// when it is refused. Agent-written text may hold the key: it is scrubbed before it is written.
import type { AccessWish } from "./access.ts";
import type { CommandAdmission, Granted } from "./admit.ts";
import type { AuditTrail } from "./audit.ts";
import { bodyLength } from "./bodies.ts";
import type { Call, Judged, Progress } from "./call.ts";
import { type Entry, type Story, tell, type What, whoText } from "./entry.ts";
import type { CommandCall } from "./exec/call.ts";
import type { Failure } from "./failure.ts";
import type { Capability, Entropy, Policy } from "./ports.ts";
import type { Prepared, PreparedServices } from "./prepared.ts";
import { RefusalMeter } from "./refusals.ts";
import type { Scrubber } from "./scrub.ts";
import type { Session } from "./session.ts";
import type { Asking } from "./standing.ts";
import { shortId } from "./token.ts";

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

/** How a request ended, for those who count: `code` where it failed or was refused. */
export interface Observed {
  readonly event: "response" | "refused" | "alarm";
  readonly code: Failure["code"] | undefined;
  readonly redactions: number;
  readonly message?: string;
}

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

/** The part of a line that says whose request it is, and what it was made from. */
interface Whose {
  readonly surface: string;
  readonly capability: Capability;
  readonly prepared: Prepared;
  readonly text: string;
}

export class Trail {
  readonly #audit: AuditTrail;
  readonly #services: PreparedServices;
  readonly #policy: Policy;
  readonly #now: () => number;
  readonly #observe: ((entry: Observed) => void) | undefined;
  readonly #refusals = new RefusalMeter();
  readonly #alarms = new RefusalMeter();
  readonly #idPrefix: string;
  readonly #known = new WeakMap<Session, Whose>();
  #count = 0;

  constructor(parts: {
    readonly audit: AuditTrail;
    readonly services: PreparedServices;
    readonly policy: Policy;
    readonly entropy: Entropy;
    readonly now: () => number;
    readonly observe?: (entry: Observed) => void;
  }) {
    this.#audit = parts.audit;
    this.#services = parts.services;
    this.#policy = parts.policy;
    this.#now = parts.now;
    this.#observe = parts.observe;
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
    return this.#story(progress.call, judged, prepared, { method, path: clean(target.path), query });
  }

  commandStory(
    call: CommandCall,
    judged: Judged<CommandAdmission>,
    cwd: string | undefined,
    prepared: Prepared,
  ): Story {
    const clean = (text: string): string => prepared.scrubber.text(text).text;
    const argv = shortened(judged.admission.command).map(clean);
    return this.#story(call, judged, prepared, { argv, cwd: cwd === undefined ? undefined : clean(cwd) });
  }

  #story(
    call: Asking,
    judged: Judged<Granted>,
    prepared: Prepared,
    wish: Omit<What, "decision" | "rule" | "reason">,
  ): Story {
    const { decision } = judged.admission;
    const reason = call.reason ?? judged.session?.reason;
    return tell(this.#whose(call.surface, judged, prepared), {
      ...wish,
      decision: decision.effect === "ask" ? "approved" : "allow",
      rule: decision.rule?.text,
      reason: reason === undefined ? undefined : prepared.scrubber.text(reason).text,
    });
  }

  /** Made once for each session, as long as it is of the same capability and service. */
  #whose(surface: string, judged: Judged<Granted>, prepared: Prepared): string {
    const { admission, session } = judged;
    const { capability, service } = admission;
    const known = session && this.#known.get(session);
    if (known?.prepared === prepared && known.capability === capability && known.surface === surface) {
      return known.text;
    }
    const agent = session?.agent;
    const text = whoText({
      surface,
      owner: session?.owner ?? "person",
      agent: agent === undefined ? undefined : prepared.scrubber.text(agent).text,
      session: session?.id,
      capability: capability.name,
      service: service.name,
    });
    if (session) this.#known.set(session, { surface, capability, prepared, text });
    return text;
  }

  begin(progress: Begun, story: Story): Promise<Failure | undefined> {
    const timestamp = isoTime(progress.startedAt);
    return this.#audit.append({ timestamp, id: progress.id, event: "request" }, story);
  }

  end(progress: Begun, story: Story, ending: Ending): Promise<Failure | undefined> {
    const now = this.#now();
    const { status, exitCode, signal, outcome = "ok", bytesOut, redactions, failure } = ending;
    this.#observe?.({ event: "response", code: failure, redactions });
    const entry: Entry = {
      timestamp: isoTime(now),
      id: progress.id,
      event: "response",
      status,
      outcome: failure === undefined ? outcome : "failed",
      code: failure,
      exitCode,
      signal,
      durationMs: Math.round(now - progress.startedAt),
      bytesIn: bodyLength(progress.body),
      bytesOut,
      redactions,
      ...(status === 401 ? { message: "the service refused the credential" } : {}),
    };
    return this.#audit.append(entry, story);
  }

  /** Something that happened to no single request. */
  async note(entry: Omit<Entry, "timestamp" | "id">): Promise<Failure | undefined> {
    const now = this.#now();
    const { agent, reason, capability } = entry;
    const written = agent !== undefined || reason !== undefined;
    const clean = written ? await this.#cleanerFor(capability) : (text: string) => text;
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
    this.#observe?.({ event: "refused", code: failure.code, redactions: 0 });
    if (!this.#refusals.takesLine(call.peer, now)) return;
    const clean = await this.#cleanerFor(call.capability);
    const { session, capability, service = this.#serviceOf(capability), reason } = call;
    const { owner, agent } = session ?? call;
    const { method = "", target = "", argv, cwd } = call;
    const mark = target.indexOf("?");
    const wish = argv
      ? { argv: shortened(argv).map(clean), ...(cwd === undefined ? {} : { cwd: clean(cwd) }) }
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

  /** Something that a person should hear of: a sign that a key's stand-in was carried to where it does not belong. */
  async alarm(call: Refused, failure: Failure): Promise<void> {
    const { surface, session, capability, service, method = "" } = call;
    const { owner = "unknown", agent } = session ?? call;
    this.#observe?.({ event: "alarm", code: failure.code, redactions: 0, message: failure.message });
    if (!this.#alarms.takesLine(call.peer, this.#now())) return;
    await this.note({
      ...{ event: "alarm", surface, owner, method: method.slice(0, 20) },
      ...(agent === undefined ? {} : { agent }),
      ...(session === undefined ? {} : { session: session.id }),
      ...(capability === undefined ? {} : { capability }),
      ...(service === undefined ? {} : { service }),
      ...{ code: failure.code, message: failure.message },
    });
  }

  /** Writes down how many refusals got no line of their own. Run once a second. */
  async writeRefusalCounts(): Promise<void> {
    for (const { peer, count } of this.#refusals.drain()) {
      await this.note({ event: "refusals", peer, count, decision: "deny" });
    }
  }

  /** An agent that somehow has the key must not get it into the trail through what it writes. */
  #serviceOf(capability: string | undefined): string | undefined {
    if (capability === undefined) return undefined;
    return this.#policy.current().config.capabilities.get(capability)?.service;
  }

  async #cleanerFor(capability: string | undefined): Promise<(text: string) => string> {
    const { config } = this.#policy.current();
    const name = this.#serviceOf(capability);
    const named = name === undefined ? undefined : config.services.get(name);
    const scrubbers: Scrubber[] = [];
    // A request that names no service may hold the key of any.
    for (const service of named ? [named] : config.services.values()) {
      const scrubber = await this.#services.scrubberAtHand(service);
      if (scrubber) scrubbers.push(scrubber);
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

/** More words than a person reads: their number is kept. */
const mostWords = 100;

function shortened(argv: readonly string[]): readonly string[] {
  if (argv.length <= mostWords) return argv;
  return [...argv.slice(0, mostWords - 1), `… ${argv.length - mostWords + 1} more`];
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

let lastTime = Number.NaN;
let lastText = "";

/** Lines that are written together mostly have one time. */
function isoTime(time: number): string {
  const milliseconds = Math.trunc(time);
  if (milliseconds !== lastTime) {
    lastTime = milliseconds;
    lastText = new Date(milliseconds).toISOString();
  }
  return lastText;
}
