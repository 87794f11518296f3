// `npm run bench [part…] [--quick]`: ratios from one run, with the raw figures beside them. See README.md.
import { spawnSync } from "node:child_process";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { Box, canPin, cores, pinned, pinSelf } from "./box.ts";
import { growthLimit, moveBulk } from "./bulk.ts";
import { benchExec } from "./exec.ts";
import { megabytes, Table } from "./figures.ts";
import { benchFlat } from "./flat.ts";
import { benchForward } from "./forward.ts";
import { binary } from "./home.ts";
import { loadCore, proxyCore } from "./load.ts";
import { benchMcp } from "./mcp.ts";
import { benchProxies, type Pace } from "./proxies.ts";
import { benchStartup } from "./startup.ts";

const gigabyte = 1024 ** 3;

const parts: Readonly<Record<string, (box: Box, table: Table, pace: Pace) => Promise<void>>> = {
  proxy: benchProxies,
  forward: benchForward,
  flat: benchFlat,
  mcp: benchMcp,
  exec: benchExec,
  startup: benchStartup,
  scrub: benchScrub,
  sign: benchSign,
  bulk: benchBulk,
};

async function benchScrub(_box: Box, table: Table): Promise<void> {
  const [program = "", ...args] = pinned([process.execPath, join(import.meta.dir, "scrub.ts")], proxyCore);
  const run = spawnSync(program, args, { encoding: "utf8" });
  const { plain, hits } = JSON.parse(run.stdout) as { plain: number; hits: number };
  table.add(
    "scrub, 64 KB pieces, JSON",
    `${plain.toFixed(0)} MB/s; a key each 4 KB: ${hits.toFixed(0)} MB/s`,
  );
}

/** What signing may add to a proxied call. */
const signMicroseconds = 60;

async function benchSign(_box: Box, table: Table): Promise<void> {
  const [program = "", ...args] = pinned([process.execPath, join(import.meta.dir, "sign.ts")], proxyCore);
  const run = spawnSync(program, args, { encoding: "utf8" });
  const figures = JSON.parse(run.stdout) as Record<string, readonly [number, number]>;
  for (const [type, [half, worst]] of Object.entries(figures)) {
    const figure = `${half.toFixed(1)} µs at the median, ${worst.toFixed(1)} in the slowest round`;
    const met = half <= signMicroseconds;
    table.judge(`sign, ${type}, 1 KB body`, figure, `${signMicroseconds} µs at most`, met);
  }
}

async function benchBulk(box: Box, table: Table, pace: Pace): Promise<void> {
  const bytes = pace.rounds < 5 ? gigabyte / 8 : gigabyte;
  for (const moved of await moveBulk(box, "bulk", bytes, proxyCore, loadCore)) {
    const { direction, megabytesPerSecond, complete, before, early, late } = moved;
    const memory = `RSS ${megabytes(before)}, first quarter ${megabytes(early)}, then ${megabytes(late)}`;
    const figure = `${megabytesPerSecond.toFixed(0)} MB/s, ${memory}`;
    const met = complete && late - early < growthLimit;
    table.judge(`${megabytes(bytes)} ${direction}`, figure, "complete, no growth", met);
  }
}

const wanted = process.argv.slice(2);
const quick = wanted.includes("--quick");
const names = wanted.filter((word) => !word.startsWith("--"));
const unknown = [
  ...names.filter((name) => !(name in parts)),
  ...wanted.filter((w) => w.startsWith("--") && w !== "--quick"),
];
if (unknown.length > 0) {
  process.stderr.write(
    `unknown: ${unknown.join(", ")}; parts: ${Object.keys(parts).join(", ")}; flag: --quick\n`,
  );
  process.exit(2);
}

const pace: Pace = quick ? { rounds: 3, seconds: 2 } : { rounds: 7, seconds: 4 };
const table = new Table();
const box = new Box("bench");
pinSelf(loadCore);
table.add(
  "machine",
  `${cores} cores, ${cpus()[0]?.model ?? "unknown"}, load ${loadavg()[0]?.toFixed(2)} at the start`,
);
const where = `proxies on core ${proxyCore}, one at a time; load and upstream on core ${loadCore}`;
table.add("pinning", canPin ? where : "none: it needs Linux, taskset (util-linux) and 2 cores");
table.add("under test", spawnSync(binary(), ["--version"], { encoding: "utf8" }).stdout.trim());
try {
  for (const [name, run] of Object.entries(parts)) {
    if (names.length > 0 && !names.includes(name)) continue;
    process.stderr.write(`${name} …\n`);
    await run(box, table, pace);
  }
} finally {
  await box.close();
}
table.add("load of the machine at the end", loadavg()[0]?.toFixed(2) ?? "unknown");
process.stderr.write("\n");
table.print();
process.exit(table.count("VOID") > 0 ? 1 : 0);
