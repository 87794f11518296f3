// The differential fuzz of the test suite, a million cases of each, in slices with seeds that follow one another.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Box } from "../../bench/box.ts";
import type { Table } from "../../bench/figures.ts";
import { type Part, scaled } from "./part.ts";

const root = join(import.meta.dir, "..", "..");
const sliceCases = 20_000;

function fuzz(what: string, file: string, cases: number): Part {
  return async (box, table, scale) => {
    if (!existsSync(join(root, file))) return table.missing(what, `${file} does not exist`);
    const firstSeed = Number(process.env.JANEE_SEED ?? Math.floor(Math.random() * 2 ** 31));
    const wanted = scaled(cases, scale);
    const startedAt = performance.now();
    for (let done = 0, seed = firstSeed; done < wanted; done += sliceCases, seed++) {
      const count = Math.min(sliceCases, wanted - done);
      const failed = await slice(box, file, count, seed);
      if (failed !== undefined) return report(table, what, `seed ${seed}, ${count} cases: ${failed}`, false);
      process.stderr.write(`\r  ${what}: ${done + count} of ${wanted}`);
    }
    process.stderr.write("\n");
    const seconds = (performance.now() - startedAt) / 1000;
    report(table, what, `${wanted} cases from seed ${firstSeed}, ${seconds.toFixed(0)} s`, true);
  };
}

function report(table: Table, what: string, figure: string, met: boolean): void {
  table.judge(what, figure, "no difference", met);
}

/** What went wrong, or undefined. */
async function slice(box: Box, file: string, cases: number, seed: number): Promise<string | undefined> {
  const run = box.start([process.execPath, "test", `./${file}`], {
    cwd: root,
    env: { JANEE_FUZZ_CASES: String(cases), JANEE_SEED: String(seed) },
  });
  const status = await run.ended;
  if (status === 0 && /^ *[1-9]\d* pass$/m.test(run.output())) return undefined;
  return `status ${status}\n${run.output().slice(-4000)}`;
}

export const fuzzWire = fuzz("wire against node:http", "test/wire/differential.test.ts", 1_000_000);
export const fuzzTarget = fuzz("target reader against URL", "test/engine/target.test.ts", 1_000_000);
