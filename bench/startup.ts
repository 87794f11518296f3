// How long the answers that people and shells wait for take, beside Node saying its version, one after the other.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { type Box, pinned } from "./box.ts";
import { median, spread, type Table } from "./figures.ts";
import { binary, JaneeHome } from "./home.ts";
import { loadCore } from "./load.ts";

const rounds = 25;
const longestMs = { version: 25, completion: 40 };

export async function benchStartup(box: Box, table: Table): Promise<void> {
  const home = new JaneeHome(join(box.folder, "startup"));
  home.configure(9);
  const took = (command: readonly string[]): number => {
    const [program = "", ...args] = pinned(command, loadCore);
    const env = { ...process.env, ...home.environment };
    const startedAt = performance.now();
    const { status } = spawnSync(program, args, { env, stdio: "ignore" });
    if (status !== 0) throw new Error(`${command.join(" ")} ended with ${status}`);
    return performance.now() - startedAt;
  };
  const [version, node, completion] = [[], [], []] as [number[], number[], number[]];
  for (let round = 0; round < rounds; round += 1) {
    version.push(took([binary(), "--version"]));
    node.push(took(["node", "--version"]));
    completion.push(took([binary(), "completion", "--words", "--", "grant", ""]));
  }
  const beside = (times: readonly number[]): string => {
    const ratio = spread(times.map((ms, round) => ms / (node[round] ?? Number.NaN)));
    return `${spread(times, 1)} ms; ${ratio} of node --version`;
  };
  const judge = (name: string, times: readonly number[], most: number): void =>
    table.judge(name, beside(times), `${most} ms at most`, median(times) <= most);
  judge("janee --version", version, longestMs.version);
  judge("completion of a capability's name", completion, longestMs.completion);
}
