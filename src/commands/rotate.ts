import { setTimeout as sleep } from "node:timers/promises";
import type { Agent } from "../engine/agents.ts";
import { type Approval, keyOf } from "../engine/approval.ts";
import { RowSeal } from "../engine/authentic.ts";
import { Failure } from "../engine/failure.ts";
import type { Hold } from "../engine/holds.ts";
import type { Store } from "../engine/ports.ts";
import type { Session } from "../engine/session.ts";
import { digest } from "../host/digest.ts";
import type { Command } from "./command.ts";
import { withJanee } from "./open.ts";
import type { Janee } from "./wire-up.ts";

/** Running processes look at vault.json every 50 ms: by then they read rows under either key. */
const untilNoticedMs = 200;

export const command: Command = {
  usage: "",
  flags: {},
  positionals: { least: 0, most: 0 },
  notes: [
    "Sessions, approvals and what runs go on. Killed at any point everything still opens: run it again.",
    "Exports of the key that were made before no longer fit: janee key export.",
  ],
  run: (_args, talk) =>
    withJanee(talk, async (janee) => {
      const unwritten = await note(janee, { outcome: "begun", message: "rotate" });
      if (unwritten) return unwritten;
      let rows: Renewed = { sessions: 0, holds: 0, approvals: 0, agents: 0 };
      const rotated = await janee.home.rotate(async (next) => {
        await sleep(untilNoticedMs);
        const renewed = tryRenew(janee.store, janee.rows, new RowSeal(digest, () => next.rowKey));
        if (renewed instanceof Failure) return renewed;
        rows = renewed;
        return undefined;
      });
      if (rotated instanceof Failure) {
        await note(janee, { outcome: "failed", message: "rotate", code: rotated.code });
        return rotated;
      }
      const { keyRenewed, credentials } = rotated;
      const untold = await note(janee, { outcome: "done", message: "rotate" });
      if (untold) talk.say(`janee: ${untold.message}`);
      if (talk.json) {
        talk.printJson({ keyRenewed, credentials, ...rows });
        return 0;
      }
      talk.print(
        [
          `renewed: the data key${keyRenewed ? " and the key that wraps it" : ""}`,
          `sealed anew: ${counted(credentials, "credential")}`,
          `carried over: ${[counted(rows.sessions, "session"), counted(rows.holds, "hold"), counted(rows.approvals, "approval"), counted(rows.agents, "agent")].join(", ")}`,
        ].join("\n"),
      );
      if (!keyRenewed)
        talk.say("  → the key you gave (JANEE_KEY or JANEE_KEY_FILE) is as it was: janee never changes it");
      talk.say("  → exports of the key that were made before no longer fit: janee key export");
      return 0;
    }),
};

function note(
  janee: Janee,
  entry: { readonly outcome: string; readonly message: string; readonly code?: string },
): Promise<Failure | undefined> {
  return janee.note({ event: "command", surface: "cli", owner: "person", ...entry });
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

interface Renewed {
  readonly sessions: number;
  readonly holds: number;
  readonly approvals: number;
  readonly agents: number;
}

function tryRenew(store: Store, from: RowSeal, to: RowSeal): Renewed | Failure {
  try {
    return store.transaction(() => renewRows(store, from, to));
  } catch (error) {
    const why = error instanceof Error ? error.message : "unknown error";
    return new Failure("store_refused", `the rows of state.db could not be renewed: ${why}`, {
      next: "see that the disk has room, then run janee rotate again: until then both keys open everything",
    });
  }
}

/** A row that does not verify is left as it is: it must not become one that does. */
function renewRows(store: Store, from: RowSeal, to: RowSeal): Renewed {
  let [sessions, holds, approvals, agents] = [0, 0, 0, 0];
  for (const stored of store.sessions({ ended: true })) {
    const session = from.read<Session>("session", stored);
    if (!session) continue;
    const { id, tokenHash, owner, capability, state, endedAt, expiresAt } = session;
    const live = state === "live";
    store.putSession(
      { id, tokenHash, owner, capability, live, until: endedAt ?? expiresAt },
      to.write("session", session),
    );
    if (live) sessions += 1;
  }
  for (const stored of store.holds()) {
    const hold = from.read<Hold>("hold", stored);
    if (!hold) continue;
    store.putHold(hold.owner, hold.capability, to.write("hold", hold));
    holds += 1;
  }
  for (const stored of store.approvals({ decided: true })) {
    const approval = from.read<Approval>("approval", stored);
    if (!approval) continue;
    store.putApproval(keyOf(approval), to.write("approval", approval));
    if (approval.state === "pending") approvals += 1;
  }
  for (const stored of store.agents()) {
    const agent = from.read<Agent>("agent", stored);
    if (!agent) continue;
    store.putAgent(agent, to.write("agent", agent));
    agents += 1;
  }
  return { sessions, holds, approvals, agents };
}
