import type { CommandReply } from "../engine/exec/call.ts";
import { Failure } from "../engine/failure.ts";
import { Lifeline } from "../engine/ports.ts";
import { shortId } from "../engine/token.ts";
import { entropy } from "../host/clock.ts";
import { onStopSignal } from "../host/stop-signals.ts";
import { readInput, writeOutput } from "../host/terminal.ts";
import { shown } from "../surface/mcp/exec.ts";
import { askOnTerminal } from "./ask-on-terminal.ts";
import type { Command, Talk } from "./command.ts";
import { withJanee } from "./open.ts";
import { watchOver } from "./watch.ts";
import type { Janee } from "./wire-up.ts";

const ownerIdLength = 8;
/** A session to say yes to, and then the command itself. */
const mostQuestions = 2;
/** As a shell says it: 128 and the number of the signal. */
const signals: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGKILL: 9,
  SIGPIPE: 13,
  SIGTERM: 15,
};
const timedOutStatus = 124;

export const command: Command = {
  usage: "<capability> [--cwd DIR] [--stdin] [--reason TEXT] -- command [arguments]",
  flags: {
    cwd: { type: "string", value: "DIR", help: "a folder inside the capability's workDir" },
    stdin: { type: "boolean", help: "pass standard input on; without this the command reads nothing" },
    reason: { type: "string", value: "TEXT", help: "why, for the audit trail" },
  },
  takesRest: true,
  positionals: { least: 1, most: 1 },
  notes: [
    "The exit status is the command's own; 124: it ran out of time. Its output is scrubbed.",
    "What needs a person's yes is asked on the terminal.",
  ],
  run: (args, talk) => {
    if (args.rest.length === 0) {
      return Promise.resolve(new Failure("usage", `expected: janee exec ${command.usage}`));
    }
    const wish = {
      capability: args.positionals[0] ?? "",
      command: args.rest,
      cwd: args.text("cwd"),
      stdin: args.flag("stdin"),
      reason: args.text("reason"),
    };
    return withJanee(talk, (janee) => exec(janee, talk, wish));
  },
};

interface Wish {
  readonly capability: string;
  readonly command: readonly string[];
  readonly cwd: string | undefined;
  readonly stdin: boolean;
  readonly reason: string | undefined;
}

async function exec(janee: Janee, talk: Talk, wish: Wish): Promise<number | Failure> {
  const stdin = wish.stdin ? await readInput() : Buffer.alloc(0);
  if (stdin instanceof Failure) return stdin;
  const caller = { owner: `exec:${shortId(entropy, ownerIdLength)}` };
  const lifeline = new Lifeline();
  const stop = (): void => lifeline.cut(new Failure("client_closed", "stopped by a signal"));
  onStopSignal(stop);
  const { cwd, reason } = wish;
  const run = (): Promise<CommandReply | Failure> =>
    janee.broker.run({
      surface: "exec",
      peer: caller.owner,
      by: { caller },
      ...{ capability: wish.capability, command: wish.command, stdin, lifeline },
      ...(cwd === undefined ? {} : { cwd }),
      ...(reason === undefined ? {} : { reason }),
      ...(talk.json ? {} : { output: writeOutput }),
    });
  const watch = watchOver(janee, talk);
  try {
    let reply = await run();
    for (let asked = 0; reply instanceof Failure && reply.approval !== undefined; asked++) {
      if (asked === mostQuestions) return reply;
      const refused = await askOnTerminal(janee, talk, "exec", reply.approval);
      if (refused) return refused;
      reply = await run();
    }
    return reply instanceof Failure ? reply : told(talk, reply);
  } finally {
    await janee.broker.endSessionsOf(caller, "exec");
    watch.stop();
  }
}

function told(talk: Talk, { exitCode, signal, stdout, stderr, durationMs, timedOut }: CommandReply): number {
  if (talk.json) {
    const [out, err] = [shown(stdout), shown(stderr)];
    talk.printJson({
      exitCode,
      signal,
      stdout: out.text,
      ...(out.isText ? {} : { stdoutEncoding: "base64" }),
      stderr: err.text,
      ...(err.isText ? {} : { stderrEncoding: "base64" }),
      durationMs,
      timedOut,
      omitted: stdout.omitted + stderr.omitted,
    });
  } else if (timedOut) talk.say("janee: the command ran out of time and was ended");
  if (timedOut) return timedOutStatus;
  return exitCode ?? 128 + (signals[signal ?? ""] ?? 0);
}
