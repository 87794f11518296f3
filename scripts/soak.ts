// `npm run soak [-- part…] [--scale 0.01]`: the large figures. Not part of the tests: it takes an hour or so.
import { cpus, loadavg } from "node:os";
import { Box, cores } from "../bench/box.ts";
import { Table } from "../bench/figures.ts";
import { bulkParts } from "./soak/bulk.ts";
import { execParts } from "./soak/exec.ts";
import { floodParts } from "./soak/flood.ts";
import { forwardParts } from "./soak/forward.ts";
import { fuzzTarget, fuzzWire } from "./soak/fuzz.ts";
import { killParts } from "./soak/kills.ts";
import type { Part } from "./soak/part.ts";
import { slowParts } from "./soak/slow.ts";
import { writerParts } from "./soak/writers.ts";

const parts: Readonly<Record<string, Part>> = {
  wire: fuzzWire,
  target: fuzzTarget,
  kills: killParts,
  writers: writerParts,
  slow: slowParts,
  forward: forwardParts,
  flood: floodParts,
  bulk: bulkParts,
  exec: execParts,
};

function usage(problem: string): never {
  process.stderr.write(`${problem}\nparts: ${Object.keys(parts).join(", ")}; flag: --scale 0.01\n`);
  process.exit(2);
}

const names: string[] = [];
let scale = 1;
const words = process.argv.slice(2);
for (let word = words.shift(); word !== undefined; word = words.shift()) {
  if (word === "--scale") scale = Number(words.shift());
  else if (word in parts) names.push(word);
  else usage(`unknown: ${word}`);
}
if (!(scale > 0 && scale <= 1)) usage("--scale wants a number above 0 and up to 1");

const table = new Table();
const box = new Box("soak");
table.add(
  "machine",
  `${cores} cores, ${cpus()[0]?.model ?? "unknown"}, load ${loadavg()[0]?.toFixed(2)} at the start`,
);
if (scale !== 1) table.add("scale", String(scale));
try {
  for (const [name, run] of Object.entries(parts)) {
    if (names.length > 0 && !names.includes(name)) continue;
    process.stderr.write(`${name} …\n`);
    try {
      await run(box, table, scale);
    } catch (error) {
      const [why = "", ...more] = (error instanceof Error ? error.message : String(error)).split("\n");
      process.stderr.write(`${more.join("\n")}\n`);
      table.add(name, `stopped: ${why}`, "", "NOT MET");
    }
  }
} finally {
  await box.close();
}
process.stderr.write("\n");
table.print();
process.exit(table.count("NOT MET") > 0 ? 1 : 0);
