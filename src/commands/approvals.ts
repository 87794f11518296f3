import type { Approval } from "../engine/approval.ts";
import { describeQuestion } from "../engine/describe-question.ts";
import type { Command, Talk } from "./command.ts";
import { withJanee } from "./open.ts";
import type { Janee } from "./wire-up.ts";

const lookEveryMs = 500;

export const command: Command = {
  usage: "[--watch] [--all]",
  flags: {
    watch: { type: "boolean", help: "go on and show what comes, until stopped" },
    all: { type: "boolean", help: "also what was decided" },
  },
  positionals: { least: 0, most: 0 },
  notes: ["Decide with: janee approve <id>, janee deny <id>"],
  run: (args, talk) =>
    withJanee(
      talk,
      async (janee) => {
        const shown = new Set<string>();
        show(janee, talk, args.flag("all"), shown);
        if (!args.flag("watch")) {
          if (shown.size === 0 && !talk.json) talk.say("nothing waits for a person");
          return 0;
        }
        let stopped = false;
        process.once("SIGINT", () => {
          stopped = true;
        });
        while (!stopped) {
          await new Promise((done) => setTimeout(done, lookEveryMs));
          show(janee, talk, false, shown);
        }
        return 0;
      },
      { toStop: true },
    ),
};

function show(janee: Janee, talk: Talk, decided: boolean, shown: Set<string>): void {
  const fresh = janee.approvals.list({ decided }).filter(({ id }) => !shown.has(id));
  for (const approval of fresh) shown.add(approval.id);
  if (talk.json) talk.printJson(fresh.map(published));
  else for (const approval of fresh) talk.print(describeQuestion(approval, janee.sessions.now()).join("\n"));
}

function published(approval: Approval): object {
  const { binding: _, askedAt, expiresAt, decidedAt, ...rest } = approval;
  return {
    ...rest,
    askedAt: new Date(askedAt).toISOString(),
    expiresAt: new Date(expiresAt).toISOString(),
    ...(decidedAt === undefined ? {} : { decidedAt: new Date(decidedAt).toISOString() }),
  };
}
