// The same load on janee and on what it is compared with, in alternating rounds of one run.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Box, cpuSeconds, freePort, listens, residentBytes, until, which } from "./box.ts";
import { median, megabytes, spread, type Table, thousands } from "./figures.ts";
import { canary, JaneeHome, type Serving } from "./home.ts";
import { closedLoop, connections, generatorName, loadCore, paced, proxyCore, type Round } from "./load.ts";
import { howToGetNginx, nginxProxy, nginxUpstream } from "./nginx.ts";
import { revokeInMidRun } from "./revocation.ts";

export interface Pace {
  readonly rounds: number;
  readonly seconds: number;
}

interface Contender {
  readonly name: string;
  readonly serving: Serving;
  readonly path: string;
  readonly token: string;
  readonly rounds: Round[];
}

const idleAfterMs = 5_000;
const idleLimit = 70 * 1024 * 1024;

export async function benchProxies(box: Box, table: Table, pace: Pace): Promise<void> {
  if (which("nginx") === undefined) {
    return table.missing("proxy against nginx, mitmproxy and a Node server", howToGetNginx);
  }
  const upstream = await nginxUpstream(box, loadCore);
  const home = new JaneeHome(join(box.folder, "proxies"));
  home.configure(upstream.port);
  const { token } = home.grant();
  const janee = await home.serve(box, proxyCore);
  await measureIdle(janee, table);
  const contender = (name: string, serving: Serving, path = "/bench/v1/items"): Contender => {
    return { name, serving, path, token, rounds: [] };
  };
  const nginx = await nginxProxy(box, proxyCore, upstream.port, token, canary);
  const direct = contender("upstream alone", upstream);
  const all = [
    contender("janee", janee),
    contender("nginx", nginx),
    ...(await nodeProxy(box, upstream.port, token)).map((serving) => contender("node:http + fetch", serving)),
    ...(await mitmproxy(box, upstream.port, token)).map((serving) => contender("mitmproxy", serving)),
  ];
  const revocations: string[] = [];
  for (const one of all) await closedLoop(box, target(one), 1);
  direct.rounds.push(await closedLoop(box, target(direct), pace.seconds));
  for (let round = 0; round < pace.rounds; round++) {
    for (const one of all) {
      const measured = closedLoop(box, target(one), pace.seconds);
      if (one.name === "janee") revocations.push(await revokeInMidRun(home, janee.port, pace.seconds * 500));
      one.rounds.push(await measured);
    }
  }
  report(table, all, direct, revocations);
  table.add("janee RSS after the load", megabytes(residentBytes(janee.pid)));
  await measureLatency(box, table, contender("janee", janee), contender("nginx", nginx), direct, all);
  await Promise.all([...all, direct].map(({ serving }) => serving.stop()));
}

function target({ serving, path, token }: Contender) {
  return { serving, path, tokens: [token] };
}

async function measureIdle(janee: Serving, table: Table): Promise<void> {
  await sleep(idleAfterMs);
  const idle = residentBytes(janee.pid);
  if (idle === undefined) return table.missing("janee serve, idle RSS", "it needs /proc (Linux)");
  table.judge("janee serve, idle RSS after 5 s", megabytes(idle), "≤ 70 MB", idle <= idleLimit);
}

function report(
  table: Table,
  all: readonly Contender[],
  direct: Contender,
  revocations: readonly string[],
): void {
  table.add("generator", `${generatorName}, ${connections} connections, keep-alive, 1 KB JSON`);
  for (const one of [direct, ...all]) table.add(`  ${one.name}`, figures(one.rounds));
  const [janee, nginx] = all;
  if (!janee || !nginx) return;
  const refusedEach = revocations.every((outcome) => outcome === "refused");
  table.add("revoked in mid-run, next request", [...new Set(revocations)].join("; "));
  const failed = [...janee.rounds, ...nginx.rounds].some((round) => round.failed > 0);
  const ratios = ratiosOf(janee, nginx);
  const void_ = !refusedEach || failed;
  const met = median(ratios) >= 0.7;
  table.add("janee / nginx", spread(ratios), "≥ 0.7", void_ ? "VOID" : met ? "met" : "NOT MET");
  table.add("janee / nginx by processor time", spread(cpuRatiosOf(janee, nginx)));
  const node = all.find(({ name }) => name === "node:http + fetch");
  if (node) table.add("janee / node:http + fetch", spread(ratiosOf(janee, node)));
  else table.missing("janee / node:http + fetch", "it needs node on the PATH");
  const mitm = all.find(({ name }) => name === "mitmproxy");
  if (!mitm) return table.missing("janee / mitmproxy", "apt-get install mitmproxy, or pip install mitmproxy");
  const times = ratiosOf(janee, mitm);
  table.judge("janee / mitmproxy", spread(times, 1), "≥ 20", median(times) >= 20);
}

function figures(rounds: readonly Round[]): string {
  const rates = rounds.map(({ perSecond }) => perSecond);
  const cpu = rounds.flatMap(({ cpuMicros }) => (cpuMicros === undefined ? [] : [cpuMicros]));
  const failed = rounds.reduce((sum, round) => sum + round.failed, 0);
  const range = `${thousands(median(rates))}/s (${thousands(Math.min(...rates))}–${thousands(Math.max(...rates))})`;
  const micros = cpu.length === 0 ? "" : `, ${median(cpu).toFixed(1)} µs of processor each`;
  return `${range}${micros}${failed === 0 ? "" : `, ${failed} FAILED`}`;
}

/** Of each pair of neighbouring rounds. */
function ratiosOf(one: Contender, other: Contender): number[] {
  return one.rounds.map((round, index) => round.perSecond / (other.rounds[index]?.perSecond ?? Number.NaN));
}

function cpuRatiosOf(one: Contender, other: Contender): number[] {
  return one.rounds.map((round, index) => {
    return (other.rounds[index]?.cpuMicros ?? Number.NaN) / (round.cpuMicros ?? Number.NaN);
  });
}

async function nodeProxy(box: Box, upstream: number, token: string): Promise<Serving[]> {
  const node = which("node");
  if (node === undefined) return [];
  const port = await freePort();
  const script = join(import.meta.dir, "plain-proxy.mjs");
  const started = box.start([node, script, String(port), String(upstream), token, canary], {
    core: proxyCore,
  });
  await until("the Node proxy", () => listens(port));
  return [{ ...started, port }];
}

async function mitmproxy(box: Box, upstream: number, token: string): Promise<Serving[]> {
  const program = which("mitmdump");
  if (program === undefined || spawnSync(program, ["--version"]).status !== 0) return [];
  const port = await freePort();
  const options = ["--mode", `reverse:http://127.0.0.1:${upstream}`, "--listen-host", "127.0.0.1", "-q"];
  const more = ["--listen-port", String(port), "--set", `confdir=${box.folder}/mitm`];
  const addon = ["-s", join(import.meta.dir, "mitm-addon.py")];
  const started = box.start([program, ...options, ...more, ...addon], {
    core: proxyCore,
    env: { BENCH_TOKEN: token, BENCH_KEY: canary },
  });
  await until("mitmdump", () => listens(port), 30_000);
  return [{ ...started, port }];
}

/** At half of what the slower of the two can do: what each adds to the latency of the upstream alone. */
async function measureLatency(
  box: Box,
  table: Table,
  janee: Contender,
  nginx: Contender,
  direct: Contender,
  all: readonly Contender[],
): Promise<void> {
  const capacities = all.slice(0, 2).map(({ rounds }) => median(rounds.map(({ perSecond }) => perSecond)));
  const rate = Math.floor(Math.min(...capacities) / 2);
  const added = {
    janee: { p50: [] as number[], p99: [] as number[] },
    nginx: { p50: [] as number[], p99: [] as number[] },
  };
  const seconds = 3;
  for (let round = 0; round < 5; round++) {
    const measure = async (one: Contender) => {
      const { serving, path, token } = one;
      const cpu = cpuSeconds(serving.pid);
      const order = {
        port: serving.port,
        path,
        authorizations: [`Bearer ${token}`],
        connections,
        seconds,
        rate,
      };
      const loaded = await paced(box, order);
      return { ...loaded, cpu };
    };
    const alone = await measure(direct);
    for (const [name, one] of [
      ["janee", janee],
      ["nginx", nginx],
    ] as const) {
      const { p50, p99 } = await measure(one);
      added[name].p50.push(p50 - alone.p50);
      added[name].p99.push(p99 - alone.p99);
    }
  }
  table.add("latency added at half of the capacity", `${rate} requests/s, ms over the upstream alone`);
  for (const name of ["janee", "nginx"] as const) {
    table.add(`  ${name}`, `p50 ${spread(added[name].p50)}, p99 ${spread(added[name].p99)}`);
  }
  const difference = median(added.janee.p99) - median(added.nginx.p99);
  table.judge("p99 that janee adds, less nginx's", `${difference.toFixed(2)} ms`, "≤ 2 ms", difference <= 2);
}
