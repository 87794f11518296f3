// Ten thousand unknown tokens a second, and one client with a good one.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { residentBytes } from "../../bench/box.ts";
import { megabytes, quantile, thousands } from "../../bench/figures.ts";
import { JaneeHome } from "../../bench/home.ts";
import { paced } from "../../bench/load.ts";
import { type Part, scaled } from "./part.ts";
import { smallUpstream } from "./upstream.ts";

const seconds = 10;
const rate = 10_000;
const linesOfRefusals = 100;
const growthLimit = 64 * 1024 * 1024;

export const floodParts: Part = async (box, table, scale) => {
  const upstream = await smallUpstream(box);
  const home = new JaneeHome(join(box.folder, "flood"));
  home.configure(upstream.port);
  const { token } = home.grant();
  const serving = await home.serve(box);
  const authorizations = Array.from({ length: 20_000 }, () => `Bearer jns_${badToken()}`);
  const path = "/bench/v1/items";
  // The growth of a flood, not that of the first requests.
  await paced(box, { port: serving.port, path, authorizations, connections: 64, seconds: 2, rate });
  const before = residentBytes(serving.pid);
  const flooding = paced(box, {
    ...{ port: serving.port, path, authorizations, connections: 64, rate },
    seconds: scaled(seconds, scale),
  });
  const latencies: number[] = [];
  let running = true;
  let failed = 0;
  let highest = before ?? 0;
  void flooding.then(() => {
    running = false;
  });
  while (running) {
    const askedAt = performance.now();
    const answer = await fetch(`http://127.0.0.1:${serving.port}${path}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    await answer.arrayBuffer();
    if (answer.status !== 200) failed += 1;
    latencies.push(performance.now() - askedAt);
    highest = Math.max(highest, residentBytes(serving.pid) ?? 0);
    await sleep(20);
  }
  const loaded = await flooding;
  await sleep(1_500);
  await serving.stop();
  await upstream.stop();

  const refused = loaded.statuses["401"] ?? 0;
  const only401 = refused === loaded.requests && loaded.broken === 0;
  const figure = `${thousands(loaded.perSecond)}/s refused of ${thousands(rate)}/s sent, p99 ${loaded.p99.toFixed(1)} ms`;
  table.judge("bad tokens", figure, "each is 401", only401);
  const served = `${latencies.length - failed} of ${latencies.length} answered, p99 ${quantile(latencies, 0.99).toFixed(1)} ms`;
  table.judge("a good client in the flood", served, "all answered", failed === 0);
  const grown = highest - (before ?? 0);
  table.judge(
    "RSS in the flood",
    `${megabytes(before)} → ${megabytes(highest)}`,
    "flat (< 64 MB)",
    grown < growthLimit,
  );
  const entries = readFileSync(join(home.folder, "audit.log"), "utf8").trim().split("\n");
  const lines = entries.filter((line) => line.includes('"code":"session_unknown"')).length;
  const counts = entries.filter((line) => line.includes('"event":"refusals"'));
  const counted = counts.reduce((sum, line) => sum + (JSON.parse(line) as { count: number }).count, 0);
  const longest = scaled(seconds, scale) + 6;
  const bounded = lines <= linesOfRefusals && counts.length <= longest;
  const audit = `${lines} lines, ${counts.length} counts that stand for ${counted}`;
  table.judge("audit lines of the flood", audit, `≤ ${linesOfRefusals} a minute + 1 a second`, bounded);
};

/** As long as a token is, in its alphabet. */
function badToken(): string {
  return randomBytes(64)
    .toString("base64")
    .replace(/[^0-9A-Za-z]/g, "")
    .slice(0, 43)
    .padEnd(43, "x");
}
