import type { Caller } from "../engine/caller.ts";
import { Failure } from "../engine/failure.ts";
import { shapeOf } from "../engine/placeholder-shape.ts";
import { newToken, shortId } from "../engine/token.ts";
import type { Observed } from "../engine/trail.ts";
import { visible } from "../engine/visible.ts";
import { entropy } from "../host/clock.ts";
import { digest } from "../host/digest.ts";
import { type ChildEnd, endBySignal } from "../host/run/child.ts";
import { inRunFolder } from "../host/run/folder.ts";
import { isInteractive } from "../host/terminal.ts";
import { askOnTerminal } from "./ask-on-terminal.ts";
import type { Arguments, Command, Talk } from "./command.ts";
import { endDeadRuns, ownerOf } from "./dead-runs.ts";
import { withElsewhere } from "./elsewhere.ts";
import { exitCode } from "./exit-code.ts";
import { fail } from "./fail.ts";
import { withJanee } from "./open.ts";
import { runBehind } from "./run-behind.ts";
import { listenForRun } from "./run-listener.ts";
import { LateSecrets } from "./run-secrets.ts";
import { openSummary } from "./run-summary.ts";
import { RunTally } from "./run-tally.ts";
import { callerOf, namesOf } from "./run-wish.ts";
import { watchOver } from "./watch.ts";
import type { Janee } from "./wire-up.ts";

const idLength = 8;
/** A session to say yes to, and a second question where the first one came too late. */
const mostQuestions = 2;
/** As env(1) and timeout(1): the status that no command should have of its own. */
const failed = 125;
const deniedStatus = exitCode("rule_denied");

export const command: Command = {
  usage: "[--capability a,b] [--config FILE --bind NAME=https://origin] [flags] [--] command [arguments]",
  flags: {
    capability: {
      type: "string",
      value: "a,b",
      multiple: true,
      help: "what the command may use (default: all that need no person)",
    },
    agent: { type: "string", value: "NAME", help: "a name for the audit trail" },
    ttl: { type: "string", value: "1h", help: "of each session, where that is shorter than its own" },
    unmatched: {
      type: "string",
      value: "deny|tunnel",
      help: "other hosts: refused (default), or reached without a key",
    },
    pristine: { type: "boolean", help: "give it nothing of this environment but what it needs to start" },
    "first-match": {
      type: "boolean",
      help: "of several capabilities for one address, the first named one decides",
    },
    config: {
      type: "string",
      value: "FILE",
      help: "instead of the home: a config without secrets, as in a repository",
    },
    bind: {
      type: "string",
      value: "NAME=https://origin",
      multiple: true,
      help: "where the value of a variable may go that --config refers to",
    },
    "ca-file": { type: "string", value: "FILE", help: "with --config: a private authority to trust, in PEM" },
    summary: { type: "string", value: "FILE", help: "add what was allowed and denied to it, as Markdown" },
    "fail-on-deny": {
      type: "boolean",
      help: "4 if anything was denied, where the command itself ended with 0",
    },
    mask: { type: "boolean", help: "in GitHub Actions: mask values also where the output is redirected" },
  },
  positionals: { least: 0, most: 0 },
  runsCommand: true,
  notes: [
    "It has placeholders where keys would be, and this proxy. The exit status is its own; 125: janee failed; 126 and",
    "127: it cannot be run, or was not found. It is no sandbox: what the command can reach without the proxy, it can.",
    "A config given with --config takes env:NAME alone, each bound to its origin; of that run nothing is left behind.",
  ],
  run: async (args, talk) => {
    if (args.rest.length === 0) return new Failure("usage", `expected: janee run ${command.usage}`);
    const elsewhere = args.text("config") !== undefined;
    if (!elsewhere && (args.flag("bind") || args.flag("ca-file"))) {
      return new Failure("usage", "--bind and --ca-file go with --config FILE");
    }
    const summary = args.text("summary") === undefined ? undefined : openSummary(args.text("summary") ?? "");
    if (summary instanceof Failure) return summary;
    const tally = new RunTally();
    const observe = (entry: Observed): void => {
      tally.count(entry);
      if (entry.event === "alarm") talk.say(`janee: ALARM: ${visible(entry.message ?? "")}`);
    };
    let tellAlarm = (_message: string): void => {};
    const late = new LateSecrets((message) => {
      observe({ event: "alarm", code: undefined, redactions: 0, message });
      tellAlarm(message);
    });
    const opened = late.learned.bind(late);
    const work = async (janee: Janee): Promise<number | Failure> => {
      tellAlarm = (message) => void janee.note({ event: "alarm", surface: "run", owner: "janee", message });
      const ended = await start(janee, talk, args, { tally, late });
      await summary?.write(janee, talk, tally);
      return ended;
    };
    const result = elsewhere
      ? await withElsewhere(talk, args, work, { shapeOf, observe, opened })
      : await withJanee(talk, work, { shapeOf, observe, opened });
    if (result instanceof Failure) {
      if (result.code === "usage") return result;
      fail(result, talk);
      return failed;
    }
    if (result === 0 && args.flag("fail-on-deny") && tally.counts().denied > 0) {
      talk.say("janee: requests were denied, which fails this run (--fail-on-deny)");
      return deniedStatus;
    }
    return result >= signalled ? endBySignal(signalOf(result)) : result;
  },
};

/** The number of a signal, beyond what an exit status can be: it is raised when everything is closed. */
const signalled = 1000;
const signalNames: NodeJS.Signals[] = [];

function signalOf(result: number): NodeJS.Signals {
  return signalNames[result - signalled] ?? "SIGTERM";
}

function resultOf(end: ChildEnd): number {
  if (end.kind === "signalled") return signalled + signalNames.push(end.signal) - 1;
  return end.status;
}

/** What is kept of a run beside its requests. */
interface Watched {
  readonly tally: RunTally;
  readonly late: LateSecrets;
}

async function start(
  janee: Janee,
  talk: Talk,
  args: Arguments,
  { tally, late }: Watched,
): Promise<number | Failure> {
  if (talk.environment.JANEE_RUN !== undefined) {
    return new Failure("person_required", "this is inside a janee run already, whose capabilities hold", {
      next: "start the command without janee run, or leave the outer one",
    });
  }
  await endDeadRuns(janee);
  const { config } = janee.home.current();
  const names = namesOf(args, config, janee);
  if (names instanceof Failure) return names;
  const id = shortId(entropy, idLength);
  const caller = await callerOf(janee, talk, args, config, names, ownerOf(id));
  if (caller instanceof Failure) return caller;
  const unmatched = args.text("unmatched");
  if (unmatched !== undefined && unmatched !== "deny" && unmatched !== "tunnel") {
    return new Failure("usage", "--unmatched wants deny or tunnel");
  }
  const watch = watchOver(janee, talk);
  let hasBegun = false;
  try {
    const refused = await openSessions(janee, talk, caller, names);
    if (refused) return refused;
    const token = newToken(entropy);
    const listener = await listenForRun(janee, talk, {
      hash: digest.sha256(token),
      caller,
      ...(unmatched === undefined ? {} : { unmatched }),
    });
    if (listener instanceof Failure) return listener;
    hasBegun = true;
    const ran = await inRunFolder(janee.home.path, id, (folder) =>
      runBehind(janee, talk, args, { folder, id, token, listener, caller, names, late }),
    );
    await listener.close();
    await janee.broker.idle();
    return ran instanceof Failure ? ran : resultOf(ran);
  } finally {
    await janee.broker.endSessionsOf(caller, "run");
    watch.stop();
    // Of a run that was refused there is nothing to count: the refusal itself is told.
    const told = hasBegun ? tally.told() : undefined;
    if (told !== undefined) talk.say(told);
  }
}

async function openSessions(
  janee: Janee,
  talk: Talk,
  caller: Caller,
  names: readonly string[],
): Promise<Failure | undefined> {
  for (const capability of names) {
    const wish = { surface: "run", caller, capability, reason: "janee run" };
    let session = await janee.broker.requestAccess(wish);
    for (let asked = 0; session instanceof Failure && session.approval !== undefined; asked++) {
      if (asked === mostQuestions || !mayAsk(talk)) break;
      const refused = await askOnTerminal(janee, talk, "run", session.approval);
      if (refused) return refused;
      session = await janee.broker.requestAccess(wish);
    }
    if (session instanceof Failure && session.code === "approval_pending") {
      return new Failure(
        "person_required",
        `"${capability}" wants a person's yes, and there is no terminal to ask on`,
        {
          next: `run it in a terminal, or let the capability say autoApprove: true; after a revocation: janee grant ${capability}`,
        },
      );
    }
    if (session instanceof Failure) return session;
  }
  return undefined;
}

function mayAsk(talk: Talk): boolean {
  return isInteractive() || talk.environment.JANEE_UNATTENDED === "1";
}
