// Load on one port: wrk where there is one, else the generator here. Both run away from the core of the proxy.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { type Box, cpuSeconds, which } from "./box.ts";
import type { Loaded, Order } from "./generate.ts";
import type { Serving } from "./home.ts";

export const loadCore = 1;
export const proxyCore = 0;
export const connections = 32;
const wrk = which("wrk");

export const generatorName = wrk ? "wrk" : "bench/generate.ts (apt-get install wrk is faster)";

export interface Round {
  readonly perSecond: number;
  /** Processor time of the proxy for one request, microseconds: other people's work on the machine shows less in it. */
  readonly cpuMicros: number | undefined;
  /** Answers that were not 2xx, and connections that broke. */
  readonly failed: number;
}

/** As fast as the answers come. */
export async function closedLoop(
  box: Box,
  target: { readonly serving: Serving; readonly path: string; readonly tokens: readonly string[] },
  seconds: number,
): Promise<Round> {
  const { serving, path, tokens } = target;
  const [token = ""] = tokens;
  const before = cpuSeconds(serving.pid);
  const { requests, perSecond, failed } =
    wrk && tokens.length === 1
      ? await byWrk(box, wrk, serving.port, path, token, seconds)
      : await byGenerator(box, {
          ...{ port: serving.port, path, connections, seconds },
          authorizations: tokens.map((one) => `Bearer ${one}`),
        });
  const after = cpuSeconds(serving.pid);
  const cpuMicros =
    before === undefined || after === undefined ? undefined : ((after - before) * 1e6) / requests;
  return { perSecond, cpuMicros, failed };
}

interface Counted {
  readonly requests: number;
  readonly perSecond: number;
  readonly failed: number;
}

async function byWrk(
  box: Box,
  program: string,
  port: number,
  path: string,
  token: string,
  seconds: number,
): Promise<Counted> {
  const options = ["-t1", `-c${connections}`, `-d${seconds}s`, "-H", `Authorization: Bearer ${token}`];
  const run = box.start([program, ...options, `http://127.0.0.1:${port}${path}`], { core: loadCore });
  await run.ended;
  const text = run.output();
  const number = (pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? 0);
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text) ?? [];
  return {
    requests: number(/(\d+) requests in/),
    perSecond: number(/Requests\/sec: +([\d.]+)/),
    failed:
      number(/Non-2xx or 3xx responses: (\d+)/) + errors.slice(1).reduce((sum, one) => sum + Number(one), 0),
  };
}

async function byGenerator(box: Box, order: Order): Promise<Counted> {
  const { requests, perSecond, statuses, broken } = await paced(box, order);
  return { requests, perSecond, failed: requests - (statuses["200"] ?? 0) + broken };
}

/** The generator in a process of its own. */
export async function paced(box: Box, order: Order): Promise<Loaded> {
  const run = box.start([process.execPath, join(import.meta.dir, "generate.ts")], { core: loadCore });
  run.child.stdin?.end(JSON.stringify(order));
  const status = await run.ended;
  if (status !== 0) throw new Error(`the generator ended with ${status}: ${run.output()}`);
  return JSON.parse(run.output()) as Loaded;
}

/** `wrk 4.1.0`, for the record. */
export function versionOf(program: string, ...flags: string[]): string {
  const run = spawnSync(program, flags, { encoding: "utf8" });
  return /\d+\.\d+(?:\.\d+)?/.exec(`${run.stdout}${run.stderr}`)?.[0] ?? "unknown";
}
