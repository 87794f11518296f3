// Variables that mislead, each beside its harmless twin.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { examine, healthy, others } from "../support/doctor.ts";
import { type Home, inHome } from "../support/janee.ts";

const limit = { timeout: 60_000 };

async function told(home: Home, env: Record<string, string>): Promise<string> {
  const { status, findings } = await examine(home, { env });
  assert.equal(status, 0, "a variable alone is no problem of the home");
  for (const { level, check, remedy } of findings) {
    if (check === "environment" && level !== "ok") assert.ok(remedy, "each has a remedy");
  }
  return others(findings).join("\n");
}

const pairs: readonly (readonly [name: string, bad: string, words: RegExp, good: string])[] = [
  ["HTTPS_PROXY", "http://p:1", /HTTPS_PROXY is set: janee does not use it/, ""],
  ["NODE_TLS_REJECT_UNAUTHORIZED", "0", /not to check certificates/, "1"],
  [
    "NODE_OPTIONS",
    "--max-http-header-size=9999 --require @file",
    /NODE_OPTIONS is set: .*loads (?:foreign )?code/,
    "--max-http-header-size=9999",
  ],
  ["JANEE_UNATTENDED", "1", /say yes in a person's place/, "0"],
  ["LD_LIBRARY_PATH", "/none", /takes its libraries from there/, ""],
  ["BUN_INSPECT_NOT", "x", /^$/, ""],
  ["JANEE_DEBUG", "1", /^$/, ""],
];

for (const [name, bad, words, good] of pairs) {
  test(`doctor: ${name} that misleads, and its twin: ${good || "none"}, ${words.source}`, limit, () =>
    inHome(async (home) => {
      await healthy(home);
      // Deno does load it.
      const file = join(home.beside, "harmless.cjs");
      writeFileSync(file, "");
      assert.match(await told(home, { [name]: bad.replace("@file", file) }), words);
      assert.equal(await told(home, { [name]: good }), "");
    }),
  );
}

test("doctor: a variable that janee does not read is told with the one that was meant", limit, () =>
  inHome(async (home) => {
    await healthy(home);
    const env = { JANEE_UNATENDED: "1" };
    assert.match(await told(home, env), /JANEE_UNATENDED is set, and janee reads no such variable/);
    const { findings } = await examine(home, { env });
    assert.ok(findings.some(({ remedy }) => remedy === "set JANEE_UNATTENDED, if that was meant"));
    assert.equal(await told(home, { JANEE_TOKEN: "x", JANEE_AGENT_TOKEN: "y" }), "");
  }),
);

if (process.platform === "linux") {
  test("doctor: where foreign code is loaded nothing is promised", limit, () =>
    inHome(async (home) => {
      await healthy(home);
      // A name that the loader finds nowhere: it says so and goes on.
      const env = { LD_PRELOAD: "/none/no-such-library.so" };
      const { findings, doesNotHold } = await examine(home, { env });
      assert.match(others(findings).join("\n"), /LD_PRELOAD is set: it loads a foreign library/);
      assert.ok(doesNotHold.some((line) => line.startsWith("While LD_PRELOAD is set nothing is promised")));
      const plain = await examine(home);
      assert.equal(plain.guarantee.includes("nothing is promised"), false);
    }),
  );
}
