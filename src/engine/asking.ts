// Whether a person still has to say yes: to a session that policy alone let in, or to this one request.
import type { Granted } from "./admit.ts";
import type { Approval, Approvals, Question } from "./approval.ts";
import { bodyLength } from "./bodies.ts";
import type { Judged, Progress } from "./call.ts";
import { Failure } from "./failure.ts";
import type { Prepared } from "./prepared.ts";
import type { Scrubber } from "./scrub.ts";
import type { Sessions } from "./session.ts";
import { targetText } from "./target.ts";
import { withoutTokens } from "./token.ts";
import type { Trail } from "./trail.ts";

export class Asking {
  readonly #approvals: Approvals;
  readonly #sessions: Sessions;
  readonly #trail: Trail;
  readonly #now: () => number;

  constructor(approvals: Approvals, sessions: Sessions, trail: Trail) {
    this.#now = () => sessions.now();
    this.#approvals = approvals;
    this.#sessions = sessions;
    this.#trail = trail;
  }

  /** Asks where nobody has decided yet, and says what the agent is told meanwhile; undefined: nothing is missing. */
  unapproved(progress: Progress, judged: Judged, prepared: Prepared): Failure | undefined {
    return (
      this.unansweredSession(judged, prepared) ?? this.unanswered(judged, wishOf(progress, judged), prepared)
    );
  }

  /** A session that policy alone let in, of a capability that has wanted a person since. */
  unansweredSession(judged: Judged<Granted>, prepared: Prepared): Failure | undefined {
    const { session, admission } = judged;
    if (!session || session.approvedBy === "person" || admission.capability.autoApprove) return undefined;
    const refused = this.ask(sessionQuestion(judged), prepared.scrubber);
    if (!refused) this.#sessions.approve(session.id);
    return refused;
  }

  /** This one request or command, under an `ask` rule. */
  unanswered(judged: Judged<Granted>, wish: AskedFor, prepared: Prepared): Failure | undefined {
    return judged.session && asks(judged)
      ? this.ask(requestQuestion(judged, wish), prepared.scrubber)
      : undefined;
  }

  /** Uses up the yes to this very request, in the tick in which it is sent. */
  spend(progress: Progress, judged: Judged): Failure | undefined {
    return this.spendAnswer(judged, wishOf(progress, judged));
  }

  spendAnswer(judged: Judged<Granted>, wish: AskedFor): Failure | undefined {
    if (!judged.session || !asks(judged)) return undefined;
    const approval = this.#approvals.find(requestQuestion(judged, wish));
    if (!approval || !this.#approvals.use(approval.id)) return pending(approval);
    const { session, admission } = judged;
    const rule = admission.decision.rule?.text;
    if (approval.scope === "session" && session && rule) this.#sessions.confirm(session.id, rule);
    return undefined;
  }

  /** The question is put, unless it was answered: undefined is a yes. */
  ask(question: Question, scrubber: Scrubber): Failure | undefined {
    const shown = shownOf(question, scrubber);
    const found = this.#approvals.find(question);
    const known = found?.state === "used" || found?.state === "expired" ? undefined : found;
    const quietFor = known ? 0 : this.#approvals.quietUntil(question) - this.#now();
    if (quietFor > 0) {
      return new Failure("approval_declined", "a person declined this a short while ago", {
        next: "do without it; a person is not asked again for now",
        retryAfter: Math.ceil(quietFor / 1000),
      });
    }
    if (!known && this.#approvals.waitingOf(question.owner) >= mostWaiting) {
      return new Failure(
        "limit_reached",
        `${mostWaiting} requests of this session already wait for a person`,
        {
          next: "wait until some of them are decided",
          retryAfter: 60,
        },
      );
    }
    const { approval, isNew } = this.#approvals.ask(question, shown);
    if (isNew) void this.#trail.note(askedEntry(approval.id, shown));
    return approval.state === "approved" ? undefined : pending(approval);
  }
}

/** Whether a person has to say yes to this request, and has not said so for the whole session. */
export function asks({ admission, session }: Judged<Granted>): boolean {
  const { effect, rule } = admission.decision;
  return effect === "ask" && !(rule && session?.confirmed?.includes(rule.text));
}

function pending(approval: Approval | undefined): Failure {
  const details = {
    ...(approval?.rule === undefined ? {} : { rule: approval.rule }),
    ...(approval?.state === "pending" ? { approval: approval.id } : {}),
  };
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

function sessionQuestion({ admission, session }: Judged<Granted>): Question {
  return {
    kind: "session",
    owner: session?.owner ?? "",
    session: session?.id ?? "",
    ...(session?.agent === undefined ? {} : { agent: session.agent }),
    capability: admission.capability.name,
    service: admission.service.name,
    ttlMs: admission.capability.ttlMs,
  };
}

/** What a question about one request or command is bound to. */
export type AskedFor = Omit<
  Question,
  "kind" | "owner" | "agent" | "session" | "capability" | "service" | "ttlMs" | "rule"
>;

function requestQuestion(judged: Judged<Granted>, wish: AskedFor): Question {
  const { rule } = judged.admission.decision;
  return {
    ...sessionQuestion(judged),
    kind: "request",
    ...(rule === undefined ? {} : { rule: rule.text }),
    ...wish,
  };
}

function wishOf(progress: Progress, judged: Judged): AskedFor {
  const { method, target, fields } = judged.admission;
  const { digest, preview, body, call } = progress;
  return {
    ...(call.reason === undefined ? {} : { reason: call.reason }),
    method,
    target: targetText(target),
    headers: headersOf(fields, call),
    bodyBytes: bodyLength(body),
    ...(digest === undefined ? {} : { bodyDigest: digest }),
    ...(preview === undefined ? {} : { bodyPreview: preview }),
  };
}

/** Of a WebSocket without its key, which is another each time it is asked for and says nothing (RFC 6455 section 4.1). */
function headersOf(fields: Judged["admission"]["fields"], { upgrade }: Progress["call"]): string[] {
  const kept = upgrade === undefined ? fields : fields.filter(({ key }) => key !== "sec-websocket-key");
  const lines = kept.map(({ key, value }) => `${key}: ${value}`);
  return (upgrade === undefined ? lines : [...lines, `upgrade: ${upgrade}`]).sort();
}

function askedEntry(id: string, shown: Question): Parameters<Trail["note"]>[0] {
  const { owner, capability, service, method, target, argv, cwd, rule, reason } = shown;
  return {
    ...{ event: "approval", outcome: "asked", approval: id, owner, capability, service },
    ...(method === undefined ? {} : { method }),
    ...(target === undefined ? {} : { path: target }),
    ...(argv === undefined ? {} : { argv }),
    ...(cwd === undefined ? {} : { cwd }),
    ...(rule === undefined ? {} : { rule }),
    ...(reason === undefined ? {} : { reason }),
  };
}

const longestShown = 200;
/** Undecided requests of one owner: nobody reads more, and each takes room. */
const mostWaiting = 20;

/** What a person sees and the store keeps of a question: what an agent wrote may hold the key, or a token. */
function shownOf(question: Question, scrubber: Scrubber): Question {
  const clean = (text: string): string => withoutTokens(scrubber.text(text).text);
  const { agent, reason, target, argv, headers, bodyPreview } = question;
  return {
    ...question,
    ...(agent === undefined ? {} : { agent: clean(agent) }),
    ...(reason === undefined ? {} : { reason: clean(reason) }),
    ...(target === undefined ? {} : { target: clean(target) }),
    ...(argv === undefined ? {} : { argv: argv.map(clean) }),
    ...(headers === undefined ? {} : { headers: headers.map((text) => clean(text).slice(0, longestShown)) }),
    ...(bodyPreview === undefined ? {} : { bodyPreview: clean(bodyPreview) }),
  };
}
