import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { project } from "../../scripts/package/project.ts";
import { targets } from "../../scripts/package/targets.ts";
import { packageAll } from "../../scripts/package.ts";
import { ingredients, lock } from "../package/stage.ts";

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
const section = /^## Install$([\s\S]*?)^## /m.exec(readme)?.[1] ?? "";

test("the README's table of channels names files that are made, under this version and place", async () => {
  const made = (await packageAll(ingredients(), lock())).map(({ name }) => name);
  const rows = section
    .split("\n")
    .filter((line) => /^\| [A-Za-z]/.test(line) && !line.startsWith("| channel"));
  assert.ok(rows.length >= 12);
  for (const row of rows) {
    const [file = ""] = /`[^`]+`/.exec(row) ?? [];
    const pattern = file
      .slice(1, -1)
      .replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")
      .replaceAll(/<\w+>/g, "\\w[\\w-]*");
    assert.ok(
      made.some((name) => new RegExp(`^${pattern}$`).test(name)),
      `${file} is not made`,
    );
  }
  for (const name of made) {
    const [kind = ""] = /\.\w+$|^Containerfile$/.exec(name) ?? [];
    assert.ok(section.includes(kind), `${name} is made, and the README does not say what for`);
  }
});

test("what the README says about versions, targets and the place is so", () => {
  for (const { name } of targets) {
    const said = name.endsWith("-musl") ? "`-musl`" : `\`${name}\``;
    assert.ok(section.includes(said), name);
  }
  for (const [, version] of section.matchAll(/janee[-_](\d+\.\d+\.\d+)/g))
    assert.equal(version, project.version);
  for (const [url] of section.matchAll(/https:\/\/github\.com\/[^\s`]+/g))
    assert.ok(url.startsWith(project.downloads), url);
  assert.ok(section.includes(`npm install -g ${project.npm}`));
  assert.ok(section.includes(`--repo ${project.owner}/${project.repository}`));
});
