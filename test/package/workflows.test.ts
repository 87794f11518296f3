// The workflows keep the rules, and each rule is one that can be broken.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { targets } from "../../scripts/package/targets.ts";
import { workflowFaults } from "../../scripts/workflows.ts";
import { root } from "../support/janee.ts";

const folder = join(root, ".github", "workflows");
const limit = { timeout: 60_000 };
const digest = "3d3c42e5aac5ba805825da76410c181273ba90b1";

const good = `name: x
on:
  push:
permissions: {}
jobs:
  one:
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions:
      contents: read
    steps:
      - uses: actions/checkout@${digest} # v7.0.1
        with:
          persist-credentials: false
      - run: echo "$TITLE"
        env:
          TITLE: \${{ github.event.head_commit.message }}
`;

const broken: readonly (readonly [from: string, to: string, fault: RegExp])[] = [
  [`${digest} # v7.0.1`, "v7", /not pinned/],
  [`${digest} # v7.0.1`, `${digest} # v7`, /expected a version behind the digest/],
  ["permissions: {}\n", "", /permissions: \{\} at the top/],
  ["    permissions:\n      contents: read\n", "", /one: expected its own permissions/],
  ["contents: read", "contents: write", /it may write, and has the tree/],
  ["    timeout-minutes: 5\n", "", /timeout-minutes/],
  ["persist-credentials: false", "fetch-depth: 1", /leaves its token behind/],
  ["  push:\n", "  pull_request_target:\n", /pull_request_target/],
  ['echo "$TITLE"', `echo "\${{ github.event.head_commit.message }}"`, /an expression in a script/],
  ['echo "$TITLE"', `echo "\${{ github.event.head_commit.message }}"`, /potentially untrusted/],
  ["ubuntu-24.04", "ubuntu-1", /label "ubuntu-1" is unknown/],
  ["github.event.head_commit", "matrix.head_commit", /property "head_commit" is not defined/],
];

test("the workflows of this project have no fault", limit, async () => {
  const files = readdirSync(folder).sort();
  assert.deepEqual(files, ["check.yml", "release.yml"]);
  for (const name of files)
    assert.deepEqual(await workflowFaults(name, readFileSync(join(folder, name), "utf8")), []);
});

test("each rule on workflows can be broken, and the workflow that keeps them passes", limit, async () => {
  assert.deepEqual(await workflowFaults("x.yml", good), []);
  for (const [from, to, fault] of broken) {
    const text = good.replace(from, () => to);
    assert.notEqual(text, good);
    assert.match((await workflowFaults("x.yml", text)).join("\n"), fault);
  }
});

test("every target is tried on a system of its own before it is released", () => {
  const text = readFileSync(join(folder, "release.yml"), "utf8");
  for (const { name } of targets) assert.ok(text.includes(`{ target: ${name}, system: `), name);
});
