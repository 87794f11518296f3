// How long the machine takes from nothing to a first allowed call: install, add, serve or connect, call.
import { download } from "../test/package/stage.ts";
import { canary } from "../test/support/janee.ts";
import { walk } from "../test/support/newcomer.ts";
import { withUpstream } from "../test/support/upstream.ts";
import type { Box } from "./box.ts";
import { spread, type Table } from "./figures.ts";
import type { Pace } from "./proxies.ts";

const mostCommands = 4;

export async function benchNewcomer(_box: Box, table: Table, pace: Pace): Promise<void> {
  if (process.platform === "win32") {
    table.missing("newcomer", "it needs a shell and install.sh");
    return;
  }
  const offered = await download();
  const rounds = await withUpstream({}, async (upstream) => {
    upstream.answer = (seen, exchange) => {
      const right = seen.values("authorization").join() === `Bearer ${canary}`;
      exchange.send(right ? 200 : 401, {}, right ? "pong" : "");
    };
    const walked = [];
    for (let round = 0; round < pace.rounds; round += 1) {
      walked.push(await walk(offered, `http://127.0.0.1:${upstream.port}`));
    }
    return walked;
  });
  for (const [at, { way, typed, answer }] of (rounds[0] ?? []).entries()) {
    const seconds = rounds.map((walked) => (walked[at]?.milliseconds ?? Number.NaN) / 1000);
    const figure = `${typed.length} commands, ${spread(seconds, 1)} s without typing`;
    const met = typed.length <= mostCommands && answer.includes("pong");
    table.judge(`newcomer, ${way}`, figure, `${mostCommands} commands at most`, met);
  }
}
