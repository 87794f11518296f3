// What a person decided, whichever way the answer came.
import type { Approval, Approvals, Verdict } from "./approval.ts";
import { Failure } from "./failure.ts";
import type { Policy, Store } from "./ports.ts";
import type { Sessions } from "./session.ts";
import type { Trail } from "./trail.ts";

/** `client`: it came through the agent's own client, which a person may or may not have seen. */
export type Way = { readonly surface: string; readonly through: "client" | "person" };

export interface ConsentParts {
  readonly policy: Policy;
  readonly store: Store;
  readonly sessions: Sessions;
  readonly approvals: Approvals;
}

export class Consent {
  readonly #parts: ConsentParts;
  readonly #trail: Trail;

  constructor(parts: ConsentParts, trail: Trail) {
    this.#parts = parts;
    this.#trail = trail;
  }

  /** undefined: nothing waits under this id any more. */
  async decide(id: string, verdict: Verdict, way: Way): Promise<Approval | Failure | undefined> {
    const { store, approvals, sessions, policy } = this.#parts;
    const { config } = policy.current();
    const waiting = approvals.byId(id);
    if (!waiting) return undefined;
    const outOfBand = config.capabilities.get(waiting.capability)?.approval === "out-of-band";
    if (way.through === "client" && outOfBand && verdict !== "declined") {
      return new Failure("approval_pending", "a yes for this capability does not come through the client");
    }
    const decided = store.transaction(() => {
      const approval = approvals.decide(id, verdict);
      if (approval?.state === "approved" && approval.kind === "session") {
        sessions.holds.lift(approval.owner, approval.capability, [...config.capabilities.keys()]);
      }
      return approval;
    });
    if (!decided) return undefined;
    const { owner, agent, capability, service, method, target, rule } = decided;
    const unwritten = await this.#trail.note({
      ...{ event: "approval", surface: way.surface, outcome: decided.state, approval: id },
      ...{ owner, capability, service },
      ...(agent === undefined ? {} : { agent }),
      ...(method === undefined ? {} : { method }),
      ...(target === undefined ? {} : { path: target }),
      ...(rule === undefined ? {} : { rule }),
      message: `${verdict} through ${throughText(way)}`,
    });
    return unwritten ?? decided;
  }
}

function throughText({ surface, through }: Way): string {
  if (through === "client") return "the agent's client";
  return surface === "page" ? "the page" : "a person's command";
}
