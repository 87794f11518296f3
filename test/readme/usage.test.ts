import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { usageOfAll } from "../../src/commands/index.ts";

const root = new URL("../../", import.meta.url);
const readme = readFileSync(new URL("README.md", root), "utf8");

test("docs/commands.md shows the usage of every command, word for word", async () => {
  const commands = readFileSync(new URL("docs/commands.md", root), "utf8");
  assert.ok(commands.includes(await usageOfAll()), "it has changed: bun scripts/usage.ts");
});

test("every file that the README and the docs name exists", () => {
  const docs = readdirSync(new URL("docs/", root)).map((name) =>
    readFileSync(new URL(`docs/${name}`, root), "utf8"),
  );
  const named = [...[readme, ...docs].join("\n").matchAll(/`((?:test|bench|src|scripts)\/[\w./-]+)`/g)].map(
    (match) => match[1] ?? "",
  );
  assert.ok(named.length > 40);
  for (const path of named) assert.ok(existsSync(new URL(path, root)), `they name ${path}`);
});

test("every npm script that the README names exists", () => {
  const { scripts } = JSON.parse(readFileSync(new URL("package.json", root), "utf8")) as {
    scripts: Record<string, string>;
  };
  for (const [, name = ""] of readme.matchAll(/npm run ([a-z]+)/g))
    assert.ok(scripts[name], `npm run ${name}`);
});
