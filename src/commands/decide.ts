import type { Approval } from "../engine/approval.ts";
import { Failure } from "../engine/failure.ts";
import type { Arguments, Talk } from "./command.ts";
import { describeQuestion } from "./describe-question.ts";
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
      const decided = janee.approvals.decide(approval.id, decision);
      if (!decided)
        return new Failure("approval_expired", "this request no longer waits: it was decided or it expired");
      if (decision === "approved" && decided.kind === "session") {
        const names = [...janee.home.current().config.capabilities.keys()];
        janee.sessions.lift(decided.owner, decided.capability, names);
      }
      const { id, owner, capability, service, method, target, rule } = decided;
      const unwritten = await janee.note({
        ...{ event: "approval", surface: "cli", outcome: decision, approval: id, owner, capability, service },
        ...(method === undefined ? {} : { method }),
        ...(target === undefined ? {} : { path: target }),
        ...(rule === undefined ? {} : { rule }),
      });
      if (unwritten) talk.say(`janee: ${unwritten.message}`);
      if (talk.json) talk.printJson({ id, decision });
      else talk.print(`${decision} ${id}`);
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
