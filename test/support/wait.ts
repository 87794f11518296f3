// Bounded waiting: no test hangs, and none relies on a sleep being long enough.
import { readFileSync } from "node:fs";

export function pause(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds));
}

export class Overdue extends Error {
  constructor(what: string, milliseconds: number) {
    super(`${what} did not come within ${milliseconds} ms`);
  }
}

/** The result of `work`, or a failure that says what did not come. */
export async function within<T>(milliseconds: number, work: Promise<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, failed) => {
    timer = setTimeout(() => failed(new Overdue(what, milliseconds)), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Looks again and again until `look` gives something, for at most `milliseconds`. */
export async function until<T>(
  milliseconds: number,
  what: string,
  look: () => T | undefined | false,
): Promise<T> {
  const end = performance.now() + milliseconds;
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() >= end) throw new Overdue(what, milliseconds);
    await pause(5);
  }
}

/** What has ended and nobody has asked how is not alive: in a container there may be no one who does. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    // No /proc here, or gone in this moment: the next look tells.
    return process.platform !== "linux";
  }
}
