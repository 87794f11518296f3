import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkArgv, mostArguments, mostBytes } from "../../../src/engine/exec/argv.ts";
import { commandDenied } from "../../../src/engine/exec/denied.ts";
import { execCorpus } from "./sample.ts";

const allowed = ["gh", "git"];
const code = (argv: unknown, list: readonly string[] = allowed): string | undefined =>
  checkArgv(argv as readonly string[], list)?.code;

test("corpus: what no rule is asked about", () => {
  let judged = 0;
  for (const { id, input, expect } of execCorpus()) {
    if (expect.code !== "bad_argv" && expect.code !== "command_denied") continue;
    judged++;
    assert.equal(code(input.argv, input.allowCommands), expect.code, id);
  }
  assert.ok(judged >= 4);
});

test("only a listed name, byte for byte", () => {
  assert.equal(code(["gh"]), undefined);
  assert.equal(code(["/opt/gh"], ["/opt/gh"]), undefined);
  for (const name of [
    ...[
      "/usr/bin/gh",
      "./gh",
      "../gh",
      "bin/gh",
      "gh ",
      " gh",
      "gh\n",
      "gh\t",
      "GH",
      "gh.exe",
      "ｇｈ",
      "g\u200bh",
    ],
    ...["~/gh", "/opt//gh", "gh/", ".", "..", "-gh", "nope", "$(gh)", "gh;env"],
  ]) {
    assert.equal(code([name]), "command_denied", JSON.stringify(name));
  }
  assert.equal(code(["gh"], ["/opt/gh"]), "command_denied");
  assert.equal(code(["gh"], []), "command_denied");
});

test("one refusal for all that does not run: no oracle for what is installed", () => {
  assert.deepEqual(checkArgv(["sh"], allowed), commandDenied());
  assert.deepEqual(checkArgv(["surely-not-there"], allowed), commandDenied());
});

test("a list of strings, bounded, without NUL and half characters", () => {
  for (const argv of [
    ...[
      "gh issue list",
      undefined,
      null,
      7,
      {},
      { 0: "gh", length: 1 },
      [],
      [""],
      [7],
      ["gh", 7],
      ["gh", null],
    ],
    ...[["gh", ["a"]], ["gh", undefined], ["gh\0"], ["gh", "a\0b"], ["gh", "\ud800"], ["gh", "\udc00x"]],
    ...[new Array(3), ["gh", ...new Array(mostArguments).fill("x")], ["gh", "x".repeat(mostBytes)]],
    ["gh", ...new Array(900).fill("é".repeat(100))],
  ]) {
    assert.equal(code(argv), "bad_argv", JSON.stringify(argv)?.slice(0, 40));
  }
  for (const argv of [
    ...[
      ["gh", ""],
      ["gh", "a\nb"],
      ["gh", "$(env);`id`"],
      ["gh", "😀é"],
      ["gh", " ", "*", "~"],
    ],
    ...[
      ["gh", ...new Array(mostArguments - 1).fill("x")],
      ["gh", "x".repeat(mostBytes - 10)],
    ],
  ]) {
    assert.equal(code(argv), undefined);
  }
});

test("property: what passes begins with a listed name", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: "binary" }), { maxLength: 4 }),
      fc.constantFrom("gh", "git", ""),
      (rest, head) => {
        const argv = head === "" ? rest : [head, ...rest];
        if (checkArgv(argv, allowed) === undefined) assert.ok(allowed.includes(argv[0] ?? ""));
      },
    ),
  );
});
