// A temporary folder, the programs started for it, and their end: everything is stopped by its own pid.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export type Environment = Readonly<Record<string, string>>;

export interface Started {
  readonly pid: number;
  readonly child: ChildProcess;
  /** What it has printed so far. */
  output(): string;
  /** The exit status, when it has ended. */
  readonly ended: Promise<number>;
  stop(): Promise<void>;
}

const stopGraceMs = 3_000;
const waitStepMs = 25;

export class Box {
  readonly folder: string;
  readonly #running = new Set<Started>();

  constructor(name: string) {
    this.folder = mkdtempSync(join(tmpdir(), `janee-${name}-`));
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.once(signal, () => void this.close().then(() => process.exit(130)));
    }
  }

  start(
    command: readonly string[],
    options: {
      env?: Environment;
      core?: number;
      cwd?: string;
      /** Takes what it writes to stdout, which is kept otherwise. */
      onOutput?: (bytes: Buffer) => void;
    } = {},
  ): Started {
    const [program = "", ...rest] = options.core === undefined ? command : pinned(command, options.core);
    const child = spawn(program, rest, {
      stdio: ["pipe", "pipe", "pipe"],
      cwd: options.cwd ?? this.folder,
      env: { ...process.env, ...options.env },
    });
    let printed = "";
    const take = (bytes: Buffer): void => {
      printed += bytes.toString();
    };
    child.stdout.on("data", options.onOutput ?? take);
    child.stderr.on("data", take);
    const ended = new Promise<number>((done) => {
      child.once("error", () => done(127));
      child.once("close", (status) => done(status ?? 1));
    });
    const started: Started = {
      pid: child.pid ?? 0,
      child,
      output: () => printed,
      ended,
      stop: async () => {
        child.kill("SIGTERM");
        const late = setTimeout(() => child.kill("SIGKILL"), stopGraceMs);
        await ended;
        clearTimeout(late);
        this.#running.delete(started);
      },
    };
    this.#running.add(started);
    void ended.then(() => this.#running.delete(started));
    return started;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running].map((started) => started.stop()));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export const cores = availableParallelism();
const taskset = process.platform === "linux" ? which("taskset") : undefined;
export const canPin = taskset !== undefined && cores > 1;

export function pinned(command: readonly string[], core: number): string[] {
  return canPin && taskset ? [taskset, "-c", String(core), ...command] : [...command];
}

/** On every core again: what this process starts is pinned with it otherwise. */
export function unpinned(command: readonly string[]): string[] {
  return canPin && taskset ? [taskset, "-c", `0-${cores - 1}`, ...command] : [...command];
}

/** This process, and what it starts from now on, away from the core of what is measured. */
export function pinSelf(core: number): void {
  if (canPin && taskset) spawnSync(taskset, ["-acp", String(core), String(process.pid)], { stdio: "ignore" });
}

export function which(name: string): string | undefined {
  const found = spawnSync("sh", ["-c", `PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v ${name}`], {
    encoding: "utf8",
  });
  return found.status === 0 ? found.stdout.trim() : undefined;
}

export async function until(
  what: string,
  ready: () => boolean | Promise<boolean>,
  withinMs = 10_000,
): Promise<void> {
  for (const deadline = performance.now() + withinMs; performance.now() < deadline; await sleep(waitStepMs)) {
    if (await ready()) return;
  }
  throw new Error(`waited ${withinMs} ms in vain for ${what}`);
}

export function listens(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => done(true));
    socket.once("error", () => done(false));
    socket.once("connect", () => socket.destroy());
  });
}

export function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => done(typeof address === "object" && address ? address.port : 0));
    });
  });
}

/** Resident memory of a process in bytes; undefined where there is no /proc. */
export function residentBytes(pid: number): number | undefined {
  const line = /^VmRSS:\s+(\d+) kB/m.exec(readProc(`${pid}/status`) ?? "");
  return line ? Number(line[1]) * 1024 : undefined;
}

/** Processor seconds that a process and its children have used; undefined where there is no /proc. */
export function cpuSeconds(pid: number): number | undefined {
  const stat = readProc(`${pid}/stat`);
  if (stat === undefined) return undefined;
  const words = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(words[11]) + Number(words[12]);
  return childrenOf(pid).reduce((sum, child) => sum + (cpuSeconds(child) ?? 0), ticks / 100);
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) => {
      const children = readProc(`${pid}/task/${task}/children`)?.trim() ?? "";
      return children === "" ? [] : children.split(" ").map(Number);
    });
  } catch {
    return [];
  }
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(`/proc/${path}`, "utf8");
  } catch {
    return undefined;
  }
}
