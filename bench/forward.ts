// The forward proxy against mitmproxy that only injects, in alternating rounds of one run; and what `janee run` adds.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Issuer, makeAuthority } from "../src/host/authority/certificates.ts";
import { type Box, cpuSeconds, freePort, listens, unpinned, until, which } from "./box.ts";
import { median, spread, type Table, thousands } from "./figures.ts";
import type { TunnelLoad, TunnelOrder } from "./generate-tunnels.ts";
import { binary, canary, JaneeHome, type Serving } from "./home.ts";
import { connections, loadCore, proxyCore } from "./load.ts";
import { howToGetNginx, nginxTlsUpstream } from "./nginx.ts";
import type { Pace } from "./proxies.ts";

interface Contender {
  readonly serving: Serving;
  readonly ca: string;
  readonly proxyAuthorization: string;
  readonly rounds: { perSecond: number; cpuMicros: number | undefined; failed: number }[];
}

const starts = 15;

export async function benchForward(box: Box, table: Table, pace: Pace): Promise<void> {
  if (which("nginx") === undefined) return table.missing("forward proxy against mitmproxy", howToGetNginx);
  const authority = await makeAuthority(["localhost"], Date.now());
  const issuer = await Issuer.open(authority);
  if (!(issuer instanceof Issuer)) throw new Error(issuer.message);
  const caFile = join(box.folder, "upstream-ca.pem");
  writeFileSync(caFile, authority.cert);
  const leaf = { key: issuer.key, cert: issuer.leaf("localhost", Date.now()) };
  const upstream = await nginxTlsUpstream(box, loadCore, leaf);
  const at = `localhost:${upstream.port}`;

  const home = new JaneeHome(join(box.folder, "forward"));
  home.configureTls(`https://${at}`, caFile);
  const { token } = home.grant();
  home.run(["ca", "renew"]);
  const janee: Contender = {
    serving: await home.serve(box, proxyCore),
    ca: home.run(["ca", "print"]),
    proxyAuthorization: `Basic ${Buffer.from(`x:${token}`).toString("base64")}`,
    rounds: [],
  };
  runTrue(home, table);
  const mitm = await mitmproxy(box, caFile);
  if (!mitm)
    return table.missing("janee / mitmproxy, forward", "apt-get install mitmproxy, or pip install mitmproxy");
  for (const fresh of [false, true]) {
    const how = fresh ? "a tunnel each" : "kept tunnels";
    for (const one of [janee, mitm]) {
      one.rounds.length = 0;
      await load(box, one, at, 1, fresh);
    }
    for (let round = 0; round < Math.min(pace.rounds, 5); round += 1) {
      for (const one of [janee, mitm]) one.rounds.push(await load(box, one, at, pace.seconds, fresh));
    }
    report(table, how, janee, mitm, fresh ? 8 : 15);
  }
  await Promise.all([janee, mitm].map(({ serving }) => serving.stop()));
}

async function load(box: Box, one: Contender, authority: string, seconds: number, fresh: boolean) {
  const { serving, ca, proxyAuthorization } = one;
  const run = box.start([process.execPath, join(import.meta.dir, "generate-tunnels.ts")], { core: loadCore });
  const path = "/v1/items";
  const order: TunnelOrder = {
    port: serving.port,
    authority,
    path,
    proxyAuthorization,
    ca,
    connections,
    seconds,
    fresh,
  };
  const before = cpuSeconds(serving.pid);
  run.child.stdin?.end(JSON.stringify(order));
  const status = await run.ended;
  if (status !== 0) throw new Error(`the generator ended with ${status}: ${run.output()}`);
  const { requests, perSecond, failed } = JSON.parse(run.output()) as TunnelLoad;
  const after = cpuSeconds(serving.pid);
  const cpuMicros =
    before === undefined || after === undefined ? undefined : ((after - before) * 1e6) / requests;
  return { perSecond, cpuMicros, failed };
}

function report(table: Table, how: string, janee: Contender, mitm: Contender, least: number): void {
  for (const [name, { rounds }] of [
    ["janee", janee],
    ["mitmproxy", mitm],
  ] as const) {
    const cpu = rounds.flatMap(({ cpuMicros }) => (cpuMicros === undefined ? [] : [cpuMicros]));
    const failed = rounds.reduce((sum, one) => sum + one.failed, 0);
    const micros = cpu.length === 0 ? "" : `, ${median(cpu).toFixed(0)} µs of processor each`;
    const rate = thousands(median(rounds.map(({ perSecond }) => perSecond)));
    table.add(`  ${name}, ${how}`, `${rate}/s${micros}${failed === 0 ? "" : `, ${failed} FAILED`}`);
  }
  const pairs = janee.rounds.map((round, at) => [round, mitm.rounds[at]] as const);
  const ratios = pairs.map(([one, other]) => one.perSecond / (other?.perSecond ?? Number.NaN));
  const cpu = pairs.map(([one, other]) => (other?.cpuMicros ?? Number.NaN) / (one.cpuMicros ?? Number.NaN));
  const failed = janee.rounds.some((round) => round.failed > 0);
  const met = median(ratios) >= least;
  table.add(
    `janee / mitmproxy, ${how}`,
    spread(ratios, 1),
    `≥ ${least}`,
    failed ? "VOID" : met ? "met" : "NOT MET",
  );
  table.add(`janee / mitmproxy, ${how}, by processor time`, spread(cpu, 1));
}

async function mitmproxy(box: Box, caFile: string): Promise<Contender | undefined> {
  const program = which("mitmdump");
  if (program === undefined || spawnSync(program, ["--version"]).status !== 0) return undefined;
  const port = await freePort();
  const folder = join(box.folder, "mitm-forward");
  const options = [
    "--listen-host",
    "127.0.0.1",
    "--listen-port",
    String(port),
    "-q",
    "--set",
    `confdir=${folder}`,
  ];
  const trust = ["--set", `ssl_verify_upstream_trusted_ca=${caFile}`, "--set", "connection_strategy=lazy"];
  const addon = ["-s", join(import.meta.dir, "mitm-inject.py")];
  const started = box.start([program, ...options, ...trust, ...addon], {
    core: proxyCore,
    env: { BENCH_KEY: canary },
  });
  const certificate = join(folder, "mitmproxy-ca-cert.pem");
  await until("mitmdump", async () => (await listens(port)) && existsSync(certificate), 30_000);
  return {
    serving: { ...started, port },
    ca: readFileSync(certificate, "utf8"),
    proxyAuthorization: "Basic eDp5",
    rounds: [],
  };
}

/** One after the other, so that both see the same machine. */
function runTrue(home: JaneeHome, table: Table): void {
  const timed = (command: readonly string[]): number => {
    const [program = "", ...args] = unpinned(command);
    const startedAt = performance.now();
    spawnSync(program, args, { stdio: "ignore", env: { ...process.env, ...home.environment } });
    return performance.now() - startedAt;
  };
  const added = Array.from(
    { length: starts },
    () => timed([binary(), "run", "--", "true"]) - timed(["true"]),
  );
  table.judge("janee run -- true, over true", `${spread(added, 0)} ms`, "≤ 120 ms", median(added) <= 120);
}
