// What only a person does: shown with what is at stake, answered on a terminal, and written down.
import { Failure } from "../engine/failure.ts";
import { visible } from "../engine/visible.ts";
import { askYes, isInteractive } from "../host/terminal.ts";
import type { Talk } from "./command.ts";
import type { Janee } from "./wire-up.ts";

/** undefined: a person said yes, or JANEE_UNATTENDED=1 stands for one (which is audited). */
export async function refuseWithoutPerson(
  janee: Janee,
  talk: Talk,
  question: {
    readonly command: string;
    readonly stakes: readonly string[];
    readonly need?: string;
    readonly ask: string;
  },
): Promise<Failure | undefined> {
  const unattended = talk.environment.JANEE_UNATTENDED === "1";
  if (!unattended) {
    if (!isInteractive()) {
      return new Failure(
        "person_required",
        `${question.need ?? question.command}: that wants a person's yes on a terminal`,
        {
          next: "run it in a terminal; in CI and tests, JANEE_UNATTENDED=1 stands for the yes and is audited",
        },
      );
    }
    for (const line of question.stakes) talk.say(visible(line));
    if (!(await askYes(question.ask)))
      return new Failure("person_required", "not confirmed: nothing was changed");
  }
  return janee.note({
    event: "command",
    surface: "cli",
    owner: "person",
    outcome: unattended ? "unattended" : "confirmed",
    message: question.command,
    changes: question.stakes.map((line) => line.slice(0, 300)),
  });
}
