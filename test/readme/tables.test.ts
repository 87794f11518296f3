import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { tables, unpadded, withTables } from "../../scripts/tables/index.ts";

for (const [file, wanted] of tables()) {
  test(`the tables of ${file} are those of the code`, () => {
    const text = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
    assert.ok(wanted.size > 0);
    assert.equal(unpadded(text), unpadded(withTables(text, wanted)), "it has changed: bun scripts/tables.ts");
  });
}
