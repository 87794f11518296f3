import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { tables, unpadded, withTables } from "../../scripts/tables/index.ts";

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");

test("the README's tables are those of the code", () => {
  const wanted = tables();
  assert.ok(wanted.size > 0);
  assert.equal(
    unpadded(readme),
    unpadded(withTables(readme, wanted)),
    "it has changed: bun scripts/tables.ts",
  );
});
