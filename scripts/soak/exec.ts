// Commands: a revocation ends all that they started, and a hundred that write much at once are answered whole.
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Box, type Environment, freePort, listens, until } from "../../bench/box.ts";
import { megabytes, quantile, type Table } from "../../bench/figures.ts";
import { binary, canary, JaneeHome } from "../../bench/home.ts";
import { SoakClient, type Told } from "./client.ts";
import { type Part, scaled } from "./part.ts";

const rounds = 100;
const endsWithinMs = 250;
const lookEveryMs = 2;
const givenUpAfterMs = 5_000;

const commands = 100;
const written = 10_000_000;
/** Of each stream: half from the head, half from the tail. */
const kept = 1024 * 1024;
const memoryLimit = 250 * 1024 * 1024;

/** Every process ends by itself, should janee not end it. Their words hold the mark: "sleep 97.123". */
const tree = 7;
const script = `#!/bin/sh
mark=$2
case $1 in
  tree)
    trap '' TERM
    sleep "$mark" &
    setsid sleep "$mark" &
    (sleep "$mark" &)
    (setsid sleep "$mark" &)
    (env -i setsid sh -c 'exec sleep "$0"' "$mark" &)
    trap - TERM
    sleep "$mark" &
    wait ;;
  many) yes "$2" | head -c ${written} ;;
  both) yes "$2" | head -c ${written / 2}; yes "$2" | head -c ${written / 2} >&2 ;;
esac
`;

interface Stage {
  readonly home: JaneeHome;
  readonly environment: Environment;
}

function stage(box: Box): Stage {
  const folder = join(box.folder, "exec");
  const bin = join(folder, "bin");
  const home = new JaneeHome(folder);
  mkdirSync(bin, { recursive: true, mode: 0o700 });
  writeFileSync(join(bin, "bird"), script);
  chmodSync(join(bin, "bird"), 0o755);
  const environment = { ...home.environment, PATH: `${bin}:${process.env.PATH}` };
  const line = ["add", "twitter", "--exec", "--key", canary, "--allow-commands", "bird"];
  home.run([...line, "--env-map", "TWITTER_API_KEY={{credential}}", "--timeout", "90s", "--auto-approve"]);
  return { home, environment };
}

export const execParts: Part = async (box, table, scale) => {
  if (process.platform !== "linux") return table.missing("commands", "it needs /proc");
  const on = stage(box);
  await revocations(box, table, scaled(rounds, scale), on);
  for (const way of ["many", "both"] as const) await flood(table, scaled(commands, scale), on, way);
  await floodOverHttp(box, table, scaled(commands, scale), on);
  on.home.run(["logs", "verify"]);
};

async function revocations(
  box: Box,
  table: Table,
  wanted: number,
  { home, environment }: Stage,
): Promise<void> {
  const client = await SoakClient.stdio(environment);
  const sinceReturn: number[] = [];
  const sinceStart: number[] = [];
  let left = 0;
  let wrong = 0;
  try {
    for (let round = 0; round < wanted; round++) {
      const mark = `97.${process.pid}${String(round).padStart(4, "0")}`;
      await client.call("request_access", { capability: "twitter" });
      const told = client.exec("twitter", ["bird", "tree", mark]);
      await until("the tree of the command", () => marked(mark).length === tree);
      const pids = marked(mark);
      const command = [binary(), "revoke", sessionOf(home)];
      const startedAt = performance.now();
      const revoking = box.start(command, { env: home.environment });
      let returnedAt: number | undefined;
      revoking.child.once("exit", () => {
        returnedAt = performance.now();
      });
      while (pids.some((pid) => lives(pid, mark)) && performance.now() - startedAt < givenUpAfterMs) {
        await sleep(lookEveryMs);
      }
      const goneAt = performance.now();
      if ((await revoking.ended) !== 0) throw new Error(`janee revoke failed: ${revoking.output()}`);
      if ((await told).code !== "session_revoked") wrong += 1;
      left += marked(mark).length;
      sinceReturn.push(Math.max(0, goneAt - (returnedAt ?? goneAt)));
      sinceStart.push(goneAt - startedAt);
      if (round % 10 === 9) process.stderr.write(`\r  ${round + 1} revocations`);
    }
  } finally {
    await client.close();
  }
  process.stderr.write("\n");
  const figure = `${figures(sinceReturn)}; since its start ${figures(sinceStart)}; ${left} left, ${wrong} wrong answers`;
  const longest = Math.max(...sinceReturn);
  const met = longest <= endsWithinMs && left === 0 && wrong === 0;
  table.judge(
    `${wanted} × janee revoke, to the last of ${tree} processes gone`,
    figure,
    `≤ ${endsWithinMs} ms, none left`,
    met,
  );
}

/** The client's: a person's yes makes it for an owner that is held. */
function sessionOf(home: JaneeHome): string {
  const live = JSON.parse(home.run(["sessions", "--json"])) as { id: string; owner: string }[];
  const id = live.find(({ owner }) => owner.startsWith("mcp:"))?.id;
  if (id === undefined) throw new Error("the client has no session");
  return id;
}

function figures(values: readonly number[]): string {
  const [p50, p99, most] = [0.5, 0.99, 1].map((share) => quantile(values, share).toFixed(0));
  return `p50 ${p50}, p99 ${p99}, max ${most} ms`;
}

/** Living processes with the mark among their words or in their environment. */
function marked(mark: string): number[] {
  return readdirSync("/proc").flatMap((name) =>
    /^\d+$/.test(name) && lives(Number(name), mark) ? [Number(name)] : [],
  );
}

function lives(pid: number, mark: string): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, "latin1");
    return words.includes(mark) || readFileSync(`/proc/${pid}/environ`, "latin1").includes(mark);
  } catch {
    return false;
  }
}

async function flood(table: Table, wanted: number, on: Stage, way: "many" | "both"): Promise<void> {
  const client = await SoakClient.stdio(on.environment);
  try {
    await client.exec("twitter", ["bird", "none"]);
    await judgeFlood(table, wanted, on, { way, client, pid: client.pid, over: "stdio" });
  } finally {
    await client.close();
  }
}

async function floodOverHttp(box: Box, table: Table, wanted: number, on: Stage): Promise<void> {
  const { token } = JSON.parse(on.home.run(["agent", "add", "soak", "--json"])) as { token: string };
  const port = await freePort();
  const serving = box.start([binary(), "serve", "--port", String(port)], { env: on.environment });
  await until("janee serve", () => listens(port));
  const client = await SoakClient.http(port, token);
  try {
    await client.exec("twitter", ["bird", "none"]);
    await judgeFlood(table, wanted, on, { way: "many", client, pid: serving.pid, over: "HTTP" });
  } finally {
    await client.close();
    await serving.stop();
  }
}

interface Flood {
  readonly way: "many" | "both";
  readonly client: SoakClient;
  readonly pid: number;
  readonly over: string;
}

async function judgeFlood(
  table: Table,
  wanted: number,
  { home }: Stage,
  { way, client, pid, over }: Flood,
): Promise<void> {
  const before = memory(pid, "VmRSS");
  const entries = auditEntries(home).length;
  const startedAt = performance.now();
  let wrong = 0;
  await Promise.all(
    Array.from({ length: wanted }, async (_, at) => {
      const word = `run-${way}-${String(at).padStart(3, "0")}`;
      const told = await client.exec("twitter", ["bird", way, word]);
      if (!isWhole(told, way, word)) wrong += 1;
    }),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  const highest = memory(pid, "VmHWM");
  const lines = auditEntries(home).slice(entries);
  const counted = lines.filter(({ event, bytesOut }) => event === "response" && bytesOut === written).length;
  const streams = way === "many" ? "of stdout" : "of stdout and stderr";
  const figure = `RSS ${megabytes(before)}, highest ${megabytes(highest)}, ${wrong} wrong, ${counted} counted whole, ${seconds.toFixed(1)} s`;
  const met = highest < memoryLimit && wrong === 0 && counted === wanted;
  table.judge(
    `${wanted} commands at once over ${over}, ${written / 1e6} MB ${streams} each`,
    figure,
    "none lost or mixed, < 250 MB",
    met,
  );
}

/** Head and tail of what one command wrote, and of no other. */
function isWhole(told: Told, way: "many" | "both", word: string): boolean {
  const bytes = way === "many" ? [written, 0] : [written / 2, written / 2];
  return [told.stdout, told.stderr].every((text, at) => isCut(String(text), bytes[at] ?? 0, word));
}

function isCut(text: string, bytes: number, word: string): boolean {
  if (bytes === 0) return text === "";
  const [head = "", omitted = "", tail = ""] = text.split(/\n\[janee: (\d+) bytes left out\]\n/);
  const shown = Buffer.byteLength(head) + Buffer.byteLength(tail);
  const lines = `${head}\0${tail}`.split(/[\n\0]/);
  const strange = lines.filter((line) => line !== word && !word.includes(line));
  return shown === kept && shown + Number(omitted) === bytes && strange.length === 0;
}

function auditEntries(home: JaneeHome): { event?: string; bytesOut?: number }[] {
  const text = readFileSync(join(home.folder, "audit.log"), "utf8").trim();
  return text.split("\n").map((line) => JSON.parse(line) as { event?: string; bytesOut?: number });
}

function memory(pid: number, field: "VmRSS" | "VmHWM"): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0) * 1024;
}
