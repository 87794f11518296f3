// A spawner with a home of its own, and a look at what is alive, for the tests of commands.
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../../src/engine/failure.ts";
import { Lifeline, type SpawnEnd, type Spawner, type SpawnOrder } from "../../src/engine/ports.ts";
import { makeSpawner } from "../../src/host/spawner.ts";
import { inFolder } from "./children.ts";

export interface Ran {
  readonly end: SpawnEnd | Failure;
  readonly out: string;
  readonly err: string;
}

export interface Stage {
  readonly folder: string;
  readonly home: string;
  readonly spawner: Spawner;
  run(command: readonly string[], extra?: Partial<SpawnOrder>, lifeline?: Lifeline): Promise<Ran>;
}

export function onStage<T>(
  work: (stage: Stage) => Promise<T>,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<T> {
  return inFolder(async (folder) => {
    const home = join(folder, "home");
    mkdirSync(home, { mode: 0o700 });
    const spawner = makeSpawner({ home, environment });
    const run: Stage["run"] = async ([name = "", ...args], extra = {}, lifeline = new Lifeline()) => {
      const program = spawner.find(name, { outside: [] });
      if (program instanceof Failure) return { end: program, out: "", err: "" };
      const texts = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
      const order: SpawnOrder = {
        ...{ program, args, environment: new Map(), cwd: undefined, stdin: new Uint8Array() },
        lastLook: () => undefined,
        ...{ timeoutMs: 20_000, output: (stream, bytes) => texts[stream].push(Buffer.from(bytes)), ...extra },
      };
      const end = await spawner.run(order, lifeline);
      const text = (stream: "stdout" | "stderr") => Buffer.concat(texts[stream]).toString("latin1");
      return { end, out: text("stdout"), err: text("stderr") };
    };
    return work({ folder, home, spawner, run });
  });
}

export function ended(end: SpawnEnd | Failure): SpawnEnd {
  if (end instanceof Failure) assert.fail(`${end.code}: ${end.message}`);
  return end;
}

export function codeOf(result: unknown): string {
  return result instanceof Failure ? result.code : `no failure: ${JSON.stringify(result)}`;
}

/** Processes of `sleep` that live and were given this number. */
export function alive(word: string): number[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) return [];
    try {
      const dead = / [ZX] /.test(readFileSync(`/proc/${name}/stat`, "latin1").replace(/^.*\)/s, ""));
      return !dead && readFileSync(`/proc/${name}/cmdline`, "latin1") === `sleep\0${word}\0`
        ? [Number(name)]
        : [];
    } catch {
      return [];
    }
  });
}

/** Seconds that no one else sleeps: `sleep` of it can be found again. */
export function oddSeconds(): string {
  return `${600 + Math.floor(Math.random() * 300)}.${Math.floor(Math.random() * 1e9)}`;
}
