import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { knownServices } from "../../src/engine/services/index.ts";

test("the README counts the services rightly, and says where they are", () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  assert.equal(Number(/knows (\d+) services/.exec(readme)?.[1]), knownServices.size);
  assert.ok(readme.includes("(docs/services.md)"));
});
