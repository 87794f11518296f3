import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type ArgsRule, argsRule, coversArgs, decideArgs } from "../../../src/engine/exec/args-rule.ts";

const matches = (pattern: readonly string[], args: readonly string[]): boolean =>
  argsRule("gh", "allow", pattern).matches(args);

test("exact, a star for any run of arguments, a star inside an argument", () => {
  const cases: [string[], string[], boolean][] = [
    [["issue", "list"], ["issue", "list"], true],
    [["issue", "list"], ["issue", "list", "-L1"], false],
    [["issue", "list"], ["issue"], false],
    [["issue", "list", "*"], ["issue", "list"], true],
    [["issue", "list", "*"], ["issue", "list", "-L", "1"], true],
    [["issue", "list", "*"], ["issue", "create"], false],
    [["*"], [], true],
    [["*"], ["a", "b"], true],
    [[], [], true],
    [[], ["a"], false],
    [["*", "x"], ["a", "x"], true],
    [["*", "x"], ["x"], true],
    [["*", "x"], ["x", "a"], false],
    [["a", "*", "b", "*", "c"], ["a", "b", "c"], true],
    [["a", "*", "b", "*", "c"], ["a", "x", "b", "b", "c"], true],
    [["a", "*", "b", "*", "c"], ["a", "c", "b"], false],
    [["a", "*", "a"], ["a"], false],
    [["*", "x", "y", "*"], ["x", "x", "y"], true],
    [["--state=*"], ["--state=open"], true],
    [["--state=*"], ["--state="], true],
    [["--state=*"], ["--state"], false],
    [["feature/*"], ["feature/a/b"], true],
    [["a*b"], ["axb"], true],
    [["a*b"], ["a", "b"], false],
    [["Issue"], ["issue"], false],
    [["issue"], ["issue "], false],
    [[""], [""], true],
    [["."], ["x"], false],
  ];
  for (const [pattern, args, expected] of cases) {
    assert.equal(matches(pattern, args), expected, `${pattern} on ${args}`);
  }
});

test("the first match wins; with rules and no match: denied; without rules: allowed", () => {
  const rules: ArgsRule[] = [
    argsRule("gh", "allow", ["issue", "list", "*"]),
    argsRule("gh", "ask", ["issue", "*"]),
    argsRule("gh", "deny", ["*"]),
  ];
  assert.equal(decideArgs(rules, ["issue", "list"]).effect, "allow");
  assert.equal(decideArgs(rules, ["issue", "create"]).rule?.text, 'gh: ask: ["issue", "*"]');
  assert.equal(decideArgs(rules, ["pr"]).effect, "deny");
  assert.deepEqual(decideArgs(rules.slice(0, 2), ["pr"]), { effect: "deny" });
  assert.deepEqual(decideArgs([], []), { effect: "deny" });
  assert.deepEqual(decideArgs(undefined, ["anything"]), { effect: "allow" });
});

const patterns = fc.array(fc.constantFrom("*", "a", "b", "a*", "*b", "a*b", ""), { maxLength: 5 });
const lines = fc.array(fc.constantFrom("a", "b", "ab", "aab", "c", ""), { maxLength: 6 });

/** The slow way: try every split. */
function slowly(pattern: readonly string[], args: readonly string[]): boolean {
  const [element, ...rest] = pattern;
  if (element === undefined) return args.length === 0;
  if (element === "*") return args.some((_, at) => slowly(rest, args.slice(at))) || slowly(rest, []);
  const escaped = element.split("*").map((one) => one.replace(/[^a-z]/g, "\\$&"));
  return (
    args.length > 0 &&
    new RegExp(`^${escaped.join(".*")}$`).test(args[0] ?? "") &&
    slowly(rest, args.slice(1))
  );
}

test("property: the matcher says what trying every split says", () => {
  fc.assert(
    fc.property(patterns, lines, (pattern, args) => matches(pattern, args) === slowly(pattern, args)),
    { numRuns: 5000 },
  );
});

test("property: what is said to be covered is", () => {
  let covered = 0;
  fc.assert(
    fc.property(patterns, patterns, lines, (wide, narrow, args) => {
      if (!coversArgs(wide, narrow)) return;
      covered++;
      assert.ok(!matches(narrow, args) || matches(wide, args));
    }),
    { numRuns: 10_000 },
  );
  assert.ok(covered > 500);
  assert.ok(coversArgs(["*"], ["a", "*"]) && coversArgs(["a", "*"], ["a"]) && !coversArgs(["a"], ["a", "*"]));
  assert.ok(coversArgs(["--x=*"], ["--x=a*"]) && !coversArgs(["a*"], ["*"]) && !coversArgs(["**"], ["*"]));
});

test("many stars over a thousand arguments take no time", () => {
  const pattern = new Array(100).fill(0).map((_, at) => (at % 2 ? "*" : "a*a*a"));
  const began = Date.now();
  matches([...pattern, "x"], new Array(1000).fill("aaaaaaaaaaaaaaaaab"));
  assert.ok(Date.now() - began < 500);
});
