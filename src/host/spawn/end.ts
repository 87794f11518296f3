// Ends a run's processes, every one: asked first, then stopped so that none can slip away, then killed.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { kinOf, type Run, reapOrphans } from "./kin.ts";
import type { Libc } from "./libc.ts";
import type { Process } from "./processes.ts";

/** From TERM to KILL. */
const askedMs = 100;
const lookMs = 8;
/** One that the kernel will not let go of (a disk that hangs) is given up. */
const patienceMs = 3_000;

export interface Reach {
  readonly libc: Libc;
  readonly adopting: boolean;
}

/** `childLives`: the child itself has not ended. False when something was left. */
export async function endKin(run: Run, reach: Reach, childLives: () => boolean): Promise<boolean> {
  if (process.platform === "linux") return endLinux(run, reach);
  if (process.platform === "win32") return endWindows(run, childLives);
  return endGroup(run);
}

/** The children that /proc lists can miss one while another ends, so that "none" is asked for twice. */
function living(run: Run, reach: Reach): Process[] {
  const found = kinOf(run, reach.adopting);
  return found.length > 0 ? found : kinOf(run, reach.adopting);
}

async function endLinux(run: Run, reach: Reach): Promise<boolean> {
  const start = performance.now();
  const asked = new Set<string>();
  let kin = living(run, reach);
  while (kin.length > 0 && performance.now() - start < askedMs) {
    for (const one of kin) {
      const key = `${one.pid}:${one.started}`;
      if (!asked.has(key)) signal(one.pid, "SIGTERM");
      asked.add(key);
    }
    await sleep(lookMs);
    reapOrphans(reach.libc);
    kin = living(run, reach);
  }
  while (kin.length > 0 && performance.now() - start < patienceMs) {
    killNow(run, reach);
    await sleep(lookMs / 2);
    reapOrphans(reach.libc);
    kin = living(run, reach);
  }
  reapOrphans(reach.libc);
  return kin.length === 0;
}

/** What is stopped cannot fork: when a walk finds no new one, all are held, and all are killed. */
export function killNow(run: Run, reach: Reach): void {
  if (process.platform !== "linux") {
    signal(process.platform === "win32" ? run.pid : -run.pid, "SIGKILL");
    return;
  }
  const held = new Map<number, Process>();
  const longest = performance.now() + patienceMs;
  for (let news = true; news && performance.now() < longest; ) {
    const fresh = kinOf(run, reach.adopting).filter(({ pid }) => !held.has(pid));
    for (const one of fresh) held.set(one.pid, one);
    signalAll(run, fresh, "SIGSTOP");
    news = fresh.length > 0;
  }
  signalAll(run, [...held.values()], "SIGKILL");
}

function signalAll(run: Run, kin: readonly Process[], name: "SIGSTOP" | "SIGKILL"): void {
  // The group at one blow, while it is seen to be the run's.
  if (kin.some(({ group }) => group === run.pid)) signal(-run.pid, name);
  for (const { pid } of kin) signal(pid, name);
}

async function endGroup(run: Run): Promise<boolean> {
  const start = performance.now();
  signal(-run.pid, "SIGTERM");
  while (signal(-run.pid, 0) && performance.now() - start < patienceMs) {
    if (performance.now() - start >= askedMs) signal(-run.pid, "SIGKILL");
    await sleep(lookMs);
  }
  return !signal(-run.pid, 0);
}

/** Windows has no TERM, and a pid that has ended can be another's. */
function endWindows(run: Run, childLives: () => boolean): Promise<boolean> {
  if (!childLives()) return Promise.resolve(true);
  const tool = join(process.env.SystemRoot ?? "C:\\Windows", "System32", "taskkill.exe");
  return new Promise((done) => {
    execFile(
      tool,
      ["/PID", String(run.pid), "/T", "/F"],
      { timeout: patienceMs, windowsHide: true },
      (error) => done(!error),
    );
  });
}

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    // It has ended already, or belongs to another user.
    return false;
  }
}
