import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isCollection, parseDocument } from "yaml";
import { parseTree } from "../../src/engine/config-tree.ts";
import { type Edit, editConfig, type Json } from "../../src/engine/edit-config.ts";
import { Failure } from "../../src/engine/failure.ts";
import { contractExample, read } from "./config-sample.ts";

function tryEdit(text: string, edits: readonly Edit[]): string | Failure {
  const tree = parseTree(text, "config.yaml");
  const edited = tree instanceof Failure ? tree : editConfig(tree, edits);
  return edited instanceof Failure ? edited : edited.text;
}

function edit(text: string, ...edits: Edit[]): string {
  const edited = tryEdit(text, edits);
  if (edited instanceof Failure) assert.fail(edited.message);
  return edited;
}

function set(path: string, value: Json): Edit {
  return { path: path.split("."), value };
}

function remove(path: string): Edit {
  return { path: path.split("."), remove: true };
}

const keyPath = "services.stripe.auth.key";

test("a scalar is replaced exactly where it stands", () => {
  const edited = edit(contractExample, set(keyPath, "sealed:v1:AbC+/="));
  assert.equal(edited, contractExample.replace("sk_live_xxx", "sealed:v1:AbC+/="));
  const forms: [string, string][] = [
    ["key: abc # mine\n", "key: new # mine\n"],
    ['key: "abc"   # mine', "key: new   # mine"],
    ["key: 'a''b'\n", "key: new\n"],
    ["key:\n  abc # mine\n", "key:\n  new # mine\n"],
    ["key: abc\n  def\n", "key: new\n"],
    ["key: | # mine\n  abc\n\n# end\n", "key: new # mine\n\n# end\n"],
    ["key: >-\n  abc", "key: new"],
    ["key:\n", "key: new\n"],
    ["key: # mine\n", "key: new # mine\n"],
    ["key: ~\n", "key: new\n"],
    ["{key: abc}", "{key: new}"],
    ["{a: 1, key}", "{a: 1, key: new}"],
    ["{key: , a: 1}", "{key: new , a: 1}"],
    ["{'key':}", "{'key': new}"],
    ["key: [a, b] # mine\n", "key: new # mine\n"],
    ["key:\n  # of a\n  a: 1\n  b: 2 # two\n# end\n", "key: new\n  # of a\n# end\n"],
    ["key:\n- a\n- b\nnext: 1\n", "key: new\nnext: 1\n"],
  ];
  for (const [before, after] of forms) assert.equal(edit(before, set("key", "new")), after, before);
});

test("text is quoted where it must be, plain where it can be", () => {
  const values: [Json, string][] = [
    ["*", '"*"'],
    ["DELETE *", "DELETE *"],
    ["GET /repos/{owner}/x", "GET /repos/{owner}/x"],
    ["{{credential}}", '"{{credential}}"'],
    ["", '""'],
    ["1h", "1h"],
    ["100/h", "100/h"],
    ["0x10", '"0x10"'],
    ["1e3", '"1e3"'],
    ["true", '"true"'],
    ["No", '"No"'],
    ["~", '"~"'],
    ["~/x", "~/x"],
    ["a: b", '"a: b"'],
    ["a #b", '"a #b"'],
    ["a:", '"a:"'],
    [" a", '" a"'],
    ["a ", '"a "'],
    ["a\nb", '"a\\nb"'],
    ["a\\b", '"a\\\\b"'],
    ["é€\u2028\x7f", '"é€\\u2028\\u007f"'],
    [".inf", '".inf"'],
    ["---", '"---"'],
    [7, "7"],
    [true, "true"],
    [[], "[]"],
    [{}, "{}"],
    [["bird", "a,b", "*"], '[bird, "a,b", "*"]'],
  ];
  for (const [value, text] of values) assert.equal(edit("k: old # c\n", set("k", value)), `k: ${text} # c\n`);
});

test("a missing key goes to the end of its map, with the map's indentation", () => {
  const before =
    "services:\n    a:\n        x: 1 # one\n        # more of a\n    # b: off\n\n# top\ncapabilities:\n";
  assert.equal(
    edit(before, set("services.a.why", "z")),
    before.replace("        # more of a\n", "        # more of a\n        why: z\n"),
  );
  assert.equal(
    edit(before, set("services.c.d", 1)),
    before.replace("# b: off\n", "# b: off\n    c:\n        d: 1\n"),
  );
  assert.equal(
    edit(before, set("network.proxy", "http://p:1")),
    `${before}network:\n    proxy: http://p:1\n`,
  );
  assert.equal(edit("a: {x: 1, y: 2} # c\n", set("a.z", [1])), "a: {x: 1, y: 2, z: [1]} # c\n");
  assert.equal(edit("a: { x: 1 }\n", set("a.z.w", "b")), "a: { x: 1, z: {w: b} }\n");
  assert.equal(edit("a:\n  x: 1", set("b", 2)), "a:\n  x: 1\nb: 2\n");
  assert.equal(edit("a: |\n  text", set("b", 2)), "a: |\n  text\nb: 2\n");
});

test("missing parents are made, from nothing, null and {}", () => {
  const block = "services:\n  s:\n    auth:\n      type: bearer\n      key: k\n";
  const edits = set("services.s.auth", { type: "bearer", key: "k" });
  assert.equal(edit("", edits), block);
  assert.equal(edit("# hello", edits), `# hello\n${block}`);
  assert.equal(edit("---\n", edits), `---\n${block}`);
  assert.equal(edit("{}\n", edits), block);
  assert.equal(edit("services:\n", edits), block);
  assert.equal(edit("services: {}\n", edits), block);
  assert.equal(edit("services: ~\n", edits), block);
  assert.equal(edit("services: {} # none\n", edits), block.replace("services:", "services: # none"));
  assert.equal(
    edit("services: # none\n  # a: 1\nx: 1\n", edits),
    `${block.replace("services:", "services: # none")}  # a: 1\nx: 1\n`,
  );
  assert.equal(edit("\ufeff", edits), `\ufeff${block}`);
  assert.equal(edit("services:\r\n", edits), block.replaceAll("\n", "\r\n"));
});

test("new services and capabilities read as if written by hand", () => {
  const edited = edit(
    "# mine\nservices:\ncapabilities:\n",
    set("services.stripe", {
      baseUrl: "https://api.stripe.com",
      auth: { type: "bearer", key: "sealed:v1:x" },
    }),
    set("capabilities.ro", {
      service: "stripe",
      ttl: "1h",
      autoApprove: true,
      rules: [{ allow: "GET /v1/*" }, { deny: "*" }],
    }),
    set("capabilities.x", {
      service: "stripe",
      mode: "exec",
      allowCommands: ["a", "b"],
      envMap: { K: "{{credential}}" },
    }),
  );
  assert.equal(
    edited,
    `# mine
services:
  stripe:
    baseUrl: https://api.stripe.com
    auth:
      type: bearer
      key: sealed:v1:x
capabilities:
  ro:
    service: stripe
    ttl: 1h
    autoApprove: true
    rules:
      - allow: GET /v1/*
      - deny: "*"
  x:
    service: stripe
    mode: exec
    allowCommands: [a, b]
    envMap:
      K: "{{credential}}"
`,
  );
  assert.equal(read(edited).config.capabilities.size, 2);
});

test("a changed list of rules keeps the lines, and the comments, of the rules that stay", () => {
  const before = `c:
  rules:
    # reading
    - allow: GET /a # a
    # writing
    - ask: POST /a # p
    - deny: "*" # rest
  # end
`;
  const rules: readonly Json[] = [{ allow: "GET /a" }, { ask: "POST /a" }, { deny: "*" }];
  const [first = "", second = "", third = ""] = rules;
  assert.equal(edit(before, set("c.rules", rules)), before);
  assert.equal(
    edit(before, set("c.rules", [first, second, { allow: "GET /b" }, third])),
    before.replace("# p\n", "# p\n    - allow: GET /b\n"),
  );
  assert.equal(edit(before, set("c.rules", [first, third])), before.replace("    - ask: POST /a # p\n", ""));
  assert.equal(
    edit(before, set("c.rules", [...rules, { deny: "GET *" }])),
    before.replace("# rest\n", "# rest\n    - deny: GET *\n"),
  );
  assert.equal(
    edit(before, set("c.rules", [{ deny: "GET /0" }, ...rules])),
    before.replace("    - allow", "    - deny: GET /0\n    - allow"),
  );
  assert.equal(edit(before, set("c.rules", [])), "c:\n  rules: []\n    # reading\n  # end\n");
  assert.equal(
    edit("c:\n  rules: [] # none\n", set("c.rules", [first])),
    "c:\n  rules: # none\n    - allow: GET /a\n",
  );
  assert.equal(edit("rules:\n- a\n- b", set("rules", ["a", "c"])), "rules:\n- a\n- c");
});

test("a map set over a map changes only what differs", () => {
  const before = "auth: # how\n  type: bearer # t\n  # the key\n  key: abc # k\n  old: 1\n";
  assert.equal(
    edit(before, set("auth", { type: "bearer", key: "new", more: 1 })),
    "auth: # how\n  type: bearer # t\n  # the key\n  key: new # k\n  more: 1\n",
  );
  assert.equal(
    edit("auth: {type: bearer, key: abc}", set("auth", { type: "basic", password: "x" })),
    "auth: {type: basic, password: x}",
  );
  assert.equal(edit("a:\n  b: 1\n", set("a", {})), "a: {}\n");
  assert.equal(edit("a:\n  b: 1 # c\n", set("a", ["x"])), "a: [x]\n");
  assert.equal(edit("a:\n- x\n", set("a", { b: { c: 1 } })), "a:\n  b:\n    c: 1\n");
});

test("removing takes the lines of the pair and its own comment, and leaves {} for an empty map", () => {
  const before =
    "# top\nservices:\n  # first\n  a: # A\n    x: 1\n    # in a\n    y: 2 # Y\n\n  # second\n  b: {x: 1} # B\n# end\n";
  assert.equal(
    edit(before, remove("services.a")),
    "# top\nservices:\n  # first\n\n  # second\n  b: {x: 1} # B\n# end\n",
  );
  assert.equal(edit(before, remove("services.b")), before.replace("  b: {x: 1} # B\n", ""));
  assert.equal(
    edit(before, remove("services.a"), remove("services.b")),
    "# top\nservices: {}\n  # first\n\n  # second\n# end\n",
  );
  assert.equal(edit(before, remove("services")), "# top\n# end\n");
  assert.equal(edit(before, remove("services.zzz"), remove("x.y")), before);
  assert.equal(edit("a: 1\nb: 2", remove("b")), "a: 1\n");
  assert.equal(edit("\ufeffa: 1\nb: 2", remove("a")), "\ufeffb: 2");
  assert.equal(edit("d: |\n  t\nb:\n  c: 1\n    # deep\n# end\n", remove("b")), "d: |\n  t\n# deep\n# end\n");
});

test("removing from a flow map takes one comma along", () => {
  const pairs: [string, string, string][] = [
    ["m: {a: 1, b: 2, c: 3} # m\n", "m.a", "m: {b: 2, c: 3} # m\n"],
    ["m: {a: 1, b: 2, c: 3} # m\n", "m.b", "m: {a: 1, c: 3} # m\n"],
    ["m: {a: 1, b: 2, c: 3} # m\n", "m.c", "m: {a: 1, b: 2} # m\n"],
    ["m: { a: 1 }\n", "m.a", "m: {  }\n"],
    ["m: {a: 1, b: 2,}\n", "m.b", "m: {a: 1, }\n"],
    ["m: {\n  a: 1,\n  # of b\n  b: 2\n}\n", "m.b", "m: {\n  a: 1\n  # of b\n}\n"],
    ["m: {\n  a: 1,\n  b: 2, # B\n}\n", "m.a", "m: {\n  b: 2, # B\n}\n"],
  ];
  for (const [before, path, after] of pairs) {
    assert.equal(edit(before, remove(path)).replace(/ +$/gm, ""), after.replace(/ +$/gm, ""), before);
  }
});

test("many scalars are sealed in one go, and every line ending stays as it was", () => {
  const names = Array.from({ length: 300 }, (_, at) => `s${at}`);
  const before = `services:\r\n${names.map((name) => `  ${name}: {auth: {type: bearer, key: k-${name}}} # ${name}\r\n`).join("")}`;
  const edits = names.map((name) => set(`services.${name}.auth.key`, `sealed:v1:${name}`));
  const began = Date.now();
  assert.equal(edit(before, ...edits), before.replaceAll("key: k-", "key: sealed:v1:"));
  assert.ok(Date.now() - began < 5000);
});

test("what cannot be edited safely is refused with its place, without its value", () => {
  for (const [text, path] of [
    ["a: CANARY\n", "a.b"],
    ["a: [CANARY]\n", "a.b"],
    ["a: 1\na: CANARY\n", "a"],
    ["a: &x CANARY\n", "a"],
    ["- CANARY\n", "a"],
    ["a: 'CANARY\n", "a"],
  ] as const) {
    const failure = tryEdit(text, [set(path, "x")]);
    assert.ok(failure instanceof Failure, text);
    assert.equal(failure.code, "config_invalid");
    assert.ok(failure.at);
    assert.ok(!JSON.stringify(failure).includes("CANARY"));
  }
});

// Random files: nested maps in block or flow style, lists of rules, scalars in every style, comments anywhere.
type Shape =
  | { readonly kind: "map"; readonly flow: boolean; readonly entries: readonly (readonly [string, Shape])[] }
  | { readonly kind: "list"; readonly flow: boolean; readonly items: readonly string[] }
  | { readonly kind: "scalar"; readonly text: string }
  | { readonly kind: "block" };

const keys = fc.constantFrom("services", "a", "b", "c", "auth", "key", "rules");
const scalars = fc.constantFrom("x", '"quoted # no"', "'it''s'", "", "~", "12", "true", "a b", "sealed:v1:x");

function shapes(depth: number): fc.Arbitrary<Shape> {
  const scalar = scalars.map((text): Shape => ({ kind: "scalar", text }));
  const list = fc
    .tuple(fc.boolean(), fc.array(fc.constantFrom("x", '"*"', "y z"), { maxLength: 4 }))
    .map(([flow, items]): Shape => ({ kind: "list", flow, items }));
  const leaf = fc.oneof(scalar, list, fc.constant<Shape>({ kind: "block" }));
  if (depth === 0) return leaf;
  const map = fc
    .tuple(
      fc.boolean(),
      fc.uniqueArray(fc.tuple(keys, shapes(depth - 1)), { selector: ([key]) => key, maxLength: 4 }),
    )
    .map(([flow, entries]): Shape => ({ kind: "map", flow, entries }));
  return fc.oneof({ weight: 1, arbitrary: leaf }, { weight: 2, arbitrary: map });
}

function flowOf(shape: Shape): string {
  if (shape.kind === "map")
    return `{${shape.entries.map(([key, inner]) => `${key}: ${flowOf(inner)}`).join(", ")}}`;
  if (shape.kind === "list") return `[${shape.items.join(", ")}]`;
  return shape.kind === "block" ? "w" : shape.text;
}

/** Lines of a block map; `comment` yields a fresh comment, or nothing. */
function linesOf(shape: Shape & { kind: "map" }, pad: string, step: string, comment: () => string): string[] {
  return shape.entries.flatMap(([key, inner]) => {
    const above = comment();
    const lines = above ? [`${pad}${above}`] : [];
    const behind = comment();
    const tail = behind ? ` ${behind}` : "";
    const blockMap = inner.kind === "map" && !inner.flow && inner.entries.length > 0;
    const blockList = inner.kind === "list" && !inner.flow && inner.items.length > 0;
    if (blockMap) lines.push(`${pad}${key}:${tail}`, ...linesOf(inner, pad + step, step, comment));
    else if (blockList) {
      lines.push(`${pad}${key}:${tail}`);
      for (const item of inner.items) {
        const over = comment();
        if (over) lines.push(`${pad}${step}${over}`);
        lines.push(`${pad}${step}- ${item}`);
      }
    } else if (inner.kind === "block") lines.push(`${pad}${key}: |`, `${pad}${step}w1`, `${pad}${step}w2`);
    else lines.push(`${pad}${key}: ${flowOf(inner)}${tail}`);
    return lines;
  });
}

const values = fc.constantFrom<Json>(
  "new",
  "*",
  true,
  [],
  {},
  ["x", "y z", "*"],
  [{ allow: "GET /a" }, { deny: "*" }],
  { a: "1", b: { c: ["x"] } },
  { key: "sealed:v1:y" },
);
const edits = fc.oneof(
  fc
    .tuple(fc.array(keys, { minLength: 1, maxLength: 3 }), values)
    .map(([path, value]): Edit => ({ path, value })),
  fc.array(keys, { minLength: 1, maxLength: 3 }).map((path): Edit => ({ path, remove: true })),
);

test("property: an edit changes what it says, and no comment or line outside of it", () => {
  const files = fc.record({
    root: shapes(3),
    step: fc.constantFrom("  ", "    "),
    eol: fc.constantFrom("\n", "\r\n"),
    last: fc.boolean(),
    marks: fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }),
    end: fc.constantFrom("", "# the end", "  # the end, deeper"),
  });
  let done = 0;
  fc.assert(
    fc.property(files, edits, ({ root, step, eol, last, marks, end }, change) => {
      let count = 0;
      const comment = (): string => (marks[count++ % marks.length] ? `# comment ${count}` : "");
      const map: Shape = root.kind === "map" ? root : { kind: "map", flow: false, entries: [["a", root]] };
      // A comment directly below a block scalar may be its text: the end stands behind a plain value.
      const lines = [...linesOf(map, "", step, comment), ...(end ? ["zz: 1", end] : [])];
      const text = lines.join(eol) + (last ? eol : "");
      // `editConfig` itself compares what the text means before and after, and throws.
      const edited = tryEdit(text, [change]);
      if (edited instanceof Failure) {
        assert.match(edited.message, /expected a map/);
        return;
      }
      done++;
      if (eol === "\r\n" && text.includes(eol)) assert.ok(!/[^\r]\n/.test(edited), "line endings");
      const [top = ""] = change.path;
      const from = lines.findIndex((line) => line.startsWith(`${top}:`));
      const length = from < 0 ? 0 : lines.slice(from + 1).findIndex((line) => /^\S/.test(line));
      const to = from < 0 || length < 0 ? lines.length : from + 1 + length;
      const context = `--- before\n${text}\n--- after\n${edited}`;
      // Whatever stands above or below the lines of the root's key is there byte for byte.
      const head = lines.slice(0, from < 0 ? lines.length : from);
      const tail = lines.slice(to);
      const left = edited.split(/\r?\n/);
      assert.deepEqual(left.slice(0, head.length), head, context);
      const below = tail.join(eol) + (last ? eol : "");
      if (tail.length > 0) assert.ok(edited.endsWith(below), context);
      // No comment is lost when a scalar or nothing stood where the value goes.
      const old = parseDocument(text, { logLevel: "silent" }).getIn(change.path, true);
      if ("value" in change && !isCollection(old)) {
        const comments = (all: string): number => all.match(/# comment|# the end/g)?.length ?? 0;
        assert.equal(comments(edited), comments(text), context);
      }
    }),
    { numRuns: 3000 },
  );
  assert.ok(done > 1000);
});

test("property: several edits in a row end where their values say", () => {
  fc.assert(
    fc.property(shapes(2), fc.array(edits, { maxLength: 6 }), fc.boolean(), (shape, list, talks) => {
      let count = 0;
      const comment = (): string => (talks && count++ % 2 === 0 ? "# comment" : "");
      const text = shape.kind === "map" ? linesOf(shape, "", "  ", comment).join("\n") : "";
      const edited = tryEdit(text, list);
      if (edited instanceof Failure) assert.match(edited.message, /expected a map/);
    }),
    { numRuns: 2000 },
  );
});
