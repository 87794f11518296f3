// What the executable says about itself: which commit it is from, what runs it, and whose code is in it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { inHome, installedCommand, onDeno, root } from "../support/janee.ts";

const limit = { timeout: 60_000 };
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  version: string;
  config: { bun: string };
  dependencies: Record<string, string>;
};

interface Part {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly text: string;
}

test("--version says version, commit and runtime, and so does its JSON", limit, async () => {
  await inHome(async (home) => {
    const own = { command: installedCommand() };
    const { stdout } = await home.do(["--version"], own);
    const told = await home.json<{ version: string; commit: string; runtime: string }>(["--version"], own);
    assert.equal(stdout, `janee ${told.version} (${told.commit}, ${told.runtime})\n`);
    assert.equal(told.version, manifest.version);
    assert.match(told.runtime, onDeno ? /^deno \d+\.\d+\.\d+$/ : new RegExp(`^bun ${manifest.config.bun}$`));
    assert.match(told.commit, onDeno ? /^from source$/ : /^([0-9a-f]{12}(, changed)?|unknown commit)$/);
  });
});

test(
  "licenses prints the texts of all that is in the executable; from source it says where they are",
  limit,
  async () => {
    await inHome(async (home) => {
      const own = { command: installedCommand() };
      const { stdout } = await home.do(["licenses"], own);
      const parts = await home.json<readonly Part[]>(["licenses"], own);
      if (onDeno) {
        assert.match(stdout, /node_modules/);
        assert.deepEqual(parts, []);
        return;
      }
      const names = parts.map(({ name }) => name);
      assert.deepEqual(names.slice(0, 2), ["janee", "bun"]);
      for (const name of Object.keys(manifest.dependencies)) assert.ok(names.includes(name), name);
      for (const { name, version, license, text } of parts) {
        assert.ok(stdout.includes(`## ${name} ${version}: ${license}\n\n${text}`), name);
        assert.ok(text.length > 200, `${name} has a whole text`);
      }
      assert.match(parts[1]?.text ?? "", /JavaScriptCore[\s\S]*LGPL/);
      // Only what is in the executable: no test tool.
      assert.ok(!names.includes("fast-check") && !names.includes("typescript"));
    });
  },
);
