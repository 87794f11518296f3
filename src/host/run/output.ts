// Whether what is printed goes to the runner of GitHub Actions, which started janee or one of those who did.
import { fstatSync, readFileSync, readlinkSync } from "node:fs";
import { basename } from "node:path";

const mostAncestors = 64;

/**
 * Upwards past all who print to the same place: the one above them gave them that place. False for a file, for `| tee` and
 * `$(…)` at whatever depth, and where it cannot be seen.
 */
export function printsToRunner(): boolean {
  try {
    if (fstatSync(1).isFile()) return false;
    const place = readlinkSync("/proc/self/fd/1");
    let pid = process.ppid;
    for (let looked = 0; looked < mostAncestors; looked += 1) {
      // In a container nobody is above the first process of a step.
      if (pid === 0) return true;
      if (readlinkSync(`/proc/${pid}/fd/1`) !== place) return isRunner(pid);
      pid = parentOf(pid);
    }
    return false;
  } catch {
    return false;
  }
}

function isRunner(pid: number): boolean {
  return basename(readlinkSync(`/proc/${pid}/exe`)) === "Runner.Worker";
}

function parentOf(pid: number): number {
  const [, parent] = /\) \S (\d+) [^)]*$/.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
  if (parent === undefined) throw new Error("the system shows no parent");
  return Number(parent);
}
