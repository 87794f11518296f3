import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Failure } from "../../src/engine/failure.ts";
import { type Effect, parseRule, type Rule, RuleList } from "../../src/engine/rule.ts";
import { narrows } from "../../src/engine/widening/rules.ts";
import { changes, widenings } from "../../src/engine/widening.ts";
import { capability, contractExample, read } from "./config-sample.ts";

function compare(before: string, after: string): { widened: readonly string[]; other: readonly string[] } {
  return changes(read(before).config, read(after).config);
}

/** Each pair in this direction widens, and in the other it does not. */
function oneWay(narrow: string, wide: string, line: RegExp): void {
  const out = compare(narrow, wide);
  assert.ok(
    out.widened.some((one) => line.test(one)),
    `${wide}: ${out.widened.join("; ")}`,
  );
  const back = compare(wide, narrow);
  assert.deepEqual(back.widened, [], narrow);
  assert.ok(back.other.length > 0);
}

function bothWays(one: string, two: string, line: RegExp): void {
  for (const [before, after] of [
    [one, two],
    [two, one],
  ] as const) {
    assert.ok(
      compare(before, after).widened.some((found) => line.test(found)),
      after,
    );
  }
}

test("nothing changed, nothing said; comments and layout are no change", () => {
  assert.deepEqual(compare(contractExample, contractExample), { widened: [], other: [] });
  const flat = capability("ttl: 60m", "rules: [{allow: get /a}] # c");
  assert.deepEqual(compare(flat, capability("ttl: 1h", "rules:", "  - allow: GET /a")), {
    widened: [],
    other: [],
  });
});

test("capability settings widen one way", () => {
  oneWay(capability("ttl: 30m"), capability("ttl: 2h"), /ttl 30m → 2h/);
  oneWay(capability(), capability("autoApprove: true"), /autoApprove turned on/);
  oneWay(capability("approval: out-of-band"), capability(), /approval out-of-band → any/);
  oneWay(capability("requireReason: true"), capability(), /no reason/);
  oneWay(capability("limit: 10/h"), capability("limit: 11/h"), /limit 10\/h → 11\/h/);
  oneWay(capability("limit: 10/h"), capability(), /limit 10\/h → none/);
  oneWay(capability("limit: 10/h"), capability("limit: 10/m"), /limit/);
  oneWay(capability("allowedAgents: [a]"), capability("allowedAgents: [a, b]"), /also b/);
  oneWay(capability("allowedAgents: [a]"), capability(), /every agent/);
  oneWay(capability("rules: []"), capability(), /whole service is open/);
  assert.deepEqual(compare(capability(), capability("description: x")), {
    widened: [],
    other: ["capability c: description changed"],
  });
});

test("a capability added to an existing service widens, with a new service it does not", () => {
  const alone = capability().replace(/capabilities:[\s\S]*/, "");
  oneWay(alone, capability("rules: []"), /capability c: added, for service s/);
  const moved = capability().replace("service: s", "service: t");
  const both = (text: string): string =>
    text.replace(
      "capabilities:",
      "  t: {baseUrl: https://t.example, auth: {type: bearer, key: env:T}}\ncapabilities:",
    );
  bothWays(both(capability()), both(moved), /service [st] → [st]/);
  assert.deepEqual(compare(capability(), both(moved)).widened, []);
  assert.deepEqual(compare("services: {}\n", contractExample).widened, []);
});

test("a new service that takes another's reference is the existing credential in a new place", () => {
  const other = capability().replace(
    "capabilities:",
    "  t: {baseUrl: https://evil.example, auth: {type: bearer, key: env:KEY}}\ncapabilities:",
  );
  assert.match(
    compare(capability(), other).widened.join(),
    /service t: added, with the credential of another/,
  );
});

test("service settings", () => {
  const base = capability();
  const withLine = (line: string): string => base.replace("{baseUrl", `{${line}, baseUrl`);
  for (const flag of [
    "allowCleartext",
    "allowLinkLocal",
    "allowEmptySegments",
    "allowCookies",
    "allowRange",
  ]) {
    oneWay(base, withLine(`${flag}: true`), new RegExp(`service s: ${flag} turned on`));
  }
  bothWays(base, withLine("caFile: ~/x.pem"), /caFile/);
  bothWays(base, base.replace("api.example.com", "api.example.com/v1"), /baseUrl/);
  bothWays(base, base.replace("type: bearer, key: env:KEY", "type: basic, password: env:KEY"), /auth type/);
  bothWays(base, base.replace("env:KEY", "env:OTHER"), /another reference/);
  const header = (name: string): string => base.replace("type: bearer", `type: headers, header: ${name}`);
  bothWays(header("X-A"), header("X-B"), /goes into header:x-/);
  const sealed = base.replace("env:KEY", "sealed:v1:aaaa");
  const plain = base.replace("env:KEY", "abc-canary");
  assert.deepEqual(compare(plain, sealed), { widened: [], other: [] });
  assert.deepEqual(compare(sealed, plain).widened, []);
  assert.ok(!JSON.stringify([compare(sealed, plain), compare(base, plain)]).includes("canary"));
});

test("exec and network settings", () => {
  const exec = (...lines: string[]): string => capability("mode: exec", ...lines);
  oneWay(exec("allowCommands: [a]"), exec("allowCommands: [a, b]"), /allowCommands: also b/);
  oneWay(exec("allowCommands: [a]"), exec("allowCommands: [a]", "envMap: {A: x}"), /envMap: sets A/);
  oneWay(exec("allowCommands: [a]"), exec("allowCommands: [a]", "timeout: 5m"), /timeout 30s → 5m/);
  bothWays(exec("allowCommands: [a]"), exec("allowCommands: [a]", "workDir: /x"), /workDir/);
  bothWays(exec("allowCommands: [a]"), capability(), /mode/);
  const network = (line: string): string => `${capability()}network: {${line}}\n`;
  bothWays(network(""), network("proxy: http://p:1"), /network: proxy/);
  bothWays(network(""), network("caFile: /x"), /network: caFile/);
  bothWays(network(""), network("noProxy: [.corp]"), /network: noProxy/);
  const secret = compare(network(""), network("proxy: http://u:canary@p:1"));
  assert.ok(!JSON.stringify(secret).includes("canary") && !JSON.stringify(secret).includes(btoa("u:canary")));
  assert.equal(compare("audit: {sync: true}\n", "# off\n").other.length, 1);
});

test("stores of secrets: where they are, and as whom janee logs in", () => {
  const store = (line: string, auth = "{type: token, token: env:T}"): string =>
    `${capability()}stores: {vault: {address: ${line}, auth: ${auth}}}\n`;
  const base = store("https://a.example");
  assert.deepEqual(compare(capability(), base).other, ["stores.vault: added, at https://a.example"]);
  assert.deepEqual(compare(base, capability()), { widened: [], other: ["stores.vault: removed"] });
  bothWays(base, store("https://b.example"), /stores\.vault: baseUrl https:/);
  bothWays(base, store("https://a.example, caFile: /x"), /stores\.vault: caFile/);
  bothWays(base, store("https://a.example, namespace: b"), /login by token in b/);
  bothWays(base, store("https://a.example", "{type: token, token: env:U}"), /another reference/);
  const role = (name: string): string =>
    store("https://a.example", `{type: approle, roleId: ${name}, secretId: env:T}`);
  bothWays(base, role("r"), /login by approle at approle as r/);
  bothWays(role("r"), role("s"), /login by approle at approle as r/);
});

function rules(...list: string[]): string {
  return capability("rules:", ...list.map((one) => `  - ${one}`));
}

test("rules: allows taken out and denies put in are narrower, all else is wider", () => {
  oneWay(rules("allow: GET /a"), rules("allow: GET /a", "allow: GET /b"), /rule added: allow: GET \/b/);
  oneWay(rules("deny: GET /a", "allow: GET *"), rules("allow: GET *"), /rule removed: deny/);
  oneWay(rules("deny: '*'"), capability(), /whole service/);
  bothWays(rules("allow: GET /a", "deny: GET *"), rules("deny: GET *", "allow: GET /a"), /order/);
  bothWays(rules("allow: GET /a"), rules("ask: GET /a"), /rule/);
  assert.deepEqual(
    widenings(read(rules("allow: GET /a")).config, read(rules("deny: GET /a", "deny: GET /b")).config),
    [],
  );
});

test("rules: of several changes, only those that can let more in are named as wider", () => {
  const named = compare(rules("allow: GET /a"), rules("deny: GET /b", "allow: GET /c"));
  assert.deepEqual(
    named.widened.map((line) => line.replace(/^.*: rule/u, "rule")),
    ["rule added: allow: GET /c"],
  );
  assert.equal(named.other.length, 2);
  const moved = compare(
    rules("allow: GET /z", "deny: GET /a", "allow: GET *"),
    rules("allow: GET *", "deny: GET /a"),
  );
  assert.match(moved.widened.join(), /order/u);
  assert.match(moved.other.join(), /rule removed: allow: GET \/z/u);
});

test("property: what counts as narrower never allows or asks more", () => {
  const paths = fc.constantFrom("*", "/a", "/a/*", "/A", "/b", "/a/{x}", "/a%2Fb", "/*");
  const rule = fc
    .tuple(
      fc.constantFrom<Effect>("allow", "deny", "ask"),
      fc.constantFrom("*", "GET", "HEAD", "POST"),
      paths,
    )
    .map(([effect, method, path]) => parsed(effect, `${method} ${path}`));
  const list = fc.array(rule, { maxLength: 6 });
  const rank = { deny: 0, ask: 1, allow: 2 };
  let narrowed = 0;
  fc.assert(
    fc.property(
      list,
      fc.array(fc.tuple(fc.nat(6), fc.boolean(), rule), { maxLength: 4 }),
      (before, steps) => {
        const after = [...before];
        for (const [at, out, fresh] of steps) {
          if (out) after.splice(at, 1);
          else after.splice(at, 0, fresh);
        }
        if (!narrows(before, after)) return;
        narrowed++;
        const [old, now] = [new RuleList(before), new RuleList(after)];
        for (const method of ["GET", "HEAD", "POST", "PUT"]) {
          for (const path of ["/", "/a", "/a/", "/A", "/b", "/a/b", "/a/b/c", "/a%2Fb", "/a;x"]) {
            assert.ok(rank[now.decide(method, path).effect] <= rank[old.decide(method, path).effect]);
          }
        }
      },
    ),
    { numRuns: 5000 },
  );
  assert.ok(narrowed > 500);
});

test("thousands of rules are too many to compare, and count as wider", () => {
  const many = Array.from({ length: 3000 }, (_, at) => parsed("allow", `GET /${at}`));
  assert.equal(narrows(many, many.slice(1)), false);
});

test("a new order is named beside a new rule that lets more in; alone, a new rule is named alone", () => {
  const old = read(rules("deny: GET /a", "allow: GET *")).config;
  assert.deepEqual(widenings(old, read(rules("allow: GET *", "deny: GET /a", "allow: POST /b")).config), [
    "capability c: rules in another order or number",
    "capability c: rule added: allow: POST /b",
  ]);
  assert.deepEqual(widenings(old, read(rules("deny: GET /a", "allow: GET *", "allow: POST /b")).config), [
    "capability c: rule added: allow: POST /b",
  ]);
});

function parsed(effect: Effect, text: string): Rule {
  const rule = parseRule(effect, text);
  return rule instanceof Failure ? assert.fail(rule.message) : rule;
}
