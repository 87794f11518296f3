import assert from "node:assert/strict";
import { test } from "node:test";
import { Failure } from "../../../src/engine/failure.ts";
import { lintConfig } from "../../../src/engine/lint-config.ts";
import { readConfig } from "../../../src/engine/read-config.ts";
import { changes, dropsGuard } from "../../../src/engine/widening.ts";
import { read, refused } from "../config-sample.ts";
import { exec } from "./sample.ts";

const both = "allowCommands: [gh, git]";
const pin = "ab".repeat(32);

test("rules on arguments, pins and dangerous are read as they stand", () => {
  const { config, argsPlaces } = read(
    exec(
      both,
      "args:",
      "  gh:",
      '    - allow: [issue, list, "*"]',
      '    - ask: ["issue", "create", "*"]',
      '    - deny: ["*"]',
      "  git: []",
      `sha256: {gh: ${pin.toUpperCase()}}`,
    ),
  );
  const policy = config.capabilities.get("c")?.exec ?? assert.fail();
  assert.deepEqual(
    policy.args.get("gh")?.map(({ text }) => text),
    ['gh: allow: ["issue", "list", "*"]', 'gh: ask: ["issue", "create", "*"]', 'gh: deny: ["*"]'],
  );
  assert.deepEqual(policy.args.get("git"), []);
  assert.deepEqual([...policy.sha256], [["gh", pin]]);
  assert.equal(policy.dangerous, false);
  assert.deepEqual(
    argsPlaces
      .get("c")
      ?.get("gh")
      ?.map(({ line }) => line),
    [10, 11, 12],
  );
  const plain = read(exec(both)).config.capabilities.get("c")?.exec ?? assert.fail();
  assert.equal(plain.args.size + plain.sha256.size, 0);
});

test("what cannot be meant is refused where it stands", () => {
  const cases: [string, RegExp, string][] = [
    ["args: {hg: [{allow: [a]}]}", /not in allowCommands; did you mean "g[hi]t?"/, "8:12"],
    ["args: {gh: {allow: [a]}}", /a list with one rule per line/, "8:16"],
    ["args: {gh: [allow]}", /one rule/, "8:17"],
    ["args: {gh: [{alow: [a]}]}", /did you mean "allow"/, "8:18"],
    ["args: {gh: [{allow: issue list}]}", /never does/, "8:25"],
    ['args: {gh: [{deny: "*"}]}', /as a list/, "8:24"],
    ["args: {gh: [{allow: [a], deny: [b]}]}", /two keys/, "8:30"],
    ["args: {gh: [{allow: [7]}]}", /in quotes/, "8:26"],
    ["args: {gh: [{}]}", /one rule/, "8:17"],
    ["args: {gh: }", /a list/, "8:12"],
    ["args: [a]", /a map/, "8:11"],
    [`sha256: {hg: ${pin}}`, /not in allowCommands/, "8:14"],
    ["sha256: {gh: abc}", /64 hex digits/, "8:18"],
    [`sha256: {gh: "${pin}0"}`, /64 hex digits/, "8:18"],
    ["dangerous: yes", /true or false/, "8:16"],
    ["dangerus: true", /did you mean "dangerous"/, "8:5"],
  ];
  for (const [line, message, at] of cases) {
    const failure = refused(exec(both, line));
    assert.match(failure.message, message, line);
    assert.equal(`${failure.at?.line}:${failure.at?.column}`, at, line);
  }
  assert.match(refused(exec(both, "args: {gh: [{allow: [*]}]}")).message, /quote/);
  assert.match(refused(exec("allowCommands: ['gh ']")).message, /name of a command/);
  for (const key of ["args: {}", "sha256: {}", "dangerous: true"]) {
    assert.match(refused(exec().replace("mode: exec", key)).message, /goes with mode: exec|no baseUrl/);
  }
});

test("no complaint holds what stands in the file", () => {
  const canary = "CANARY12345";
  for (const line of [
    ...[
      `args: {${canary}: []}`,
      `args: {gh: [{${canary}: [a]}]}`,
      `args: {gh: [{allow: ${canary}}]}`,
      `args: ${canary}`,
    ],
    ...[
      `sha256: {gh: ${canary}}`,
      `sha256: {${canary}: x}`,
      `dangerous: ${canary}`,
      `envMap: {A: "{{credential.${canary}}}"}`,
    ],
    ...[`envMap: {LD_${canary}: x}`, `envMap: {A: "{{${canary}"}`],
  ]) {
    const failure = readConfig(exec(both, line), "f");
    assert.ok(failure instanceof Failure, line);
    assert.ok(!JSON.stringify(failure).includes("CANARY"), line);
  }
});

function oneWay(narrow: string[], wide: string[], line: RegExp): void {
  const [from, to] = [read(exec(...narrow)).config, read(exec(...wide)).config];
  assert.ok(
    changes(from, to).widened.some((one) => line.test(one)),
    `${wide}: ${changes(from, to).widened}`,
  );
  assert.deepEqual(changes(to, from).widened, [], narrow.join());
  assert.ok(changes(to, from).other.length > 0);
}

test("what lets a command do more is named", () => {
  oneWay([both], [both, "dangerous: true"], /dangerous turned on/);
  oneWay([both, "args: {gh: [{allow: [a]}]}"], [both], /gh has no rules any more/);
  oneWay([both, "args: {gh: []}"], [both, "args: {gh: [{allow: [a]}]}"], /added: gh: allow: \["a"\]/);
  oneWay(
    [both, "args: {gh: [{deny: [a]}, {allow: [b]}]}"],
    [both, "args: {gh: [{allow: [b]}]}"],
    /removed: gh: deny/,
  );
  oneWay([both, `sha256: {gh: ${pin}}`], [both], /gh is not pinned any more/);
  const [one, two] = [
    read(exec(both, `sha256: {gh: ${pin}}`)).config,
    read(exec(both, `sha256: {gh: ${"cd".repeat(32)}}`)).config,
  ];
  assert.match(changes(one, two).widened.join(), /pinned to another file/);
  const swap = (...rules: string[]): string => exec(both, `args: {gh: [${rules.join(", ")}]}`);
  const [a, b] = [
    read(swap("{allow: [a]}", "{deny: [a]}")).config,
    read(swap("{deny: [a]}", "{allow: [a]}")).config,
  ];
  assert.match(changes(b, a).widened.join(), /another order/);
  assert.deepEqual(changes(a, a), { widened: [], other: [] });
  // A command that goes takes its rules along.
  const [many, few] = [read(swap("{allow: [a]}")).config, read(exec("allowCommands: [git]")).config];
  assert.deepEqual(changes(many, few).widened, []);
  assert.ok(dropsGuard(many, read(exec(both)).config) && !dropsGuard(many, few));
});

function lint(...lines: string[]): string[] {
  const { config, rulePlaces, argsPlaces } = read(exec(...lines));
  return lintConfig(config, rulePlaces, argsPlaces).map(({ message, at }) => `${at?.line}: ${message}`);
}

test("lint: no rules for git and gh, rules that never decide, rules that allow nothing", () => {
  assert.match(lint(both).join(), /gh has no rules under args.*git has no rules under args/s);
  assert.deepEqual(lint("allowCommands: [bird]"), []);
  const ruled = (...rules: string[]): string[] =>
    lint("allowCommands: [gh]", "args:", "  gh:", ...rules.map((rule) => `    - ${rule}`));
  assert.deepEqual(ruled('allow: [issue, list, "*"]', "ask: [issue, create]", 'deny: ["*"]'), []);
  assert.match(
    ruled('deny: ["*"]', "allow: [issue]").join(),
    /^11: .*can never match: "gh: deny: \["\*"\]" above it/,
  );
  assert.match(ruled('allow: [issue, "*"]', 'ask: [issue, create, "*"]').join(), /can never match/);
  assert.match(ruled("allow: [auth, token]").join(), /allows nothing: .*prints the token/);
  assert.deepEqual(ruled("deny: [auth, token]", 'allow: [auth, "*"]'), []);
});
