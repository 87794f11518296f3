// A question that waits for a person, put to the one at the terminal.
import { describeQuestion } from "../engine/describe-question.ts";
import { Failure } from "../engine/failure.ts";
import type { Talk } from "./command.ts";
import { refuseWithoutPerson } from "./person.ts";
import type { Janee } from "./wire-up.ts";

/** undefined: it was answered with yes. */
export async function askOnTerminal(
  janee: Janee,
  talk: Talk,
  command: string,
  id: string,
): Promise<Failure | undefined> {
  const approval = janee.approvals.byId(id);
  if (!approval) return new Failure("approval_expired", "this no longer waits: it was decided or it expired");
  const refused = await refuseWithoutPerson(janee, talk, {
    command: `${command}: approve ${id}`,
    stakes: describeQuestion(approval, janee.sessions.now()),
    need: `"${approval.capability}" waits for an approval`,
    ask: "run it?",
  });
  const way = { surface: "cli", through: "person" } as const;
  const verdict = refused ? "declined" : approval.kind === "session" ? "session" : "once";
  const decided = await janee.broker.decide(id, verdict, way);
  return refused ?? (decided instanceof Failure ? decided : undefined);
}
