// Who belongs to a run: its child, the child's descendants, and those of them whose parents are gone.
import type { Libc } from "./libc.ts";
import { bears, bearsAny, isApart, type Mark } from "./marks.ts";
import { childrenOf, everyProcess, listsChildren, type Process, processOf } from "./processes.ts";

export interface Run {
  readonly mark: Mark;
  /** The child itself. */
  readonly pid: number;
  readonly started: number;
}

/** The children of this process that a run is for, until the runtime has said how they ended. */
const direct = new Set<number>();

export function began(pid: number): void {
  direct.add(pid);
}

export function ended(pid: number): void {
  direct.delete(pid);
}

/** Runs of which something may be left. */
const open = new Set<Run>();

export function opened(run: Run): void {
  open.add(run);
}

export function closed(run: Run): void {
  open.delete(run);
}

/**
 * An orphan that is younger than the run and bears the mark of none that is open: it has put off its own. When it could
 * be of several, it is of the last one that is open: no run ends what is another's, and each has a deadline.
 */
function hides(pid: number, run: Run): boolean {
  if (run.mark.limit === undefined || isApart(pid)) return false;
  const one = processOf(pid);
  if (!one || one.ended || one.started < run.started) return false;
  const others = [...open].filter((other) => other !== run);
  return others.every((other) => other.started > one.started && !bears(pid, other.mark));
}

/** The living members of a run. */
export function kinOf(run: Run, adopting: boolean): Process[] {
  return adopting && listsChildren ? adopted(run) : searched(run);
}

/** Every member is below this process, for it adopts orphans: only its own branch is walked. */
function adopted(run: Run): Process[] {
  const found: Process[] = [];
  const heads = childrenOf("self").filter((pid) =>
    direct.has(pid) ? pid === run.pid : bears(pid, run.mark) || hides(pid, run),
  );
  const seen = new Set<number>();
  for (const pids = [...heads]; ; ) {
    const pid = pids.pop();
    if (pid === undefined) return found;
    if (seen.has(pid)) continue;
    seen.add(pid);
    const one = processOf(pid);
    if (!one) continue;
    if (!one.ended) found.push(one);
    pids.push(...childrenOf(pid));
  }
}

/** Orphans went to init: each process that is younger than the run is looked at. */
function searched(run: Run): Process[] {
  const all = everyProcess();
  const below = new Map<number, Process[]>();
  for (const one of all) below.set(one.parent, [...(below.get(one.parent) ?? []), one]);
  const isHead = (one: Process): boolean =>
    direct.has(one.pid) ? one.pid === run.pid : one.started >= run.started && bears(one.pid, run.mark);
  const found = new Map<number, Process>();
  for (const open = all.filter(isHead); ; ) {
    const one = open.pop();
    if (!one) return [...found.values()].filter(({ ended }) => !ended);
    if (found.has(one.pid)) continue;
    found.set(one.pid, one);
    open.push(...(below.get(one.pid) ?? []));
  }
}

/** Dead adopted ones that bear no mark, when they were first seen: some other child's orphans, in all likelihood. */
const waiting = new Map<string, number>();
const patienceMs = 10_000;

/**
 * Takes the status of adopted children that have ended. Never of a child that the runtime itself waits for: those
 * bear no mark, or are still in `direct`; an unmarked one must have been dead for longer than any runtime would wait.
 */
export function reapOrphans(libc: Libc): void {
  if (!listsChildren) return;
  const now = performance.now();
  for (const pid of childrenOf("self")) {
    if (direct.has(pid)) continue;
    const one = processOf(pid);
    if (!one?.ended || one.parent !== process.pid) continue;
    const key = `${pid}:${one.started}`;
    const since = waiting.get(key) ?? now;
    waiting.set(key, since);
    if (bearsAny(pid) || now - since > patienceMs) libc.reap(pid);
  }
  for (const [key, since] of waiting) if (now - since > 10 * patienceMs) waiting.delete(key);
}
