// The examples for CI are read by what would read them: workflow, action, command line and policy fit together.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { workflowFaults } from "../../scripts/workflows.ts";
import { readArguments } from "../../src/commands/arguments.ts";
import { command } from "../../src/commands/run.ts";
import { readBindings, refuseElsewhere } from "../../src/engine/bindings.ts";
import { Failure } from "../../src/engine/failure.ts";
import { readConfig } from "../../src/engine/read-config.ts";
import { root } from "../support/janee.ts";

const limit = { timeout: 60_000 };
const example = (name: string): string => readFileSync(join(root, "examples/ci", name), "utf8");

function fits(binds: readonly string[]): void {
  const read = readConfig(example("janee.yaml"), "janee.yaml");
  if (read instanceof Failure) assert.fail(read.message);
  assert.ok([...read.config.capabilities.values()].every(({ autoApprove }) => autoApprove));
  const bindings = readBindings(binds);
  if (bindings instanceof Failure) assert.fail(bindings.message);
  assert.equal(refuseElsewhere(read.config, bindings), undefined);
  assert.ok(
    refuseElsewhere(read.config, new Map()) instanceof Failure,
    "without bindings it would not start",
  );
}

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

test(
  "the workflow for GitHub keeps this project's own rules, and fits the action and the policy",
  limit,
  async () => {
    const text = example("github.yml");
    assert.deepEqual(await workflowFaults("github.yml", text), []);
    const { jobs } = parse(text) as { jobs: { review: { steps: readonly Step[]; env?: unknown } } };
    const step = jobs.review.steps.find(({ uses }) => uses?.includes("/janee/action@"));
    assert.ok(step?.with && step.env);
    const { inputs } = parse(readFileSync(join(root, "action/action.yml"), "utf8")) as { inputs: object };
    for (const name of Object.keys(step.with)) assert.ok(name in inputs, name);
    const binds = (step.with.bind ?? "").trim().split("\n");
    fits(binds);
    assert.deepEqual(binds.map((line) => line.split("=")[0]).sort(), Object.keys(step.env).sort());
    const others = jobs.review.steps.filter((one) => one !== step);
    assert.ok(
      jobs.review.env === undefined && others.every(({ env }) => env === undefined),
      "no other step has a key",
    );
  },
);

test("the job for GitLab starts janee with flags that it has, and bindings that fit the policy", () => {
  const { review } = parse(example("gitlab.yml")) as {
    review: { script: readonly string[]; before_script: string[] };
  };
  const [line = ""] = review.script;
  const [program, name, ...words] = line.split(" ");
  assert.deepEqual([program, name], ["janee", "run"]);
  const args = readArguments("run", command, words);
  if (args instanceof Failure) assert.fail(args.message);
  assert.deepEqual(args.rest, ["./scripts/review.sh"]);
  fits(args.texts("bind"));
  assert.match(review.before_script.join("\n"), /sha256sum -c/);
});

test("the action's page and docs/ci.md name each input and each flag of it", () => {
  const { inputs } = parse(readFileSync(join(root, "action/action.yml"), "utf8")) as { inputs: object };
  const page = readFileSync(join(root, "action/README.md"), "utf8");
  for (const name of Object.keys(inputs)) assert.ok(page.includes(`| \`${name}\``), name);
  const docs = readFileSync(join(root, "docs/ci.md"), "utf8");
  for (const [, flag = ""] of docs.matchAll(/`--([a-z-]+)/g)) assert.ok(command.flags[flag], flag);
});
