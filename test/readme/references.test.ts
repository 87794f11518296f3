import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Failure } from "../../src/engine/failure.ts";
import { readConfig } from "../../src/engine/read-config.ts";

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");

test("the README's block for a store of secrets is one that the config takes", () => {
  const [block] = /^stores:\n(?: .*\n)+/m.exec(readme) ?? [];
  assert.ok(block);
  const read = readConfig(block, "README.md");
  assert.ok(!(read instanceof Failure), read instanceof Failure ? read.message : "");
  assert.equal(read.config.stores.vault?.login.type, "approle");
});
