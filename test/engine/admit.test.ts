// One function decides, in one order: capability, session, target, fields, rule, override.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { type Admission, admit, type Standing, type Wish } from "../../src/engine/admit.ts";
import type { Config } from "../../src/engine/config.ts";
import { Failure } from "../../src/engine/failure.ts";
import type { HeaderField } from "../../src/engine/ports.ts";
import type { Session } from "../../src/engine/session.ts";
import { targetText } from "../../src/engine/target.ts";
import { statusOf } from "../../src/surface/http-status.ts";
import { read } from "./config-sample.ts";

const now = 1_000_000_000_000;

function config(options: { rules?: readonly string[]; service?: string; capability?: string } = {}): Config {
  const rules = options.rules?.map((written) => {
    const [effect, ...rest] = written.split(": ");
    return `{${effect}: ${JSON.stringify(rest.join(": "))}}`;
  });
  return read(
    [
      "services:",
      `  s: {baseUrl: "https://api.example.com", ${options.service ?? "auth: {type: bearer, key: env:KEY}"}}`,
      "  bird: {auth: {type: bearer, key: env:KEY}}",
      "capabilities:",
      `  c: {service: s${rules ? `, rules: [${rules.join(", ")}]` : ""}${options.capability ?? ""}}`,
      "  other: {service: s}",
      `  x: {service: bird, mode: exec, allowCommands: [bird], envMap: {KEY: "{{credential}}"}}`,
      "",
    ].join("\n"),
  ).config;
}

const session: Session = {
  id: "abc234",
  tokenHash: "",
  owner: "o",
  capability: "c",
  createdAt: now - 1000,
  expiresAt: now + 1000,
  approvedBy: "policy",
  state: "live",
};

function field(name: string, value: string): HeaderField {
  return { name, key: name.toLowerCase(), value };
}

function judge(from: Config, wish: Partial<Wish>, standing: Standing = { session }): Admission | Failure {
  return admit(from, standing, { capability: "c", method: "GET", target: "/v1/x", fields: [], ...wish }, now);
}

/** The code of the refusal, or what would be sent. */
function verdict(from: Config, wish: Partial<Wish>, standing?: Standing): string {
  const result = judge(from, wish, standing);
  return result instanceof Failure ? result.code : `${result.method} ${targetText(result.target)}`;
}

function form(body: string): Partial<Wish> {
  const fields = [field("Content-Type", "application/x-www-form-urlencoded")];
  return { method: "POST", form: body, fields };
}

test("capability, then session, then target, then fields, then rule, then override", () => {
  const from = config({ rules: ["allow: POST /v1/*"] });
  const wrong: Partial<Wish> = {
    capability: "none",
    method: "POST",
    target: "/../x",
    fields: [field("Upgrade", "h2c")],
    form: "_method=PUT",
  };
  const revoked = { session: { ...session, state: "revoked" as const } };
  assert.equal(verdict(from, wrong, { session: undefined }), "unknown_capability");
  assert.equal(
    verdict(from, { ...wrong, capability: "x" }, { session: undefined }),
    "not_a_request_capability",
  );
  const named = { ...wrong, capability: "c" };
  assert.equal(verdict(from, named, { session: undefined }), "session_unknown");
  assert.equal(
    verdict(from, named, { session: { ...session, capability: "other" } }),
    "session_wrong_capability",
  );
  assert.equal(verdict(from, named, revoked), "session_revoked");
  assert.equal(verdict(from, named), "path_ambiguous");
  assert.equal(verdict(from, { ...named, method: "TRACE" }), "method_forbidden");
  assert.equal(verdict(from, { ...named, target: "/v2/x" }), "upgrade_forbidden");
  assert.equal(verdict(from, { ...named, target: "/v2/x", fields: [] }), "rule_denied");
  assert.equal(verdict(from, { ...named, target: "/v1/x", fields: [] }), "method_override_denied");
  assert.equal(verdict(from, { method: "POST" }), "POST /v1/x");
});

test("a session is used while it lives, by its own capability, and not a millisecond longer", () => {
  const from = config();
  const at = (change: Partial<Session>): string => verdict(from, {}, { session: { ...session, ...change } });
  assert.equal(at({}), "GET /v1/x");
  assert.equal(at({ expiresAt: now + 1 }), "GET /v1/x");
  assert.equal(at({ expiresAt: now }), "session_expired");
  assert.equal(at({ state: "expired" }), "session_expired");
  assert.equal(at({ state: "ended" }), "session_ended");
  assert.equal(at({ state: "revoked" }), "session_revoked");
  assert.equal(at({ capability: "other" }), "session_wrong_capability");
  // Names that every object has are no capabilities.
  for (const name of ["constructor", "__proto__", "toString", "C", "c ", ""]) {
    assert.equal(verdict(from, { capability: name }), "unknown_capability", name);
  }
});

test("a reason is wanted where the config wants one, in the session or in the request", () => {
  const from = config({ capability: ", requireReason: true" });
  assert.equal(verdict(from, {}), "reason_required");
  assert.equal(verdict(from, { reason: "" }), "reason_required");
  assert.equal(verdict(from, { reason: "why" }), "GET /v1/x");
  assert.equal(verdict(from, {}, { session: { ...session, reason: "why" } }), "GET /v1/x");
  assert.equal(verdict(from, {}, "rules-only"), "GET /v1/x");
  assert.equal(verdict(config(), {}), "GET /v1/x");
});

test("rules alone are judged without a session, and by the same rules", () => {
  const from = config({ rules: ["allow: GET /v1/*"] });
  assert.equal(verdict(from, {}, "rules-only"), "GET /v1/x");
  assert.equal(verdict(from, { method: "PUT" }, "rules-only"), "rule_denied");
  assert.equal(verdict(from, { target: "/v1/../x" }, "rules-only"), "path_ambiguous");
});

test("a denial carries the rule that made it; an admission what is to be sent", () => {
  const from = config({ rules: ["allow: GET /v1/*", "ask: POST /v1/*", "deny: *"] });
  const denied = judge(from, { method: "PUT" });
  assert.ok(denied instanceof Failure);
  assert.equal(denied.rule, 'deny: "*"');
  const admitted = judge(from, { target: "/v1/a%2fb?x=1", fields: [field("Accept", "*/*")] });
  assert.ok(!(admitted instanceof Failure));
  assert.deepEqual(admitted.target, { path: "/v1/a%2Fb", query: "x=1" });
  assert.deepEqual(admitted.fields, [field("Accept", "*/*")]);
  assert.equal(admitted.decision.rule?.text, "allow: GET /v1/*");
  const asked = judge(from, { method: "POST" });
  assert.ok(!(asked instanceof Failure) && asked.decision.effect === "ask");
});

test("a method that a parameter would put in place of the real one must be allowed as well", () => {
  const posts = config({ rules: ["allow: POST /v1/*", "ask: PUT /v1/*"] });
  const both = config({ rules: ["allow: POST /v1/*", "allow: PATCH /v1/*"] });
  const attacks: readonly (readonly [body: string, twin: string])[] = [
    ["_method=DELETE", "method=DELETE"],
    ["_method=DELETE", "_methods=DELETE"],
    ["a=1&_method=delete", "a=1&__method=delete"],
    ["_METHOD=DELETE", "x_method=DELETE"],
    ["_Method=Delete", "a=_method"],
    ["_HttpMethod=DELETE", "HttpMethod=DELETE"],
    ["X-HTTP-Method-Override=PUT", "X-HTTP=PUT"],
    ["x-http-method=DELETE", "x-http-methods=DELETE"],
    ["X-Method-Override=DELETE", "X-Method-Overrides=DELETE"],
    ["%5fmethod=DELETE", "%5fmethods=DELETE"],
    ["%5F%6D%65%74%68%6F%64=DELETE", "%5F%6D%65%74%68=DELETE"],
    ["_method=%44ELETE", "a=%44ELETE"],
    ["_method=+DELETE+", "a=+DELETE+"],
    ["+_method=DELETE", "+a=DELETE"],
    ["a=1;_method=DELETE", "a=1;b_method=DELETE"],
    ["_method", "method"],
    ["_method=", "method="],
    ["_method=DELETE&_method=POST", "a=DELETE&_method=POST"],
    ["_method=POST&_method=DELETE", "_method=POST&_method=POST"],
    ["_method=TRACE", "_method=post"],
    ["_method=NONSENSE", "_method=%50OST"],
    [".method=DELETE", ".methods=DELETE"],
    ["[method=DELETE", "x[method=DELETE"],
    ["_method%00x=DELETE", "x%00_method=DELETE"],
    ["_method=PUT", "_method[]=PUT"],
  ];
  for (const [attack, twin] of attacks) {
    assert.equal(verdict(posts, form(attack)), "method_override_denied", attack);
    assert.equal(verdict(posts, form(twin)), "POST /v1/x", twin);
  }
  assert.equal(verdict(both, form("_method=PATCH")), "POST /v1/x");
  assert.equal(verdict(both, form("_method=DELETE")), "method_override_denied");
  assert.equal(verdict(config(), form("_method=DELETE")), "POST /v1/x");
  assert.equal(verdict(config(), form("_method=TRACE")), "method_override_denied");
});

test("an override in the query is judged like one in a form, and _method there is ambiguous even so", () => {
  const posts = config({ rules: ["allow: POST /v1/*"] });
  const both = config({ rules: ["allow: * /v1/*"] });
  const post = (query: string): Partial<Wish> => ({ method: "POST", target: `/v1/x?${query}` });
  const get = (query: string): Partial<Wish> => ({ target: `/v1/x?${query}` });
  for (const [attack, twin] of [
    ["_HttpMethod=PATCH", "HttpMethod=PATCH"],
    ["X-HTTP-Method-Override=PUT", "X-HTTP-Method-Overrides=PUT"],
    ["a=1;%5Fhttpmethod=DELETE", "a=1;%5Fhttpmethods=DELETE"],
    ["_method=DELETE", "method=DELETE"],
    ["%5fmethod=DELETE", "method[]=DELETE"],
  ] as const) {
    assert.equal(verdict(posts, post(attack)), "method_override_denied", attack);
    assert.equal(verdict(posts, post(twin)), `POST /v1/x?${twin}`, twin);
  }
  assert.equal(verdict(both, post("_HttpMethod=PATCH")), "POST /v1/x?_HttpMethod=PATCH");
  assert.equal(verdict(both, post("_method=PATCH")), "query_ambiguous");
  assert.equal(verdict(both, get("_method=DELETE")), "query_ambiguous");
  assert.equal(verdict(both, get("a=1&_METHOD=GET")), "query_ambiguous");
  assert.equal(verdict(both, get("q=_method")), "GET /v1/x?q=_method");
  assert.equal(verdict(both, get("method=DELETE")), "GET /v1/x?method=DELETE");
});

test("the agent's own copy of an injected parameter does not go out, in any spelling", () => {
  const from = config({ service: "auth: {type: query, param: api_key, key: env:KEY}" });
  const sent = (query: string): string => verdict(from, { target: `/v1/x?${query}` });
  for (const [query, rest] of [
    ["api_key=mine", ""],
    ["api_key=mine&a=1", "?a=1"],
    ["a=1&api_key=mine", "?a=1"],
    ["a=1&api_key=mine&b=2", "?a=1&b=2"],
    ["api_key=1&api_key=2&a", "?a"],
    ["API_KEY=mine&a=1", "?a=1"],
    ["%61pi%5Fkey=mine&a=1", "?a=1"],
    ["+api_key=mine&a=1", "?a=1"],
    ["api_key%20=mine&a=1", "?a=1"],
    ["api_key&a=1", "?a=1"],
    ["api.key=mine&a=1", "?a=1"],
    ["api_key%00x=mine&a=1", "?a=1"],
    ["a=1;api_key=mine", "?a=1"],
    ["api_key=mine;a=1", "?a=1"],
    ["a=1;api_key=mine;b=2&c=3", "?a=1;b=2&c=3"],
  ] as const) {
    assert.equal(sent(query), `GET /v1/x${rest}`, query);
  }
  for (const twin of [
    "api_keys=1",
    "xapi_key=1",
    "a=api_key",
    "a=1;b=2",
    "q=x;y&&z=%3B",
    "a=api_key=1",
    "=",
  ]) {
    assert.equal(sent(twin), `GET /v1/x?${twin}`, twin);
  }
  assert.equal(verdict(from, { target: "/v1/x?" }), "GET /v1/x?");
  assert.equal(verdict(config(), { target: "/v1/x?api_key=1" }), "GET /v1/x?api_key=1");
});

interface Case {
  readonly id: string;
  readonly surface: string;
  readonly input: {
    readonly rules: readonly string[];
    readonly method: string;
    readonly target: string;
    readonly headers: Readonly<Record<string, string | { readonly $repeat: readonly [string, number] }>>;
    readonly body?: string;
  };
  readonly expect: {
    readonly outcome: string;
    readonly status?: number;
    readonly status_in?: readonly number[];
    readonly code?: string;
    readonly upstream_saw: string | null;
    readonly upstream_headers_absent?: readonly string[];
  };
}

/** Framing is the wire's to refuse: a program's own framing fields are only dropped. */
const onTheWire = new Set(["HDR-066"]);

test("corpus: each case of headers gets its verdict, and what must not go out does not", () => {
  const text = readFileSync(new URL("../corpus/headers.jsonl", import.meta.url), "utf8");
  const cases = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Case)
    .filter(({ id }) => !onTheWire.has(id));
  assert.ok(cases.length > 35);
  for (const { id, input, expect } of cases) {
    const fields = Object.entries(input.headers).map(([name, value]) => {
      return field(name, typeof value === "string" ? value : value.$repeat[0].repeat(value.$repeat[1]));
    });
    const isForm = fields.some(({ value }) => value === "application/x-www-form-urlencoded");
    const { method, target, body } = input;
    const wish = { method, target, fields, ...(isForm && body !== undefined ? { form: body } : {}) };
    const result = judge(config({ rules: input.rules }), wish);
    if (expect.outcome === "allowed") {
      if (result instanceof Failure) assert.fail(`${id}: ${result.code}`);
      assert.equal(`${result.method} ${targetText(result.target)}`, expect.upstream_saw, id);
      const names = result.fields.map(({ key }) => key);
      for (const absent of expect.upstream_headers_absent ?? []) {
        assert.ok(!names.includes(absent.split(":")[0] ?? ""), `${id}: ${absent}`);
      }
      assert.ok(!names.includes("authorization") && !names.includes("host"), id);
      continue;
    }
    if (!(result instanceof Failure)) assert.fail(`${id} was admitted`);
    const statuses = expect.status_in ?? [expect.status];
    assert.ok(statuses.includes(statusOf[result.code]), `${id}: ${result.code}`);
    // One code has one status: an override that the rules deny is a code of its own.
    const expected =
      expect.status === 403 && expect.code === "method_override" ? "method_override_denied" : expect.code;
    assert.equal(result.code, expected, id);
  }
  assert.equal(Reflect.get({}, "polluted"), undefined);
});
