import { judge, type Session } from "../engine/session.ts";
import { timeLeft } from "../engine/time-left.ts";
import { columns } from "./columns.ts";
import type { Command } from "./command.ts";
import { endDeadRuns } from "./dead-runs.ts";
import { withJanee } from "./open.ts";

export const command: Command = {
  usage: "[--all]",
  flags: { all: { type: "boolean", help: "also the ended ones" } },
  positionals: { least: 0, most: 0 },
  run: (args, talk) =>
    withJanee(
      talk,
      async (janee) => {
        const { sessions } = janee;
        // One whose janee run was killed is live for nobody.
        await endDeadRuns(janee);
        const now = sessions.now();
        const shown = sessions
          .list({ ended: args.flag("all") })
          .map((session) => describe(session, now))
          .filter(({ state }) => args.flag("all") || state === "live");
        if (talk.json) talk.printJson(shown);
        else if (shown.length === 0) talk.say("no active sessions");
        else talk.print(columns([headings, ...shown.map((one) => row(one, now))]));
        return 0;
      },
      { toStop: true },
    ),
};

const headings = ["ID", "CAPABILITY", "STATE", "LEFT", "AGENT", "OWNER", "REASON"];

type Shown = Omit<Session, "tokenHash" | "createdAt" | "expiresAt" | "endedAt"> & {
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly endedAt?: string;
};

function describe(session: Session, now: number): Shown {
  const { tokenHash: _, createdAt, expiresAt, endedAt, ...rest } = session;
  const state = session.state === "live" && judge(session, now) ? "expired" : session.state;
  return {
    ...rest,
    state,
    createdAt: new Date(createdAt).toISOString(),
    expiresAt: new Date(expiresAt).toISOString(),
    ...(endedAt === undefined ? {} : { endedAt: new Date(endedAt).toISOString() }),
  };
}

function row(session: Shown, now: number): string[] {
  const left = session.state === "live" ? timeLeft(Date.parse(session.expiresAt) - now) : "-";
  const { id, capability, state, agent = "-", owner, reason = "" } = session;
  return [id, capability, state, left, agent, owner, reason.slice(0, 60)];
}
