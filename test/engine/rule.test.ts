// Top to bottom, the first match wins; with rules and no match: denied. Spelling dodges neither deny nor ask.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { Failure } from "../../src/engine/failure.ts";
import { type Effect, effects, isSendable, parseRule, type Rule, RuleList } from "../../src/engine/rule.ts";
import { readTarget, spellings } from "../../src/engine/target.ts";

const seed = Number(process.env.JANEE_SEED ?? Math.floor(Math.random() * 2 ** 31));
console.log(`rule: JANEE_SEED=${seed}`);

function rule(written: string): Rule {
  const [effect, ...rest] = written.split(": ");
  const parsed = parseRule(effect as Effect, rest.join(": ").replaceAll('"', ""));
  if (parsed instanceof Failure) assert.fail(`${written}: ${parsed.message}`);
  return parsed;
}

function list(...written: string[]): RuleList {
  return new RuleList(written.map(rule));
}

function pathOf(raw: string): string {
  const target = readTarget(raw);
  if (target instanceof Failure) assert.fail(`${raw}: ${target.message}`);
  return target.path;
}

/** The effect of the rules on a request, as the broker would ask. */
function effect(rules: RuleList, request: string): Effect {
  const [method = "", raw = ""] = request.split(" ");
  return rules.decide(method, pathOf(raw)).effect;
}

/** Each line: what is asked, and what the rules say. */
function decides(rules: RuleList, table: Readonly<Record<string, Effect>>): void {
  for (const [request, expected] of Object.entries(table)) {
    assert.equal(effect(rules, request), expected, request);
  }
}

interface Case {
  readonly id: string;
  readonly input: { readonly rules: readonly string[]; readonly method: string; readonly target: string };
  readonly expect: { readonly outcome: string; readonly code?: string; readonly upstream_saw: string | null };
}

test("a deny also holds for servers that compare in upper case; an allow stays exact", () => {
  decides(list("deny: * /admin", "deny: * /stra%C3%9Fe/{id}", "allow: *"), {
    "GET /adm%C4%B1n": "deny",
    "GET /ADM%C4%B1N/": "deny",
    "GET /STRASSE/1": "deny",
    "GET /stra%C3%9Fe/1": "deny",
    "GET /stra%E1%BA%9Ee/1": "deny",
    "GET /adm%C3%ADn": "allow",
    "GET /strase/1": "allow",
  });
  decides(list("allow: GET /admin"), { "GET /admin": "allow", "GET /adm%C4%B1n": "deny" });
});

test("corpus: each case of rules gets its verdict", () => {
  const text = readFileSync(new URL("../corpus/rules.jsonl", import.meta.url), "utf8");
  const cases = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Case);
  assert.ok(cases.length > 10);
  for (const { id, input, expect } of cases) {
    const target = readTarget(input.target);
    if (expect.outcome === "error") {
      assert.ok(target instanceof Failure && target.code === expect.code, id);
      continue;
    }
    // A face that takes methods from a program writes them in upper case before it asks.
    const decision = list(...input.rules).decide(input.method.toUpperCase(), pathOf(input.target));
    assert.equal(decision.effect === "allow" ? "allowed" : "denied", expect.outcome, id);
  }
});

test("the first match wins, in either order", () => {
  decides(list("allow: GET /v1/a", "deny: GET /v1/*"), { "GET /v1/a": "allow", "GET /v1/b": "deny" });
  decides(list("deny: GET /v1/*", "allow: GET /v1/a"), { "GET /v1/a": "deny", "GET /v1/b": "deny" });
  decides(list("ask: * /v1/x", "allow: GET /v1/*", "deny: *"), {
    "GET /v1/x": "ask",
    "DELETE /v1/x": "ask",
    "GET /v1/y": "allow",
    "DELETE /v1/y": "deny",
  });
});

test("a decision names the rule that made it as it is written, or no rule", () => {
  const rules = list("allow: get /v1/*", "deny: DELETE *", 'deny: "*"');
  assert.equal(rules.decide("GET", "/v1/x").rule?.text, "allow: get /v1/*");
  assert.equal(rules.decide("DELETE", "/x").rule?.text, "deny: DELETE *");
  assert.equal(rules.decide("PUT", "/x").rule?.text, 'deny: "*"');
  assert.equal(list("allow: GET /v1").decide("GET", "/v2").rule, undefined);
});

test("no rules: open; an empty list: closed; rules without a match: closed", () => {
  const open = new RuleList(undefined);
  assert.ok(open.unrestricted);
  assert.equal(effect(open, "DELETE /x"), "allow");
  const closed = new RuleList([]);
  assert.ok(!closed.unrestricted);
  assert.equal(effect(closed, "GET /x"), "deny");
  assert.equal(effect(list("allow: GET /v1"), "GET /v2"), "deny");
});

test("TRACE, CONNECT and methods nobody knows are denied even when all is open", () => {
  const open = new RuleList(undefined);
  for (const method of ["TRACE", "CONNECT", "get", "Get", "FOO", "", "*", "GET ", "PURGE", "__proto__"]) {
    assert.equal(open.decide(method, "/x").effect, "deny", method);
    assert.equal(list("allow: *").decide(method, "/x").effect, "deny", method);
    assert.ok(!isSendable(method), method);
  }
  for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "QUERY"]) {
    assert.equal(open.decide(method, "/x").effect, "allow", method);
    assert.equal(list("allow: *").decide(method, "/x").effect, "allow", method);
  }
});

test("GET covers HEAD; HEAD does not cover GET; no other method covers another", () => {
  decides(list("allow: GET /v1"), { "GET /v1": "allow", "HEAD /v1": "allow", "POST /v1": "deny" });
  decides(list("allow: HEAD /v1"), { "HEAD /v1": "allow", "GET /v1": "deny" });
  decides(list("deny: GET /v1/x", "allow: * /v1/*"), { "HEAD /v1/x": "deny", "POST /v1/x": "allow" });
  decides(list("deny: HEAD /v1/x", "allow: * /v1/*"), { "HEAD /v1/x": "deny", "GET /v1/x": "allow" });
  decides(list("allow: PUT /v1"), { "PATCH /v1": "deny", "POST /v1": "deny", "PUT /v1": "allow" });
});

test("what does not parse as a rule says what was expected, never what was written", () => {
  const secret = "sk_live_CANARY";
  const bad = [
    "",
    " ",
    "GET",
    "/v1/*",
    "GET  /v1",
    " GET /v1",
    "GET /v1 ",
    "GET\t/v1",
    "GET v1",
    "GET /v1 /v2",
    "FETCH /v1",
    "TRACE /v1",
    "connect *",
    "** /v1",
    "GET /v1?x=1",
    "GET /v1#x",
    "GET /v1/[ab]",
    "GET /v1/../x",
    "GET /v1/./x",
    "GET /v1/%2e%2e/x",
    "GET /v1\\x",
    "GET /v1/%zz",
    "GET /v1/%41",
    "GET /v1/%2f",
    "GET /v1/\u00e9",
    "GET /{a}{b}",
    "GET /{a",
    "GET /a}",
    "GET /x{a}",
    "GET /{a}x",
    "GET /{}",
    "GET /{1a}",
    "GET /{a b}",
    "GET /{a}*",
    "GET http://h/v1",
    "GET **",
    secret,
    `GET ${secret}`,
  ];
  for (const written of bad) {
    for (const one of effects) {
      const parsed = parseRule(one, written);
      assert.ok(parsed instanceof Failure, `${one}: ${JSON.stringify(written)}`);
      assert.equal(parsed.code, "config_invalid_rule");
      assert.ok(!JSON.stringify(parsed).includes("CANARY"), written);
    }
  }
  const good = [
    "*",
    "* *",
    "GET *",
    "get /v1",
    "Delete /v1/*",
    "GET /",
    "GET /*",
    "* /{a}/{b_2}/*",
    "GET /a//b",
  ];
  for (const written of [...good, "GET /a%2Fx", "GET /%C3%A9", "GET /a;v=1", "PROPFIND /d/*"]) {
    for (const one of effects) assert.ok(!(parseRule(one, written) instanceof Failure), `${one}: ${written}`);
  }
});

test("{name} is exactly one segment", () => {
  decides(list("allow: GET /repos/{owner}/{repo}"), {
    "GET /repos/a/b": "allow",
    "GET /repos/a.b/c-d_e": "allow",
    "GET /repos/a%20b/c": "allow",
    "GET /repos/a": "deny",
    "GET /repos/a/": "deny",
    "GET /repos/a/b/": "deny",
    "GET /repos/a/b/c": "deny",
    "GET /repos/a%2Fb/c": "deny",
    "GET /repos/a/b%2Fc": "deny",
    "GET /repos/a;x/b": "deny",
  });
  decides(list("allow: GET /a/{x}/*/{y}/z"), {
    "GET /a/1/2/3/z": "allow",
    "GET /a/1/2/2/2/3/z": "allow",
    "GET /a/1/3/z": "deny",
    "GET /a/1/2/3/z/": "deny",
  });
});

test("under deny and ask {name} also stands for what a server may take for one segment", () => {
  for (const effectOfRule of ["deny", "ask"] as const) {
    decides(list(`${effectOfRule}: DELETE /projects/{id}`, "allow: * /*"), {
      "DELETE /projects/7": effectOfRule,
      "DELETE /projects/group%2Fname": effectOfRule,
      "DELETE /projects/7;v=1": effectOfRule,
      "DELETE /projects/7/": effectOfRule,
      "DELETE /projects/7/hooks": "allow",
      "GET /projects/7": "allow",
    });
  }
});

test("spelling dodges neither deny nor ask, and an allow is exact", () => {
  const spelled: readonly (readonly [rule: string, attacks: readonly string[], twin: string])[] = [
    [
      "/admin",
      ["/ADMIN", "/Admin", "/admin/", "/admin;v=1", "/ADMIN;a=b/", "/admin%3Bv", "/%2541dmin"],
      "/admins",
    ],
    ["/admin/", ["/admin", "/Admin/", "/admin;x"], "/admin2/"],
    ["/admin*", ["/ADMIN", "/Admin/x", "/admin%2Fx", "/aDmInx"], "/adm"],
    ["/admin/*", ["/admin", "/admin/", "/admin%2Fx", "/admin%252Fx", "/admin;v/x", "/ADMIN/x"], "/admi/n"],
    ["/a/b", ["/a%2Fb", "/A%2fB", "/a%252fb", "/a;x/b;y", "/a%2Fb/"], "/a/bc"],
    ["/a%2Fb", ["/a/b", "/a%2fb", "/a%252Fb"], "/a-b"],
    ["/a%20b", ["/A%20B", "/a%2520b", "/a%C2%A0b"], "/a%2Bb"],
    ["/%C3%A9t%C3%A9", ["/%C3%89T%C3%89", "/e%CC%81te%CC%81", "/%25C3%25A9t%25C3%25A9"], "/ete"],
    ["/e%CC%81t", ["/%C3%A9t", "/%C3%89T", "/E%CC%81T"], "/et"],
    ["/key", ["/%E2%84%AAey", "/KEY"], "/keys"],
    ["/secret", ["/%C5%BFecret", "/SECRET"], "/secrets"],
    ["/Admin", ["/admin", "/ADMIN"], "/admi"],
    ["/x/*/delete", ["/x/y/DELETE", "/x/y%2Fdelete", "/x%2Fy%2Fz/delete/"], "/x/delete/y"],
  ];
  for (const [path, attacks, twin] of spelled) {
    for (const one of ["deny", "ask"] as const) {
      const rules = list(`${one}: GET ${path}`, "allow: GET /*");
      assert.equal(effect(rules, `GET ${path.replaceAll("*", "x")}`), one, path);
      for (const attack of attacks)
        assert.equal(effect(rules, `GET ${attack}`), one, `${one} ${path}: ${attack}`);
      assert.equal(effect(rules, `GET ${twin}`), "allow", `${one} ${path}: ${twin}`);
    }
    const exact = list(`allow: GET ${path.replaceAll("*", "x")}`);
    for (const attack of attacks) {
      if (pathOf(attack) === path) continue;
      assert.equal(effect(exact, `GET ${attack}`), "deny", `allow ${path}: ${attack}`);
    }
  }
});

/** `*` by backtracking, `{name}` by trying each length: slow, and plain to see that it is right. */
function reference(pattern: string, text: string): boolean {
  if (pattern === "") return text === "";
  const name = /^\{[A-Za-z_][A-Za-z0-9_]*\}/.exec(pattern)?.[0];
  if (pattern.startsWith("*")) {
    for (let at = 0; at <= text.length; at++) if (reference(pattern.slice(1), text.slice(at))) return true;
    return false;
  }
  if (name) {
    for (let at = 1; at <= text.length; at++) {
      if (/[/;]|%2f/i.test(text.slice(0, at))) return false;
      if (reference(pattern.slice(name.length), text.slice(at))) return true;
    }
    return false;
  }
  return pattern[0] === text[0] && reference(pattern.slice(1), text.slice(1));
}

const plainSegment = fc.constantFrom("a", "b", "ab", "aab", "v1", "x", "a-b", "A", "a%2Fb", "a;b", "%C3%A9");
const path = fc
  .tuple(fc.array(plainSegment, { minLength: 1, maxLength: 5 }), fc.boolean())
  .map(([segments, slash]) => `/${segments.join("/")}${slash ? "/" : ""}`);
const patternSegment = fc.constantFrom("a", "b", "ab", "*", "a*", "*b", "*a*", "{n}", "**", "v1", "x", "A");
const pattern = fc
  .tuple(fc.array(patternSegment, { minLength: 1, maxLength: 5 }), fc.constantFrom("", "/", "*", "/*"))
  .map(([segments, end]) => `/${segments.join("/")}${end}`)
  .filter((text) => !(parseRule("allow", `GET ${text}`) instanceof Failure));

test("property: a pattern matches what the plain reference matches", () => {
  let matched = 0;
  fc.assert(
    fc.property(pattern, path, (written, text) => {
      const expected = reference(written, text);
      if (expected) matched += 1;
      assert.equal(rule(`allow: GET ${written}`).matches(text), expected, `${written} on ${text}`);
    }),
    { seed, numRuns: 5_000 },
  );
  assert.ok(matched > 100, `only ${matched} matched`);
});

const anyRule = fc.tuple(fc.constantFrom(...effects), fc.constantFrom("GET", "*", "POST", "DELETE"), pattern);
const anyRules = fc.array(anyRule, { maxLength: 6 });
const made = (rules: readonly (readonly [Effect, string, string])[]): RuleList =>
  list(...rules.map(([one, method, text]) => `${one}: ${method} ${text}`));

/** The other ways to write a path that servers take for the same. */
const respelled = fc
  .tuple(path, fc.constantFrom("none", "upper", "slash", "parameter", "nested", "encoded"))
  .map(([text, how]) => {
    if (how === "upper") return text.replace(/(?<!%[0-9A-Fa-f]?)[a-z]/g, (one) => one.toUpperCase());
    if (how === "slash") return text.endsWith("/") ? text.slice(0, -1) : `${text}/`;
    if (how === "parameter") return text.replace(/\/([a-z0-9]+)/, "/$1;p=1");
    if (how === "nested") return text.replaceAll("%", "%25");
    return how === "encoded" ? text.replace(/(?<=.)\/(?=.)/, "%2F") : text;
  })
  .filter((text) => !(readTarget(text) instanceof Failure));

test("property: a path of which some spelling is denied first is never allowed", () => {
  let stopped = 0;
  fc.assert(
    fc.property(pattern, anyRules, respelled, (denied, rules, raw) => {
      const text = pathOf(raw);
      const folded = denied.toLowerCase();
      const loose = (form: string): boolean => reference(folded, form) || reference(denied, form);
      if (![text, ...spellings(text)].some(loose)) return;
      stopped += 1;
      const all = made([["deny", "*", denied], ...rules]);
      assert.equal(all.decide("GET", text).effect, "deny", `deny: * ${denied} on ${text}`);
      const asked = made([["ask", "*", denied], ...rules]);
      assert.equal(asked.decide("GET", text).effect, "ask", `ask: * ${denied} on ${text}`);
    }),
    { seed, numRuns: 5_000 },
  );
  assert.ok(stopped > 100, `only ${stopped} were denied`);
});

test("property: one more deny, anywhere, never allows more; one more allow never denies what was allowed first", () => {
  fc.assert(
    fc.property(
      anyRules,
      pattern,
      fc.nat(6),
      respelled,
      fc.constantFrom("GET", "HEAD", "POST"),
      (rules, extra, at, raw, method) => {
        const text = pathOf(raw);
        const before = made(rules).decide(method, text).effect;
        const place = Math.min(at, rules.length);
        const more = made([...rules.slice(0, place), ["deny", "*", extra], ...rules.slice(place)]);
        const after = more.decide(method, text).effect;
        assert.ok(after === before || after === "deny", `${before} became ${after}`);
        const wider = made([...rules, ["allow", "*", extra]]).decide(method, text).effect;
        assert.ok(wider === before || before === "deny");
      },
    ),
    { seed, numRuns: 3_000 },
  );
});

test("property: the decision is that of the first rule that matches", () => {
  fc.assert(
    fc.property(anyRules, path, fc.constantFrom("GET", "HEAD", "POST", "PUT"), (rules, text, method) => {
      const parsed = rules.map(([one, verb, written]) => rule(`${one}: ${verb} ${written}`));
      const first = parsed.find((one) => {
        const covers =
          one.method === "*" || one.method === method || (one.method === "GET" && method === "HEAD");
        return covers && one.matches(text);
      });
      const decision = new RuleList(parsed).decide(method, text);
      assert.equal(decision.rule, first);
      assert.equal(decision.effect, first?.effect ?? "deny");
    }),
    { seed, numRuns: 3_000 },
  );
});

test("a thousand rules full of stars are decided on the longest path", () => {
  const stars = `GET /${"a*".repeat(200)}b`;
  const named = `GET ${"/{x}/*".repeat(50)}/end`;
  const written = Array.from({ length: 500 }, (_, at) => [
    `deny: ${stars}${at}`,
    `ask: ${named}${at}`,
  ]).flat();
  const rules = list(...written, "allow: GET /*");
  const long = `/${"a".repeat(4_000)}c`;
  assert.equal(rules.decide("GET", long).effect, "allow");
  assert.equal(rules.decide("GET", `${"/s".repeat(150)}/e`).effect, "allow");
  assert.equal(rules.decide("GET", `/${"a".repeat(4_000)}b7`).rule?.text, `deny: ${stars}7`);
});

test("a deny is not dodged by what ends or pads a name on some server", () => {
  const rules = list("deny: * /admin", "allow: *");
  for (const path of ["/admin%3Fx", "/admin%23", "/admin.", "/admin%20", "/admin%20./"]) {
    assert.equal(rules.decide("GET", path).effect, "deny", path);
  }
  for (const path of ["/administer", "/wiki/What%3F", "/v1.2/admin", "/admin/x"]) {
    assert.equal(rules.decide("GET", path).effect, "allow", path);
  }
});
