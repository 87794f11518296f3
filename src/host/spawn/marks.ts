// How a descendant is known once its parents are gone. Two marks that every child inherits: a variable, which
// `env -i` drops, and an odd limit on real-time processor use (some 146,000 years), which only a process that
// sets out to hide would change.
import { type Libc, realtime, unlimited } from "./libc.ts";
import { limitOf, variableOf } from "./processes.ts";

export const markVariable = "JANEE_RUN";

export interface Mark {
  /** The name of the run, in the variable. */
  readonly name: string;
  /** undefined where limits cannot be set. */
  readonly limit: bigint | undefined;
}

const smallest = 1n << 62n;
const [first = 0, second = 0] = crypto.getRandomValues(new Uint32Array(2));
const mine = smallest + (BigInt(first) << 24n);
/** Of no run; not to be guessed from the mark of one. */
const apart = smallest + (BigInt(second) << 24n) + 0xff_ffffn;
let used = 0n;
let known: Libc | undefined;

export function newMark(name: string, libc: Libc): Mark {
  known = libc;
  const room = libc.limit(realtime)?.hard === unlimited;
  used += 1n;
  return { name, limit: room ? mine + used : undefined };
}

/** Starts a child that inherits the mark. Nothing else starts in between: this is one synchronous stretch. */
export function marked<T>(mark: Mark, libc: Libc, start: () => T): T {
  const before = mark.limit === undefined ? undefined : libc.limit(realtime);
  if (!before || mark.limit === undefined) return start();
  libc.setLimit(realtime, { soft: mark.limit, hard: before.hard });
  try {
    return start();
  } finally {
    libc.setLimit(realtime, before);
  }
}

/** Starts what is no run's, so that what it leaves behind is not taken for a run's that hides. */
export function markedApart<T>(start: () => T): T {
  return known?.limit(realtime)?.hard === unlimited
    ? marked({ name: "", limit: apart }, known, start)
    : start();
}

export function bears(pid: number, mark: Mark): boolean {
  if (mark.limit !== undefined && limitMark(pid) === mark.limit) return true;
  return variableOf(pid, markVariable) === mark.name;
}

/** Bears the mark of some run of this process, maybe one that is over. */
export function bearsAny(pid: number): boolean {
  const limit = limitMark(pid);
  return limit !== undefined && limit > mine && limit <= mine + used;
}

export function isApart(pid: number): boolean {
  return limitMark(pid) === apart;
}

function limitMark(pid: number): bigint | undefined {
  return limitOf(pid, "Max realtime timeout");
}
