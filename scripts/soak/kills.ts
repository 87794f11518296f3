// `kill -9` at random moments of config and state writes. After each everything opens, the trail verifies, and what
// was acknowledged is there.
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Box, type Environment, until } from "../../bench/box.ts";
import { binary, JaneeHome } from "../../bench/home.ts";
import { must, openJanee } from "./home-of.ts";
import { type Part, scaled } from "./part.ts";

const kills = 1_000;
const longestLifeMs = 250;
/** Every so many rounds the victim is the command line itself. */
const commandEvery = 5;
const longestCommandMs = 120;

interface Acknowledged {
  /** The latest number written to each service. */
  readonly config: Map<string, number>;
  readonly live: Set<string>;
  readonly revoked: Set<string>;
  readonly added: Set<string>;
}

export const killParts: Part = async (box, table, scale) => {
  const home = new JaneeHome(join(box.folder, "kills"));
  mkdirSync(home.folder, { recursive: true });
  home.run(["init"]);
  const known: Acknowledged = { config: new Map(), live: new Set(), revoked: new Set(), added: new Set() };
  const wanted = scaled(kills, scale);
  let operations = 0;
  const problems: string[] = [];
  const startedAt = performance.now();
  for (let round = 0; round < wanted; round++) {
    operations +=
      round % commandEvery === 0
        ? await killCommand(box, home, known, round)
        : await killWriter(box, home, known);
    const found = await inspect(home, known);
    problems.push(...found.map((problem) => `round ${round}: ${problem}`));
    if (problems.length > 10) break;
    if (round % 20 === 19)
      process.stderr.write(`\r  ${round + 1} kills, ${operations} operations acknowledged`);
  }
  process.stderr.write("\n");
  for (const problem of problems) process.stderr.write(`  ${problem}\n`);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  const figure = `${wanted} kills, ${operations} operations acknowledged, ${problems.length} problems, ${seconds} s`;
  table.judge(
    "kill -9 during config and state writes",
    figure,
    "all open, verify, nothing lost",
    problems.length === 0,
  );
};

async function killWriter(box: Box, home: JaneeHome, known: Acknowledged): Promise<number> {
  const next = Math.max(0, ...known.config.values()) + 1;
  const victim = box.start([process.execPath, join(import.meta.dir, "writer.ts"), String(next)], {
    env: home.environment,
  });
  let dead = false;
  void victim.ended.then(() => {
    dead = true;
  });
  await until("the writer", () => dead || victim.output().includes("ready\n"), 30_000);
  await sleep(Math.random() * longestLifeMs);
  victim.child.kill("SIGKILL");
  await victim.ended;
  const output = victim.output();
  if (output.includes("error")) throw new Error(`the writer failed by itself: ${output}`);
  let operations = 0;
  // The last line may be cut in two.
  for (const line of output.split("\n").slice(0, -1)) {
    const [what, name = "", number] = line.split(" ");
    if (what === "config") known.config.set(name, Number(number));
    else if (what === "live") known.live.add(name);
    else if (what === "revoked") {
      known.live.delete(name);
      known.revoked.add(name);
    } else continue;
    operations += 1;
  }
  return operations;
}

async function killCommand(box: Box, home: JaneeHome, known: Acknowledged, round: number): Promise<number> {
  const name = `cli-${round % 50}`;
  const url = `https://c${round}.example.com`;
  const args = ["add", name, "--base-url", url, "--key", `sk_cli_${round}_0123456789`];
  const victim = box.start([binary(), ...args], { env: home.environment });
  const timer = setTimeout(() => victim.child.kill("SIGKILL"), Math.random() * longestCommandMs);
  const status = await victim.ended;
  clearTimeout(timer);
  if (status !== 0) return 0;
  known.added.add(name);
  return 1;
}

/** What is wrong with the home now; nothing, when all is well. */
async function inspect(home: JaneeHome, known: Acknowledged): Promise<string[]> {
  const problems: string[] = [];
  try {
    problems.push(...(await inspectInside(home.environment, known)));
    home.run(["logs", "verify"]);
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
  }
  return problems;
}

async function inspectInside(environment: Environment, known: Acknowledged): Promise<string[]> {
  const problems: string[] = [];
  const janee = await openJanee(environment);
  try {
    const { config } = janee.home.current();
    for (const service of config.services.values()) must(await janee.home.open(service));
    const text = readFileSync(janee.home.configPath, "utf8");
    if (/key: *"?sk_/.test(text)) problems.push("a credential stands in the clear");
    for (const [name, least] of known.config) {
      const host = config.services.get(name)?.base?.authority ?? "";
      const found = Number(/^n(\d+)\./.exec(host)?.[1] ?? -1);
      if (found < least) problems.push(`${name} is at ${found}, acknowledged was ${least}`);
    }
    for (const name of known.added) if (!config.services.has(name)) problems.push(`${name} is gone`);
    for (const id of known.live) {
      // Revoked just before the kill, without a word of it, is as good.
      const state = janee.sessions.byId(id)?.state;
      if (state !== "live" && state !== "revoked") problems.push(`session ${id} is ${state ?? "gone"}`);
    }
    for (const id of known.revoked) {
      const state = janee.sessions.byId(id)?.state;
      if (state !== "revoked") problems.push(`revoked session ${id} is ${state ?? "gone"}`);
    }
  } finally {
    janee.close();
  }
  return problems;
}
