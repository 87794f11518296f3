// What /proc says of processes (Linux). Everything here can be gone a moment later.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** Has ended and waits for its parent to ask how. */
  readonly ended: boolean;
  /** In ticks since the machine started: with the pid, the same process for sure. */
  readonly started: number;
}

function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

export function processOf(pid: number | "self"): Process | undefined {
  const text = read(`/proc/${pid}/stat`);
  // The name comes in brackets and may hold anything, brackets too.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  if (fields.length < 20) return undefined;
  return {
    pid: Number.parseInt(text, 10),
    parent: Number(fields[1]),
    group: Number(fields[2]),
    ended: /^[ZXx]/.test(fields[0] ?? ""),
    started: Number(fields[19]),
  };
}

export function everyProcess(): Process[] {
  return list("/proc").flatMap((name) => (/^\d+$/.test(name) ? (processOf(Number(name)) ?? []) : []));
}

/** True where the kernel lists children (CONFIG_PROC_CHILDREN). */
export const listsChildren: boolean = list(`/proc/self/task/${process.pid}`).includes("children");

export function childrenOf(pid: number | "self"): number[] {
  return list(`/proc/${pid}/task`).flatMap((thread) =>
    (read(`/proc/${pid}/task/${thread}/children`).match(/\d+/g) ?? []).map(Number),
  );
}

/** A variable of the environment that a process was started with. */
export function variableOf(pid: number, name: string): string | undefined {
  const start = `${name}=`;
  const found = read(`/proc/${pid}/environ`)
    .split("\0")
    .find((one) => one.startsWith(start));
  return found?.slice(start.length);
}

/** The soft limit that /proc calls by this name; undefined where there is none. */
export function limitOf(pid: number, name: string): bigint | undefined {
  const line = read(`/proc/${pid}/limits`)
    .split("\n")
    .find((one) => one.startsWith(name));
  const soft = /^ +(\d+) /.exec(line?.slice(name.length) ?? "")?.[1];
  return soft === undefined ? undefined : BigInt(soft);
}

/** Which world a pid is meant in: containers that share a folder do not share pids. */
export function pidNamespace(): string {
  try {
    return /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? "0";
  } catch {
    return "0";
  }
}
