// A private folder for each run, gone afterwards; those of a janee that was killed are swept by the next one.
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import type { Failure } from "../../engine/failure.ts";
import { broken, checkPrivate } from "../files.ts";
import { markVariable } from "./marks.ts";
import { everyProcess, pidNamespace, processOf, variableOf } from "./processes.ts";

const linux = process.platform === "linux";
/** Of another container's janee nothing is known but the age of its folder. */
const foreignStaleMs = 24 * 60 * 60_000;

/** Who made it: so that it is told from one of a process that is gone, even where the pid is used again. */
function prefix(): string {
  const started = linux ? (processOf("self")?.started ?? 0) : 0;
  return `${process.pid}.${started}.${linux ? pidNamespace() : 0}`;
}

export function makeScratch(home: string): string | Failure {
  const folder = join(home, "run");
  const path = join(folder, `${prefix()}.${randomBytes(8).toString("hex")}`);
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    const refused = checkPrivate(folder, "folder");
    if (refused) return refused;
    fs.mkdirSync(path, { mode: 0o700 });
    return path;
  } catch (error) {
    return broken(error, `make a folder in ${folder}`);
  }
}

export async function removeScratch(path: string): Promise<void> {
  try {
    fs.rmdirSync(path);
  } catch {
    await fs.promises.rm(path, { recursive: true, force: true }).catch(() => {
      // Folders closed even to their owner (module caches make such ones): opened, then removed.
      openUp(path);
      return fs.promises.rm(path, { recursive: true, force: true }).catch(() => undefined);
    });
  }
}

/** For the end of the process, when nothing can be waited for. */
export function removeScratchNow(path: string): void {
  try {
    fs.rmSync(path, { recursive: true, force: true });
  } catch {
    // The next janee sweeps it.
  }
}

function openUp(folder: string): void {
  try {
    fs.chmodSync(folder, 0o700);
    for (const entry of fs.readdirSync(folder, { withFileTypes: true }))
      if (entry.isDirectory()) openUp(join(folder, entry.name));
  } catch {
    // What cannot be opened stays; the sweep tries again.
  }
}

/** Folders of processes that are gone, and what still runs of the commands they were for. */
export async function sweep(home: string): Promise<void> {
  const folder = join(home, "run");
  let names: string[];
  try {
    names = fs.readdirSync(folder);
  } catch {
    return;
  }
  const stale = new Set(names.filter((name) => isStale(join(folder, name), name)));
  if (stale.size === 0) return;
  if (linux) {
    for (const { pid } of everyProcess()) {
      const run = variableOf(pid, markVariable);
      if (run !== undefined && stale.has(run)) kill(pid);
    }
  }
  for (const name of stale) await removeScratch(join(folder, name));
}

function isStale(path: string, name: string): boolean {
  const [, pid, started, namespace] = /^(\d+)\.(\d+)\.(\d+)\.[0-9a-f]{16}$/.exec(name) ?? [];
  if (pid === undefined) return false;
  if (name.startsWith(`${prefix()}.`)) return false;
  if (linux && namespace !== pidNamespace()) {
    const stat = fs.lstatSync(path, { throwIfNoEntry: false });
    return stat !== undefined && Date.now() - stat.mtimeMs > foreignStaleMs;
  }
  if (linux) return processOf(Number(pid))?.started !== Number(started);
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Gone by itself.
  }
}
