// What this process must be before it starts the first command, and what that gives on this system.
import { coreSize, type Libc, libc } from "./libc.ts";
import { listsChildren } from "./processes.ts";

export interface Ready {
  readonly libc: Libc;
  /** Orphans of commands come to this process. */
  readonly adopting: boolean;
  readonly coreDumps: "off" | "on";
  readonly descriptors: "kept" | "as the runtime does";
  /** Of this process, to those of the same user. */
  readonly memory: "closed" | "readable";
}

let made: Promise<Ready> | undefined;

/** Once a process. It holds for this process too: a core of it would hold credentials. */
export function ready(): Promise<Ready> {
  made ??= make();
  return made;
}

async function make(): Promise<Ready> {
  const calls = await libc();
  return {
    libc: calls,
    adopting: calls.adoptOrphans(),
    coreDumps: calls.setLimit(coreSize, { soft: 0n, hard: 0n }) ? "off" : "on",
    descriptors: calls.keepDescriptors() ? "kept" : "as the runtime does",
    memory: calls.closeMemory() ? "closed" : "readable",
  };
}

/** What holds for a command on this system, and what does not, one plain sentence each. */
export async function guarantees(): Promise<readonly string[]> {
  const { adopting, coreDumps, descriptors, memory } = await ready();
  const said = [
    "A command starts with an environment made from nothing, without a shell, without a terminal, in a session of its own.",
    treeOf(process.platform, adopting),
  ];
  if (process.platform === "linux" && !listsChildren)
    said.push(
      "This kernel does not list children (CONFIG_PROC_CHILDREN): all of /proc is searched, which takes longer.",
    );
  said.push(
    coreDumps === "off"
      ? "Core dumps are off for janee and for all that it starts."
      : "Core dumps are not switched off here: a command that crashes can leave its memory, and the credential, in a file.",
  );
  if (process.platform !== "win32")
    said.push(
      descriptors === "kept"
        ? "A command inherits no open file or socket of janee beyond its own input and output."
        : "Files and sockets of janee are opened so that a command does not inherit them; what janee itself was started with is left to the runtime.",
    );
  if (process.platform === "linux")
    said.push(
      memory === "closed"
        ? "A command that is not root's reads nothing of janee's own memory or environment in /proc."
        : "A command can read janee's own environment in /proc.",
    );
  said.push(
    "The command holds the credential and can use it. While it runs, a process of the same user can read the command's environment: the system has no way to deny that without another user or root.",
    "A password for git or ssh is never in an argument, a variable or a file; " +
      (adopting
        ? "only a process that the command itself started gets an answer (the kernel names the one who asks)."
        : "a process gets an answer that can reach a folder of mode 0700 and knows a number from the command's environment."),
  );
  return said;
}

function treeOf(platform: NodeJS.Platform, adopting: boolean): string {
  if (platform === "win32")
    return "At the deadline or a revoke the command's process tree is ended by taskkill /T; a process whose parent has already ended is not found.";
  if (platform !== "linux")
    return "At the deadline or a revoke the command's process group is ended; a process that left the group (setsid) is not found.";
  const beyond =
    "What a service starts on its behalf (systemd, cron, docker) and what runs as another user (sudo) are not reached.";
  return adopting
    ? `When a command ends, and at the deadline or a revoke, everything that it started is ended, also after setsid or a double fork; one that starts more than 500 processes is ended at once. ${beyond}`
    : `When a command ends, and at the deadline or a revoke, what it started is ended; one that hides on purpose or both lost its parents and dropped its environment is not found, for janee could not become a subreaper here. ${beyond}`;
}
