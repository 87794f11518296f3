import assert from "node:assert/strict";
import { test } from "node:test";
import { SummaryTable } from "../../src/engine/summary-table.ts";

const counts = { allowed: 1, denied: 2, failed: 0, redactions: 3, alarms: 1 };

function line(path: string, more: object = {}): Readonly<Record<string, unknown>> {
  return { event: "response", outcome: "ok", capability: "api", method: "GET", path, status: 200, ...more };
}

function cellsOf(table: SummaryTable): string[][] {
  const rows = table
    .render(counts)
    .split("\n")
    .filter((row) => row.startsWith("| <code>"));
  return rows.map((row) =>
    row
      .slice(2, -2)
      .split(" | ")
      .map((cell) => cell.replace(/<\/?code>/g, "")),
  );
}

test("what ended alike is one row with its count, and what was stopped comes first", () => {
  const table = new SummaryTable();
  table.add(line("/a", { redactions: 2 }));
  table.add(line("/a", { redactions: 1 }));
  table.add(line("/a", { event: "request", outcome: undefined, status: undefined }));
  table.add({
    event: "request",
    outcome: "refused",
    decision: "deny",
    method: "POST",
    path: "/a",
    code: "x",
  });
  table.add({ event: "refusals", count: 40, decision: "deny" });
  table.add({ event: "session", outcome: "opened" });
  assert.deepEqual(
    cellsOf(table).map((cells) => [cells[0], cells[3], cells[5], cells[6]]),
    [
      ["denied", "", "40", "0"],
      ["denied", "/a", "1", "0"],
      ["allowed", "/a", "2", "3"],
    ],
  );
  assert.match(table.render(counts), /^### janee\n\n1 allowed, 2 denied, 0 failed, 3 redacted, 1 alarm\n/);
});

test("no letter of a path is read as Markdown or HTML, nor steers a terminal", () => {
  const table = new SummaryTable();
  table.add(line("/</code>|*_`[x](y)@z#1&amp;\u202e\n~"));
  const text = table.render(counts);
  const [row = ""] = text.split("\n").filter((one) => one.startsWith("| <code>"));
  assert.doesNotMatch(row.replace(/<\/?code>| \| |^\| | \|$/g, " "), /[<>|*_`[\]()@~\u202e]/);
  assert.equal(row.split("|").length, 9);
});

test("rows and cells are bounded, and what is left out is counted", () => {
  const table = new SummaryTable();
  for (let at = 0; at < 6_000; at += 1) table.add(line(`/${at}/${"x".repeat(500)}`));
  const text = table.render(counts);
  assert.ok(text.length < 100_000, String(text.length));
  assert.match(text, /\nand 5800 more\n/);
});
