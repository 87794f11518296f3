// A command through janee and the same one started directly, in turns.
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Box, pinned, which } from "./box.ts";
import { median, spread, type Table } from "./figures.ts";
import { binary, canary, JaneeHome } from "./home.ts";
import { proxyCore } from "./load.ts";
import { McpClient } from "./mcp-client.ts";
import type { Pace } from "./proxies.ts";

const addedLimitMs = 15;
const perRound = 20;
const config = `services:
  bench: { auth: { type: bearer, key: ${canary} } }
capabilities:
  bench:
    { service: bench, mode: exec, allowCommands: ["uname"], envMap: { BENCH_KEY: "{{credential}}" }, autoApprove: true }
`;

export async function benchExec(box: Box, table: Table, pace: Pace): Promise<void> {
  const program = which("uname");
  if (program === undefined) return table.missing("exec", "there is no program uname");
  const home = new JaneeHome(join(box.folder, "exec"));
  writeFileSync(join(home.folder, "config.yaml"), config, { mode: 0o600 });
  const { client } = await McpClient.start(
    box,
    { command: [binary(), "mcp"], env: home.environment },
    proxyCore,
  );
  const through: number[] = [];
  const direct: number[] = [];
  const alone: number[] = [];
  try {
    // The first one opens the session and looks the command up.
    for (let round = 0; round < pace.rounds * perRound + perRound; round++) {
      const [janees, own] = [await throughJanee(client), await started([program], {})];
      if (round < perRound) continue;
      through.push(janees);
      direct.push(own);
    }
    const command = pinned([binary(), "exec", "bench", "--", "uname"], proxyCore);
    for (let round = 0; round < perRound; round++) alone.push(await started(command, home.environment));
  } finally {
    await client.stop();
  }
  const added = through.map((ms, at) => ms - (direct[at] ?? 0));
  const ratios = through.map((ms, at) => ms / (direct[at] ?? 1));
  const times = `${median(through).toFixed(1)} ms, started directly ${median(direct).toFixed(1)} ms`;
  const figure = `${times}, ratio ${median(ratios).toFixed(1)}, added ${median(added).toFixed(1)} ms`;
  table.judge(
    "uname by exec over MCP",
    figure,
    `≤ ${addedLimitMs} ms added at the median`,
    median(added) <= addedLimitMs,
  );
  table.add("uname by janee exec, its own start included", `${spread(alone, 1)} ms`);
}

async function throughJanee(client: McpClient): Promise<number> {
  const startedAt = performance.now();
  const answer = await client.call("exec", { capability: "bench", command: ["uname"] });
  const ms = performance.now() - startedAt;
  if (!answer.includes('"exitCode":0')) throw new Error(`exec was answered with ${answer.slice(0, 200)}`);
  return ms;
}

function started(command: readonly string[], environment: Readonly<Record<string, string>>): Promise<number> {
  const startedAt = performance.now();
  const [program = "", ...args] = command;
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...environment },
  });
  child.stdout.resume();
  child.stderr.resume();
  return new Promise((done, failed) => {
    child.once("error", failed);
    child.once("close", (status) => {
      if (status === 0) done(performance.now() - startedAt);
      else failed(new Error(`${program} ended with ${status}`));
    });
  });
}
