// A child from its start until nothing is left of it.
import type { ChildProcess } from "node:child_process";
import { Failure } from "../../engine/failure.ts";
import type { Lifeline, SpawnEnd, SpawnOrder } from "../../engine/ports.ts";
import { endKin, killNow } from "./end.ts";
import { began, closed, ended, kinOf, opened, type Run } from "./kin.ts";
import { feed, Outputs } from "./pipes.ts";
import { listsChildren } from "./processes.ts";
import type { Ready } from "./ready.ts";
import { removeScratchNow } from "./scratch.ts";

/** How long a pipe may be quiet, and how long it may go on, after everything that could write should be gone. */
const quietMs = 50;
const drainMs = 2_000;

/** A command that multiplies is ended while there is still room on the machine to end it. */
const mostKin = 500;
const countEveryMs = 50;

type Ending =
  | { readonly kind: "exited" | "deadline" }
  | { readonly kind: "cut" | "failed"; readonly failure: Failure };

export async function follow(
  child: ChildProcess,
  run: Run,
  scratch: string,
  order: SpawnOrder,
  lifeline: Lifeline,
  reach: Ready,
): Promise<SpawnEnd | Failure> {
  const start = performance.now();
  const outputs = new Outputs(child, order.output);
  let exit: { readonly code: number | null; readonly signal: string | null } | undefined;
  const exited = new Promise<void>((done) => {
    child.once("exit", (code, signal) => {
      ended(run.pid);
      exit = { code, signal };
      done();
    });
  });
  const failed = new Promise<Ending>((done) => {
    child.on("error", (error) => done({ kind: "failed", failure: notStarted(error) }));
  });
  if (child.pid === undefined) {
    const ending = await failed;
    return ending.kind === "failed" ? ending.failure : notStarted(undefined);
  }
  const leave = goingOn(run, scratch, reach);
  feed(child, order.stdin);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let counting: ReturnType<typeof setInterval> | undefined;
  const ending = await Promise.race([
    failed,
    exited.then((): Ending => ({ kind: "exited" })),
    new Promise<Ending>((done) => {
      timer = setTimeout(() => done({ kind: "deadline" }), order.timeoutMs);
    }),
    new Promise<Ending>((done) => {
      if (!reach.adopting || !listsChildren) return;
      counting = setInterval(() => {
        if (kinOf(run, true).length > mostKin) done({ kind: "failed", failure: tooMany() });
      }, countEveryMs);
    }),
    new Promise<Ending>((done) => {
      lifeline.onCut((failure) => done({ kind: "cut", failure }));
    }),
  ]);
  clearTimeout(timer);
  clearInterval(counting);
  const durationMs = Math.round(performance.now() - start);
  await endKin(run, reach, () => exit === undefined);
  if (ending.kind !== "cut") await outputs.drained(quietMs, drainMs);
  outputs.stop();
  if (!exit) await Promise.race([exited, pause(quietMs)]);
  leave();
  lifeline.onCut(undefined);
  if (lifeline.cutBy) return lifeline.cutBy;
  if (ending.kind === "failed") return ending.failure;
  return {
    exitCode: exit?.code ?? null,
    signal: exit ? exit.signal : "SIGKILL",
    timedOut: ending.kind === "deadline",
    durationMs,
  };
}

/** What runs when this process ends by itself: its commands end with it. */
const current = new Set<() => void>();
let watching = false;

function goingOn(run: Run, scratch: string, reach: Ready): () => void {
  began(run.pid);
  opened(run);
  const stop = (): void => {
    closed(run);
    killNow(run, reach);
    removeScratchNow(scratch);
  };
  current.add(stop);
  if (!watching) {
    watching = true;
    process.on("exit", () => {
      for (const one of current) one();
    });
  }
  return () => {
    closed(run);
    current.delete(stop);
  };
}

/** The error's text holds arguments; its name does not. */
export function notStarted(error: unknown): Failure {
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? "unknown error";
  return new Failure("spawn_failed", `the command could not be started (${code})`, {
    next: "start it by hand, and see that it runs on this machine",
  });
}

function tooMany(): Failure {
  return new Failure("spawn_failed", `the command started more than ${mostKin} processes, and was ended`, {
    next: "run what needs so many without janee",
  });
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds));
}
