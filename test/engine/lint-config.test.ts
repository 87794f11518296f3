import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Failure } from "../../src/engine/failure.ts";
import { coversPath, lintConfig } from "../../src/engine/lint-config.ts";
import { type Effect, parseRule, RuleList } from "../../src/engine/rule.ts";
import { capability, contractExample, read } from "./config-sample.ts";

function lint(...rules: string[]): string[] {
  const { config, rulePlaces } = read(capability("rules:", ...rules.map((rule) => `  - ${rule}`)));
  return lintConfig(config, rulePlaces).map(({ message, at }) => `${at?.line}: ${message}`);
}

test("sound rules give no finding, with or without a last deny", () => {
  assert.deepEqual(lint("allow: GET /v1/*", 'deny: "*"'), []);
  assert.deepEqual(
    lint(
      "deny: DELETE *",
      "allow: GET /a",
      "allow: POST /a",
      "ask: '* /a'",
      "allow: GET /repos/{o}/{r}/issues",
    ),
    [],
  );
  assert.deepEqual(lint("allow: GET /a/*", "allow: GET /a", "allow: GET /b/*"), []);
});

test("a rule that can never match names the one above it", () => {
  for (const [above, below] of [
    ['deny: "*"', "allow: GET /a"],
    ["allow: GET /a", "allow: get /a"],
    ["allow: GET /a", "allow: HEAD /a"],
    ["allow: GET /v1/*", "allow: GET /v1/x"],
    ["allow: GET /v1/*", "allow: GET /v1/x/*/y"],
    ["allow: '* /a'", "allow: POST /a"],
    ["allow: GET /{x}/b", "allow: GET /a/b"],
    ["allow: GET /{x}/b", "allow: GET /{y}/b"],
    ["deny: GET /a/*", "ask: GET /a/B"],
    ["allow: GET *", "deny: GET /a"],
  ] as const) {
    const found = lint(above, below).filter((one) => /never|decides/.test(one));
    assert.equal(found.length, 1, `${above}, ${below}: ${found}`);
    assert.match(found[0] ?? "", /^8: .*above it/);
  }
  assert.match(lint("allow: DELETE /a", "deny: DELETE /a").join(), /never decides the path as written/);
  for (const [above, below] of [
    ["allow: GET /a", "allow: GET /A"],
    ["allow: HEAD /a", "allow: GET /a"],
    ["allow: GET /a", "allow: '* /a'"],
    ["allow: GET /{x}", "allow: GET /*"],
    ["allow: GET /{x}", "allow: GET /a;b"],
    ["allow: GET /{x}", "allow: GET /a%2Fb"],
    ["allow: GET /a/*", "allow: GET /a"],
  ] as const) {
    assert.deepEqual(lint(above, below), [], `${above}, ${below}`);
  }
});

test("a star in mid-path suggests a name for one segment", () => {
  assert.match(lint("allow: POST /repos/*/issues").join(), /\/repos\/\{name\}\/issues/);
  assert.match(lint("allow: POST /repos/*/*/issues").join(), /\/repos\/\{name\}\/\{name2\}\/issues/);
  assert.match(lint("ask: PUT /a*b/c").join(), /mid-path/);
  assert.deepEqual(lint("deny: POST /repos/*/issues", "allow: GET /a/*.json", "allow: GET /a/*"), []);
});

test("unrestricted, long-lived, opaque", () => {
  const messages = (text: string): string[] => lintConfig(read(text).config).map((one) => one.message);
  assert.match(messages(capability()).join(), /unrestricted/);
  // The reader has said it, with its place.
  assert.deepEqual(messages(capability("rules: []", "ttl: 9h")), []);
  const warned = (text: string): string[] => read(text).warnings.map((one) => one.message);
  assert.match(warned(capability("rules: []", "ttl: 9h")).join(), /^capability \S+: a ttl over 8h/u);
  assert.deepEqual(warned(capability("rules: []", "ttl: 8h")), []);
  for (const rule of ["allow: POST /graphql", "allow: POST /v1/$batch", "allow: '* /index/_bulk'"]) {
    assert.match(lint(rule).join(), /cannot see into/, rule);
  }
  assert.deepEqual(lint("allow: GET /graphql", "deny: POST /graphql", "allow: POST /batches"), []);
  assert.deepEqual(messages(capability("mode: exec", "allowCommands: [a]")), []);
  assert.equal(messages(contractExample).length, 1);
});

const pieces = fc.constantFrom("a", "b", "*", "{x}", "a*", "*b", "A", "a%2Fb", "a;b");
const paths = fc.oneof(
  fc.constant("*"),
  fc.array(pieces, { minLength: 1, maxLength: 3 }).map((list) => `/${list.join("/")}`),
);
const targets = fc
  .array(fc.constantFrom("a", "b", "ab", "A", "a%2Fb", "a%2fb", "a;b", "ax"), { minLength: 1, maxLength: 4 })
  .map((list) => `/${list.join("/")}`);

test("property: a path that is said to be covered is", () => {
  let covered = 0;
  fc.assert(
    fc.property(paths, paths, targets, (wide, narrow, target) => {
      if (!coversPath(wide, narrow)) return;
      covered++;
      const [one, two] = [parseRule("allow", `GET ${wide}`), parseRule("allow", `GET ${narrow}`)];
      if (one instanceof Failure || two instanceof Failure) return;
      assert.ok(!two.matches(target) || one.matches(target));
    }),
    { numRuns: 10_000 },
  );
  assert.ok(covered > 500);
});

test("property: a rule that is said never to match never does", () => {
  const rule = fc.tuple(
    fc.constantFrom<Effect>("allow", "deny", "ask"),
    fc.constantFrom("*", "GET", "HEAD"),
    paths,
  );
  let found = 0;
  fc.assert(
    fc.property(
      fc.array(rule, { minLength: 2, maxLength: 5 }),
      fc.array(targets, { maxLength: 8 }),
      (list, some) => {
        const rules = list.flatMap(([effect, method, path]) => {
          const one = parseRule(effect, `${method} ${path}`);
          return one instanceof Failure ? [] : [one];
        });
        const base = read(capability()).config;
        const sample = base.capabilities.get("c") ?? assert.fail();
        const decided = new RuleList(rules);
        const config = { ...base, capabilities: new Map([["c", { ...sample, rules: decided }]]) };
        const places = new Map([["c", rules.map((_, at) => ({ file: "", line: at, column: 1 }))]]);
        for (const { message, at } of lintConfig(config, places)) {
          if (!message.includes("can never match")) continue;
          found++;
          for (const target of some) {
            for (const method of ["GET", "HEAD", "POST"]) {
              assert.notEqual(decided.decide(method, target).rule, rules[at?.line ?? -1]);
            }
          }
        }
      },
    ),
    { numRuns: 3000 },
  );
  assert.ok(found > 300);
});
