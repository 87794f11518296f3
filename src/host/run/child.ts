// A command on the terminal of janee itself: it has the same stdin, stdout and stderr, and its signals pass through.
import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { isatty } from "node:tty";

export type ChildEnd =
  | { readonly kind: "exited"; readonly status: number }
  | { readonly kind: "signalled"; readonly signal: NodeJS.Signals }
  | { readonly kind: "unstarted"; readonly status: 126 | 127; readonly why: string };

/** Sent to janee alone, by whoever manages it. */
const passedOn: readonly NodeJS.Signals[] = ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"];
const arrivesWithinMs = 500;
const windows = process.platform === "win32";
/** Typed on a terminal they reach every process of the group: janee stays, and does not send them a second time. */
const typed: readonly NodeJS.Signals[] = ["SIGINT", "SIGQUIT"];

export async function runChild(
  command: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<ChildEnd> {
  const end = await runAs(command, environment);
  // A script that names no interpreter is the shell's, as for execvp(3), env(1) and every shell; Deno does so by itself.
  return end.kind === "unstarted" && end.why === "ENOEXEC" && !windows
    ? told(await runAs(["/bin/sh", "-c", 'exec "$0" "$@"', ...command], environment))
    : told(end);
}

/** The reason in words. */
function told(end: ChildEnd): ChildEnd {
  if (end.kind !== "unstarted") return end;
  return { ...end, why: end.status === 127 ? "it was not found" : `it cannot be run (${end.why})` };
}

function runAs(
  [file = "", ...args]: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<ChildEnd> {
  return new Promise((done) => {
    const onTerminal = [0, 1, 2].some((descriptor) => isatty(descriptor));
    let child: ChildProcess | undefined;
    // What comes before there is a child is for it all the same.
    let early: NodeJS.Signals | undefined;
    const pass = (signal: NodeJS.Signals): void => {
      if (child) send(child, signal);
      else early = signal;
    };
    const stay = (): void => {};
    const listeners = [
      ...passedOn.map((signal) => [signal, pass] as const),
      ...typed.map((signal) => [signal, onTerminal ? stay : pass] as const),
    ];
    for (const [signal, listener] of listeners) process.on(signal, listener);
    const finish = (end: ChildEnd): void => {
      for (const [signal, listener] of listeners) process.removeListener(signal, listener);
      done(end);
    };
    // Bun throws what others tell the listener of errors; no name at all is refused by every runtime.
    const unstarted = ({ code = "", message }: NodeJS.ErrnoException): void =>
      finish({
        kind: "unstarted",
        status: code === "ENOENT" || file === "" ? 127 : 126,
        why: code || message,
      });
    try {
      child = spawn(file, args, { env: { ...environment }, stdio: "inherit" });
    } catch (error) {
      return unstarted(error instanceof Error ? error : new Error(String(error)));
    }
    if (early) send(child, early);
    const started = child;
    started.once("error", (error: NodeJS.ErrnoException) => {
      if (started.pid === undefined) unstarted(error);
    });
    started.once("exit", (status, signal) => {
      if (started.pid === undefined) return;
      finish(signal === null ? { kind: "exited", status: status ?? 0 } : { kind: "signalled", signal });
    });
  });
}

/** By its id: after `child.kill()` Deno reports the signal, whatever the status was. */
function send({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile, which is about to be told.
  }
}

/** As the child ended, so does janee: a parent that looks finds the same signal. */
export async function endBySignal(signal: NodeJS.Signals): Promise<number> {
  const ends: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP", "SIGKILL"];
  if (ends.includes(signal)) {
    process.kill(process.pid, signal);
    // Nothing comes back from this, unless the signal is ignored here.
    await pause(arrivesWithinMs);
  }
  return 128 + (constants.signals[signal] ?? 0);
}
