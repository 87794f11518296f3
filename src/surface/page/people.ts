// What a person sees on the page, and does there: the same acts as of the commands, written down as the page's.
import type { Approval, Approvals, Verdict } from "../../engine/approval.ts";
import type { Broker } from "../../engine/broker.ts";
import { describeQuestion } from "../../engine/describe-question.ts";
import { Failure } from "../../engine/failure.ts";
import { type Revoked, type RevokingParts, revokeEvery, revokeSession } from "../../engine/revoking.ts";
import { judge, type Session } from "../../engine/session.ts";
import { visible } from "../../engine/visible.ts";

const surface = "page";

export interface PeopleParts extends RevokingParts {
  readonly broker: Pick<Broker, "decide" | "recheckInFlight">;
  readonly approvals: Pick<Approvals, "list">;
  /** The last lines of the audit trail, as written. */
  readonly trail: () => readonly string[];
}

/** Times are milliseconds since 1970; every text is safe to show. */
export interface PageState {
  readonly now: number;
  readonly approvals: readonly {
    readonly id: string;
    readonly kind: Approval["kind"];
    readonly lines: readonly string[];
  }[];
  readonly sessions: readonly {
    readonly id: string;
    readonly capability: string;
    readonly who: string;
    readonly reason: string;
    readonly expiresAt: number;
  }[];
  readonly trail: readonly Readonly<Record<string, string>>[];
}

export class People {
  readonly #parts: PeopleParts;

  constructor(parts: PeopleParts) {
    this.#parts = parts;
  }

  state(): PageState {
    const { approvals, sessions, trail } = this.#parts;
    const now = sessions.now();
    const waiting = approvals.list({ decided: false }).filter((one) => one.state === "pending");
    return {
      now,
      approvals: waiting.map((one) => ({ id: one.id, kind: one.kind, lines: describeQuestion(one, now) })),
      sessions: sessions
        .list()
        .filter((session) => !judge(session, now))
        .map(shownSession),
      trail: trail().flatMap(shownLine).reverse(),
    };
  }

  /** Written down; a refusal is the listener's to write, which counts those of one peer together. */
  entered(): Promise<Failure | undefined> {
    const message = "the page was opened";
    return this.#parts.note({ event: "command", surface, owner: "person", outcome: "opened", message });
  }

  async decide(id: string, verdict: unknown): Promise<Failure | undefined> {
    if (verdict !== "once" && verdict !== "session" && verdict !== "declined") {
      return new Failure("bad_request", "verdict is one of once, session, declined");
    }
    const waiting = this.#parts.approvals.list({ decided: false }).find((one) => one.id === id);
    const meant: Verdict = waiting?.kind === "session" && verdict === "once" ? "session" : verdict;
    const decided = await this.#parts.broker.decide(id, meant, { surface, through: "person" });
    if (decided instanceof Failure) return decided;
    if (decided) return undefined;
    return new Failure("approval_expired", "this request no longer waits: it was decided or it expired");
  }

  async revoke(id: string): Promise<Failure | undefined> {
    const revoked = await revokeSession(this.#parts, id, surface);
    if (revoked.ended.length === 0) return new Failure("not_found", "no active session has this id");
    return this.#after(revoked);
  }

  async revokeEverything(): Promise<Failure | undefined> {
    return this.#after(await revokeEvery(this.#parts, undefined, surface));
  }

  #after({ unwritten }: Revoked): Failure | undefined {
    this.#parts.broker.recheckInFlight();
    return unwritten;
  }
}

function shownSession({
  id,
  capability,
  agent,
  owner,
  reason,
  expiresAt,
}: Session): PageState["sessions"][number] {
  return { id, capability, who: visible(agent ?? owner), reason: visible(reason ?? ""), expiresAt };
}

const shownFields = [
  ...[
    "timestamp",
    "event",
    "surface",
    "agent",
    "owner",
    "capability",
    "method",
    "path",
    "status",
    "decision",
  ],
  ...["outcome", "rule", "code", "message", "redactions"],
];

function shownLine(text: string): Readonly<Record<string, string>>[] {
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch {
    return [];
  }
  if (typeof line !== "object" || line === null) return [];
  const entry = line as Readonly<Record<string, unknown>>;
  const shown: Record<string, string> = {};
  for (const name of shownFields) {
    const value = entry[name];
    if (typeof value === "string" || typeof value === "number")
      shown[name] = visible(String(value)).slice(0, 300);
  }
  if (Array.isArray(entry.argv)) shown.path = visible(entry.argv.join(" ")).slice(0, 300);
  return [shown];
}
