// MCP as the official conformance suite understands it: of janee as it is installed, what needs no fixtures; the rest
// of the suite's own registry on the same stack.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Home, installedCommand, onDeno } from "../support/janee.ts";
import { fixtureToken, startFixtureStack } from "./fixture-stack.ts";
import { conformance, type Outcome } from "./suite.ts";

const limit = { timeout: 120_000 };

interface Run {
  readonly which: "named" | "next";
  readonly args: readonly string[];
  readonly scenarios: number;
  /** Checks that pass at the least: a suite that looked at nothing has found nothing wrong. */
  readonly passes: { readonly janee: number; readonly fixtures: number };
}

/** The suite's latest release, and the next one, which knows the revision of 2026-07-28 and looks at more. */
const runs: readonly Run[] = [
  { which: "named", args: ["--suite", "all"], scenarios: 32, passes: { janee: 7, fixtures: 44 } },
  {
    which: "next",
    args: ["--requirements", "2025-11-25"],
    scenarios: 33,
    passes: { janee: 41, fixtures: 81 },
  },
  {
    which: "next",
    args: ["--requirements", "2026-07-28"],
    scenarios: 50,
    passes: { janee: 99, fixtures: 153 },
  },
];

async function onJanee({ which, args }: Run): Promise<Outcome> {
  const home = new Home();
  const command = installedCommand();
  try {
    await home.do(["init"], { command });
    const { token } = await home.json<{ token: string }>(["agent", "add", "conformance"], { command });
    return await conformance(which, args, "needs-fixtures.yaml", async (port) => {
      const allowed = ["--allow-host", `127.0.0.1:${port}`];
      const serving = await home.serve(allowed, { command });
      return { port: serving.port, token, stop: () => serving.stop() };
    });
  } finally {
    await home.dispose();
  }
}

function onFixtures({ which, args }: Run): Promise<Outcome> {
  return conformance(which, args, "expected-failures.yaml", async (port) => ({
    ...(await startFixtureStack([`127.0.0.1:${port}`])),
    token: fixtureToken,
  }));
}

function judge(
  { status, text, checks, unexpected, stale }: Outcome,
  scenarios: number,
  passes: number,
): void {
  assert.deepEqual(unexpected, []);
  assert.deepEqual(stale, [], "a line that passes has no place in the file");
  assert.equal(status, 0, text);
  assert.equal(checks.size, scenarios, text);
  const passed = [...checks.values()].flat().filter((check) => check.status === "SUCCESS");
  assert.ok(passed.length >= passes, `only ${passed.length} checks have passed: ${text}`);
}

for (const run of runs) {
  const name = `${run.which} suite, ${run.args.join(" ").slice(2)}`;
  test(`conformance of janee itself: ${name}`, limit, async () => {
    judge(await onJanee(run), run.scenarios, run.passes.janee);
  });
  // The same stack again: once is enough.
  if (onDeno) continue;
  test(`conformance of its stack, with fixtures: ${name}`, limit, async () => {
    judge(await onFixtures(run), run.scenarios, run.passes.fixtures);
  });
}
