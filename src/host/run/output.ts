// Whether what is printed goes where it went for whoever started janee, or was redirected on its way.
import { fstatSync, readlinkSync } from "node:fs";

/** False for a pipe that the parent does not write to itself (`| tee`, `$(…)`), for a file, and where it cannot be seen. */
export function printsWhereParentDoes(): boolean {
  try {
    if (fstatSync(1).isFile()) return false;
    return readlinkSync("/proc/self/fd/1") === readlinkSync(`/proc/${process.ppid}/fd/1`);
  } catch {
    return false;
  }
}
