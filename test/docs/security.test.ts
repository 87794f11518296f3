// The map of threats names code and tests that are there.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";

const root = new URL("../../", import.meta.url);
const page = readFileSync(new URL("docs/security.md", root), "utf8");
const rows = page
  .split("\n")
  .filter((line) => line.startsWith("|") && !/^\|\s*(threat|-)/.test(line))
  .map((line) => line.split("|").map((cell) => cell.trim()));

test("every threat names the code that stops it and a test that shows it", () => {
  assert.ok(rows.length > 25);
  for (const [, threat = "", stopped = "", shown = ""] of rows) {
    const code = [...stopped.matchAll(/`([^`]+)`/g)].map(([, path = ""]) => path);
    assert.ok(code.length > 0, threat);
    for (const path of code) assert.ok(existsSync(new URL(path, root)), `${threat}: ${path}`);
    let text = "";
    let named = 0;
    for (const [, path, title] of shown.matchAll(/`(test\/[^`]+)`|“([^”]+)”/g)) {
      if (path !== undefined) text = readFileSync(new URL(path, root), "utf8");
      if (title === undefined) continue;
      named += 1;
      assert.ok(text.includes(`"${title}"`), `${threat}: no test “${title}”`);
    }
    assert.ok(named > 0, threat);
  }
});
