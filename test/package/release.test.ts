// What stands in the way of a release is said at once, before anything is built.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { project } from "../../scripts/package/project.ts";
import { root } from "../support/janee.ts";
import { bun } from "./stage.ts";

const limit = { timeout: 60_000 };

function release(args: readonly string[], repository: string): { status: number | null; stderr: string } {
  const env = { ...process.env, GITHUB_REPOSITORY: repository };
  const options = { cwd: root, encoding: "utf8", env, timeout: 30_000 } as const;
  return spawnSync(bun(), [join(root, "scripts", "release.ts"), ...args], options);
}

test("a release in another repository than its packages point at is refused", limit, () => {
  const { status, stderr } = release([], "stranger/fork");
  assert.equal(status, 1);
  assert.match(stderr, /cannot be released: package\.json names another repository than stranger\/fork/);
  const isPlaceholder = /names no repository yet: put its owner in the place of OWNER/.test(stderr);
  assert.equal(isPlaceholder, project.owner === "OWNER");
});

test("an argument that is not known is refused", limit, () => {
  const { status, stderr } = release(["--dryrun"], "stranger/fork");
  assert.equal(status, 2);
  assert.match(stderr, /unknown argument --dryrun/);
});
