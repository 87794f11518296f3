import type { Approval } from "../engine/approval.ts";
import { describeQuestion } from "../engine/describe-question.ts";
import { Failure } from "../engine/failure.ts";
import type { Arguments, Talk } from "./command.ts";
import { withJanee } from "./open.ts";
import { refuseWithoutPerson } from "./person.ts";
import type { Janee } from "./wire-up.ts";

/** `approve` and `deny`: a yes needs a person, a no does not. */
export function decide(
  args: Arguments,
  talk: Talk,
  decision: "approved" | "declined",
): Promise<number | Failure> {
  return withJanee(
    talk,
    async (janee) => {
      const approval = find(janee, args.positionals[0] ?? "");
      if (approval instanceof Failure) return approval;
      if (decision === "approved") {
        const refused = await refuseWithoutPerson(janee, talk, {
          command: `approve ${approval.id}`,
          stakes: describeQuestion(approval, janee.sessions.now()),
          need: `approve ${approval.id}`,
          ask: "approve this?",
        });
        if (refused) return refused;
      }
      const scope = approval.kind === "session" || args.flag("session") ? "session" : "once";
      const verdict = decision === "approved" ? scope : decision;
      const decided = await janee.broker.decide(approval.id, verdict, { surface: "cli", through: "person" });
      if (!decided)
        return new Failure("approval_expired", "this request no longer waits: it was decided or it expired");
      if (decided instanceof Failure) talk.say(`janee: ${decided.message}`);
      if (talk.json)
        talk.printJson({ id: approval.id, decision, ...(decision === "approved" ? { scope } : {}) });
      else talk.print(`${decision} ${approval.id}`);
      return 0;
    },
    { toStop: decision === "declined" },
  );
}

function find(janee: Janee, id: string): Approval | Failure {
  const waiting = janee.approvals.list({ decided: false }).filter((approval) => approval.id.startsWith(id));
  const [first, second] = waiting;
  if (first && !second) return first;
  if (second)
    return new Failure("ambiguous_id", `"${id}" is the beginning of several ids`, {
      next: "type more of it",
    });
  const decided = janee.approvals.list({ decided: true }).find((approval) => approval.id === id);
  if (decided) return new Failure("not_found", `this was already ${decided.state}: it no longer waits`);
  return new Failure("not_found", `nothing waits under the id "${id.slice(0, 20)}"`, {
    next: "janee approvals shows what waits",
  });
}
