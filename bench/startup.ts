// What a person waits for who types: the version, and a word that the shell finishes; beside a bare start of Node.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { type Box, pinned, which } from "./box.ts";
import { median, spread, type Table } from "./figures.ts";
import { binary, JaneeHome } from "./home.ts";
import { loadCore } from "./load.ts";

const starts = 25;
const versionLimitMs = 25;
const completionLimitMs = 40;
const capabilities = 50;

interface Start {
  readonly name: string;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly times: number[];
}

export async function benchStartup(box: Box, table: Table): Promise<void> {
  const home = new JaneeHome(join(box.folder, "startup"));
  home.configureMany(capabilities);
  home.run(["list"]);
  const words = ["completion", "--words", "--", "grant", "bench-4"];
  const offered = home.run(words).trim().split("\n").length;
  const version: Start = { name: "janee --version", command: [binary(), "--version"], times: [] };
  const completion: Start = {
    name: `completion of a capability, ${capabilities} of them`,
    ...{ command: [binary(), ...words], environment: home.environment, times: [] },
  };
  const node = which("node");
  const plain: Start | undefined = node
    ? { name: "node --version", command: [node, "--version"], times: [] }
    : undefined;
  const bare: Start | undefined = node
    ? { name: "node -e 0", command: [node, "-e", "0"], times: [] }
    : undefined;
  const all = [version, completion, plain, bare].filter((start) => start !== undefined);
  for (let round = 0; round < starts; round += 1) for (const start of all) start.times.push(timed(start));
  if (!plain || !bare) table.missing("starts beside node's", "there is no node");
  else for (const { name, times } of [plain, bare]) table.add(name, `${spread(times, 1)} ms`);
  const ratios = (start: Start): string =>
    [plain, bare]
      .filter((other) => other !== undefined)
      .map(
        ({ name, times }) => `, ${spread(start.times.map((one, at) => one / (times[at] ?? 1)))} of ${name}`,
      )
      .join("");
  const judge = (start: Start, limit: number, sound = true): void => {
    const figure = `${spread(start.times, 1)} ms${ratios(start)}`;
    table.judge(start.name, figure, `≤ ${limit} ms`, sound && median(start.times) <= limit);
  };
  judge(version, versionLimitMs);
  // bench-4 and bench-40 to bench-49.
  judge(completion, completionLimitMs, offered === 11);
}

function timed({ command, environment = {} }: Start): number {
  const [program = "", ...args] = pinned(command, loadCore);
  const startedAt = performance.now();
  spawnSync(program, args, { stdio: "ignore", env: { ...process.env, ...environment } });
  return performance.now() - startedAt;
}
