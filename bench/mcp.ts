// janee as an MCP server on stdio, and what a user would write instead: a plain Node server on the official SDK v1.
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Box, residentBytes, unpinned, which } from "./box.ts";
import { median, megabytes, spread, type Table, thousands } from "./figures.ts";
import { fill, manySessions } from "./flat.ts";
import { binary, canary, JaneeHome } from "./home.ts";
import { loadCore, proxyCore } from "./load.ts";
import { McpClient, type McpCommand, type McpRound } from "./mcp-client.ts";
import { howToGetNginx, nginxUpstream } from "./nginx.ts";
import type { Pace } from "./proxies.ts";

const startLimitMs = 60;
const memoryLimit = 90 * 1024 * 1024;
const howToGetNode = "it needs node on the PATH: nodejs.org, or apt-get install nodejs";
const manyInFlight = 32;
const idleAfterMs = 1_000;

export async function benchMcp(box: Box, table: Table, pace: Pace): Promise<void> {
  if (which("nginx") === undefined) return table.missing("MCP on stdio", howToGetNginx);
  const upstream = await nginxUpstream(box, loadCore);
  const serverOf = (name: string) => {
    const home = new JaneeHome(join(box.folder, name));
    home.configure(upstream.port);
    home.run(["list"]);
    return { home, server: { command: [binary(), "mcp"], env: home.environment } };
  };
  const few = serverOf("mcp");
  const many = serverOf("mcp-crowd");
  fill(many.home);
  const plain = plainServer(upstream.port);
  await benchStarts(box, table, pace, few.server, plain);
  await benchCalls(box, table, pace, few.server, many.server, plain);
  await upstream.stop();
}

function plainServer(upstream: number): McpCommand | undefined {
  const node = which("node");
  if (node === undefined) return undefined;
  return { command: [node, join(import.meta.dir, "plain-mcp.mjs"), String(upstream), canary] };
}

async function benchStarts(
  box: Box,
  table: Table,
  pace: Pace,
  janee: McpCommand,
  plain: McpCommand | undefined,
): Promise<void> {
  const starts = pace.rounds * 3;
  const startOf = async (server: McpCommand): Promise<number> => {
    const { client, ms } = await McpClient.start(box, { ...server, command: unpinned(server.command) });
    await client.stop();
    return ms;
  };
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = -1; round < starts; round++) {
    const one = await startOf(janee);
    const other = plain ? await startOf(plain) : Number.NaN;
    // The first pair fills the page cache.
    if (round < 0) continue;
    ours.push(one);
    theirs.push(other);
  }
  const figure = `${spread(ours, 1)} ms of ${starts}`;
  table.judge("janee mcp, spawn to initialize answered", figure, "≤ 60 ms", median(ours) <= startLimitMs);
  if (!plain) return table.missing("  against a plain Node server on the SDK v1", howToGetNode);
  table.add("  a plain Node server on the SDK v1", `${spread(theirs, 1)} ms`);
  const ratios = ours.map((ms, index) => ms / (theirs[index] ?? Number.NaN));
  table.judge("  janee / plain", spread(ratios), "≤ 0.33", median(ratios) <= 1 / 3);
}

interface Contender {
  readonly client: McpClient;
  /** One call at a time, and many in flight. */
  readonly alone: McpRound[];
  readonly together: McpRound[];
}

async function benchCalls(
  box: Box,
  table: Table,
  pace: Pace,
  few: McpCommand,
  many: McpCommand,
  plain: McpCommand | undefined,
): Promise<void> {
  const begin = async (server: McpCommand): Promise<Contender> => {
    const { client } = await McpClient.start(box, server, proxyCore);
    return { client, alone: [], together: [] };
  };
  const janee = await begin(few);
  await sleep(idleAfterMs);
  const idle = residentBytes(janee.client.pid);
  const crowd = await begin(many);
  const node = plain && (await begin(plain));
  const all = [janee, ...(node ? [node] : []), crowd];
  for (const { client } of all) await client.load(1, manyInFlight);
  const resident: number[] = [];
  for (let round = 0; round < pace.rounds; round++) {
    for (const { client, alone } of all) alone.push(await client.load(pace.seconds / 2, 1));
    for (const { client, together } of all) together.push(await client.load(pace.seconds / 2, manyInFlight));
    resident.push(residentBytes(janee.client.pid) ?? Number.NaN);
  }

  table.add("MCP execute, calls/s", `one at a time; ${manyInFlight} in flight`);
  table.add("  janee", bothOf(janee));
  if (node) table.add("  a plain Node server on the SDK v1", bothOf(node));
  table.add(`  janee, ${manySessions} sessions in the store`, bothOf(crowd));
  if (node) {
    for (const [name, way] of ways) {
      const ratios = ratiosOf(janee[way], node[way]);
      judge(table, `  janee / plain, ${name}`, ratios, "≥ 1.5", median(ratios) >= 1.5, [janee, node]);
      table.add("    by processor time", spread(cpuRatiosOf(janee[way], node[way])));
    }
  } else table.missing("  against a plain Node server on the SDK v1", howToGetNode);
  for (const [name, way] of ways) {
    const ratios = ratiosOf(crowd[way], janee[way]);
    const flat = Math.abs(median(ratios) - 1) <= 0.1;
    judge(table, `  ${manySessions} sessions / 1, ${name}`, ratios, "within 10 %", flat, [janee, crowd]);
    table.add("    by processor time", spread(cpuRatiosOf(crowd[way], janee[way])));
  }
  const scaling = ratiosOf(janee.together, janee.alone);
  judge(table, `  janee, ${manyInFlight} in flight / one`, scaling, "> 1", median(scaling) > 1, [janee]);
  if (idle === undefined) table.missing("janee mcp, RSS", "it needs /proc (Linux)");
  else {
    const highest = Math.max(idle, ...resident);
    const figure = `${megabytes(idle)} idle, at most ${megabytes(highest)} under load`;
    table.judge("janee mcp, RSS", figure, "≤ 90 MB", highest <= memoryLimit);
  }
  await Promise.all(all.map(({ client }) => client.stop()));
}

const ways = [
  ["one at a time", "alone"],
  [`${manyInFlight} in flight`, "together"],
] as const;

function judge(
  table: Table,
  name: string,
  ratios: readonly number[],
  condition: string,
  met: boolean,
  of: readonly Contender[],
): void {
  const failed = of.some(({ alone, together }) => [...alone, ...together].some((round) => round.failed > 0));
  table.add(name, spread(ratios), condition, failed ? "VOID" : met ? "met" : "NOT MET");
}

/** Of each pair of neighbouring rounds. */
function ratiosOf(one: readonly McpRound[], other: readonly McpRound[]): number[] {
  return one.map((round, index) => round.perSecond / (other[index]?.perSecond ?? Number.NaN));
}

/** How much more the first does with the same processor time. */
function cpuRatiosOf(one: readonly McpRound[], other: readonly McpRound[]): number[] {
  return one.map((round, index) => {
    return (other[index]?.cpuMicros ?? Number.NaN) / (round.cpuMicros ?? Number.NaN);
  });
}

function bothOf({ alone, together }: Contender): string {
  return `${figures(alone)}; ${figures(together)}`;
}

function figures(rounds: readonly McpRound[]): string {
  const rates = rounds.map(({ perSecond }) => perSecond);
  const cpu = rounds.flatMap(({ cpuMicros }) => (cpuMicros === undefined ? [] : [cpuMicros]));
  const failed = rounds.reduce((sum, round) => sum + round.failed, 0);
  const range = `${thousands(median(rates))} (${thousands(Math.min(...rates))}–${thousands(Math.max(...rates))})`;
  const micros = cpu.length === 0 ? "" : `, ${median(cpu).toFixed(0)} µs of processor`;
  return `${range}${micros}${failed === 0 ? "" : `, ${failed} FAILED`}`;
}
