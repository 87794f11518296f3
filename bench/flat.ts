// Whether more sessions or more rules make a request dearer.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { type Box, which } from "./box.ts";
import { median, spread, type Table, thousands } from "./figures.ts";
import { JaneeHome, type Serving } from "./home.ts";
import { closedLoop, loadCore, proxyCore, type Round } from "./load.ts";
import { howToGetNginx, nginxUpstream } from "./nginx.ts";
import type { Pace } from "./proxies.ts";

export const manySessions = 100_000;
const rotating = 10_000;
const manyRules = 1_000;

export async function benchFlat(box: Box, table: Table, pace: Pace): Promise<void> {
  if (which("nginx") === undefined) return table.missing("flat over sessions and rules", howToGetNginx);
  const upstream = await nginxUpstream(box, loadCore);
  const made = async (name: string, rules?: readonly string[]) => {
    const home = new JaneeHome(join(box.folder, name));
    home.configure(upstream.port, rules);
    return { home, token: home.grant().token };
  };
  const few = await made("one-session");
  const many = await made("many-sessions");
  const tokens = fill(many.home);
  const ruled = await made("many-rules", rulesBefore(manyRules - 1));

  const one = { serving: await few.home.serve(box, proxyCore), path: "/bench/v1/items", tokens: [few.token] };
  const crowd = { serving: await many.home.serve(box, proxyCore), path: one.path, tokens: [many.token] };
  const everyone = { ...crowd, tokens };
  const laws = { serving: await ruled.home.serve(box, proxyCore), path: one.path, tokens: [ruled.token] };
  const rounds: Record<"one" | "crowd" | "laws", Round[]> = { one: [], crowd: [], laws: [] };
  for (const each of [one, crowd, laws]) await closedLoop(box, each, 1);
  for (let round = 0; round < pace.rounds; round++) {
    rounds.one.push(await closedLoop(box, one, pace.seconds));
    rounds.crowd.push(await closedLoop(box, crowd, pace.seconds));
    rounds.laws.push(await closedLoop(box, laws, pace.seconds));
  }
  const turning = await closedLoop(box, everyone, pace.seconds);
  const alone = await closedLoop(box, { ...one, tokens: [few.token, few.token] }, pace.seconds);

  for (const name of ["one", "crowd", "laws"] as const) {
    const rates = rounds[name].map(({ perSecond }) => perSecond);
    const failed = rounds[name].reduce((sum, round) => sum + round.failed, 0);
    const what = { one: "1 session, 1 rule", crowd: `${manySessions} sessions`, laws: `${manyRules} rules` }[
      name
    ];
    table.add(`  ${what}`, `${thousands(median(rates))}/s${failed === 0 ? "" : `, ${failed} FAILED`}`);
  }
  const bySessions = rounds.crowd.map(
    (round, at) => round.perSecond / (rounds.one[at]?.perSecond ?? Number.NaN),
  );
  const flat = Math.abs(median(bySessions) - 1) <= 0.1;
  table.judge(`requests/s, ${manySessions} sessions / 1`, spread(bySessions), "within 10 %", flat);
  table.add(`  with ${rotating} of them in turn`, (turning.perSecond / alone.perSecond).toFixed(2));
  const byRules = rounds.laws.map((round, at) => (rounds.one[at]?.perSecond ?? Number.NaN) / round.perSecond);
  table.judge(`time a request, ${manyRules} rules / 1`, spread(byRules), "≤ 2", median(byRules) <= 2);
  await Promise.all([one.serving, crowd.serving, laws.serving, upstream].map((each: Serving) => each.stop()));
}

/** Half of them are `deny`, which matches every spelling of a path and so costs more. */
function rulesBefore(count: number): string[] {
  const rules = Array.from({ length: count }, (_, index) => {
    return index % 2 === 0 ? `allow: GET /a${index}/*` : `deny: GET /d${index}/{id}/*`;
  });
  return [...rules, "allow: GET /v1/*"];
}

/** Many live sessions of others; the tokens of some. */
export function fill(home: JaneeHome): string[] {
  const script = join(import.meta.dir, "fill.ts");
  const run = spawnSync(process.execPath, [script, String(manySessions), String(rotating)], {
    encoding: "utf8",
    env: { ...process.env, ...home.environment },
    maxBuffer: 64 * 1024 * 1024,
  });
  if (run.status !== 0) throw new Error(`the store was not filled: ${run.stderr}`);
  return run.stdout.split("\n");
}
