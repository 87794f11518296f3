// Whether what is printed goes where it went for whoever started janee, or was redirected on its way.
import { fstatSync, readlinkSync } from "node:fs";

/** False for a file, and on Linux for a pipe that the parent does not write to itself (`| tee`, `$(…)`). */
export function printsWhereParentDoes(): boolean {
  try {
    if (fstatSync(1).isFile()) return false;
    if (process.platform !== "linux") return true;
    return readlinkSync("/proc/self/fd/1") === readlinkSync(`/proc/${process.ppid}/fd/1`);
  } catch {
    return false;
  }
}
