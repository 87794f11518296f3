// Every policy of docs/policies.md is read as a config, and every row of its table decided by the one that decides.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { admit, admitCommand } from "../../src/engine/admit.ts";
import { Failure } from "../../src/engine/failure.ts";
import { lintConfig } from "../../src/engine/lint-config.ts";
import { readConfig } from "../../src/engine/read-config.ts";

const text = readFileSync(new URL("../../docs/policies.md", import.meta.url), "utf8");
const sections = text.split(/^## /m).slice(1);

interface Row {
  readonly asked: string;
  readonly decision: string;
}

function rowsOf(section: string): Row[] {
  return [...section.matchAll(/^\| `([^`]+)`\s*\| (\w+)\s*\|$/gm)].map(([, asked = "", decision = ""]) => ({
    asked,
    decision,
  }));
}

function decide(section: string, asked: string): string {
  const yaml = /```yaml\n([\s\S]*?)```/.exec(section)?.[1] ?? assert.fail("a policy without its yaml");
  const read = readConfig(yaml, "policies.md");
  if (read instanceof Failure) assert.fail(`${read.message} at ${read.at?.line}:${read.at?.column}`);
  const [capability] = [...read.config.capabilities.values()];
  assert.ok(capability);
  const words = asked.split(" ");
  const wish = { capability: capability.name, reason: "a test" };
  const [method = "", target = ""] = words;
  const verdict =
    capability.mode === "exec"
      ? admitCommand(read.config, "rules-only", { ...wish, command: words }, 0)
      : admit(read.config, "rules-only", { ...wish, method, target, fields: [] }, 0);
  if (!(verdict instanceof Failure)) return verdict.decision.effect;
  return ["rule_denied", "argv_denied"].includes(verdict.code) ? "deny" : "refused";
}

test("there are ten tasks, each with rows", () => {
  assert.equal(sections.length, 10);
  for (const section of sections) assert.ok(rowsOf(section).length >= 3, section.slice(0, 40));
});

for (const section of sections) {
  const title = section.slice(0, section.indexOf("\n"));
  test(`policy ${title}`, () => {
    for (const { asked, decision } of rowsOf(section)) assert.equal(decide(section, asked), decision, asked);
  });
}

test("no policy has a rule that can never match", () => {
  for (const section of sections) {
    const yaml = /```yaml\n([\s\S]*?)```/.exec(section)?.[1] ?? "";
    const read = readConfig(yaml, "policies.md");
    assert.ok(!(read instanceof Failure));
    assert.deepEqual(read.warnings, [], section.slice(0, 40));
    const findings = lintConfig(read.config).filter(({ message }) => !message.includes("spans"));
    assert.deepEqual(findings, [], section.slice(0, 40));
  }
});
