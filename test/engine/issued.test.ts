// Credentials that a service hands out in its answers: found, masked, and usable by their session alone.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Admission } from "../../src/engine/admit.ts";
import { wholeBody } from "../../src/engine/bodies.ts";
import { Failure } from "../../src/engine/failure.ts";
import { IssuedCredentials, placeholderPattern } from "../../src/engine/issued/issued.ts";
import { jsonTexts } from "../../src/engine/issued/json-texts.ts";
import { maskForm, maskJson } from "../../src/engine/issued/mask.ts";
import { maskReply } from "../../src/engine/issued/mask-reply.ts";
import { type FieldPattern, fieldPattern } from "../../src/engine/issued/pattern.ts";
import { substitute } from "../../src/engine/issued/substitute.ts";
import { compileScrubber } from "../../src/engine/scrub.ts";
import { Secret } from "../../src/engine/secret.ts";
import { entropy } from "../../src/host/clock.ts";
import { read, service } from "./config-sample.ts";

const patterns = (...texts: string[]): FieldPattern[] =>
  texts.map((text) => fieldPattern(text) ?? assert.fail(`no pattern: ${text}`));
const mask = (text: string, ...fields: string[]) =>
  maskJson(text, patterns(...fields), (value) => `<${value.length}>`)?.text;

test("only what is meant is replaced, and every other byte stays", () => {
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    ['{"access_token":"abc","scope":"a b"}', '{"access_token":"<3>","scope":"a b"}', ["access_token"]],
    [
      '{ "a" : { "access_token" : "x" } , "n":1e3 }',
      '{ "a" : { "access_token" : "<1>" } , "n":1e3 }',
      ["access_token"],
    ],
    ['{"a":[{"k":"1"},{"k":"22"}]}', '{"a":[{"k":"<1>"},{"k":"<2>"}]}', ["a.*.k"]],
    ['{"a":{"k":"1"},"b":{"k":"2"}}', '{"a":{"k":"<1>"},"b":{"k":"2"}}', ["a.k"]],
    ['{"secret":{"id":"i","value":"v"}}', '{"secret":{"id":"<1>","value":"<1>"}}', ["secret"]],
    ['{"t":"first","t":"second"}', '{"t":"<5>","t":"<6>"}', ["t"]],
    ['{"acc\\u0065ss_token":"abc"}', '{"acc\\u0065ss_token":"<3>"}', ["access_token"]],
    ['{"t":"a\\"b\\u0041"}', '{"t":"<4>"}', ["t"]],
    [
      '{"t":"","u":null,"v":12345678901234567890}',
      '{"t":"","u":null,"v":12345678901234567890}',
      ["t", "u", "v"],
    ],
    ['\ufeff{"t":"x"}', '\ufeff{"t":"<1>"}', ["t"]],
    ['["x",{"t":["a","b"]}]', '["x",{"t":["<1>","<1>"]}]', ["t"]],
    ['"just text"', '"just text"', ["t"]],
  ];
  for (const [text, wanted, fields] of cases) assert.equal(mask(text, ...fields), wanted, text);
});

test("what is no JSON is not taken for some", () => {
  for (const text of [
    "",
    "{",
    '{"a":1,}',
    "[1,]",
    "{'a':1}",
    '{"a":"\n"}',
    "{}{}",
    '{"a" 1}',
    "[1 2]",
    "nul",
    "01",
    '{"a":"\\x"}',
    "]",
    "{1:2}",
  ]) {
    assert.equal(jsonTexts(text), undefined, JSON.stringify(text));
  }
  assert.equal(
    jsonTexts("[".repeat(5000) + "]".repeat(5000)),
    undefined,
    "deep nesting ends in an answer, not a crash",
  );
  assert.ok(jsonTexts("[".repeat(50) + "]".repeat(50)));
});

test("every JSON value is read as JSON.parse reads it", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(undefined, 2, "\t"), (value, space) => {
      const text = JSON.stringify(value, undefined, space);
      const found = jsonTexts(text) ?? assert.fail(text);
      const wanted: [string, string][] = [];
      const walk = (node: unknown, path: readonly string[]): void => {
        if (typeof node === "string") wanted.push([path.join("/"), node]);
        else if (Array.isArray(node)) for (const [at, item] of node.entries()) walk(item, [...path, `${at}`]);
        else if (typeof node === "object" && node !== null)
          for (const [key, item] of Object.entries(node)) walk(item, [...path, key]);
      };
      walk(value, []);
      assert.deepEqual(found.map((one) => [one.path.join("/"), one.value]).sort(), wanted.sort());
      for (const { start, end, value: said } of found) assert.equal(JSON.parse(text.slice(start, end)), said);
    }),
    { numRuns: 500 },
  );
});

test("the form in which some token endpoints answer is masked too", () => {
  const masked = maskForm(
    "access_token=a%2Bb&scope=x+y&token_type=bearer",
    patterns("access_token"),
    (value) => `<${value}>`,
  );
  assert.equal(masked?.text, "access_token=<a+b>&scope=x+y&token_type=bearer");
  assert.equal(
    maskForm("a=%zz", patterns("a"), () => ""),
    undefined,
  );
});

function admission(
  path: string,
  options: {
    query?: string;
    headers?: Readonly<Record<string, string>>;
    places?: string;
    rules?: string;
    auth?: string;
  } = {},
): Admission {
  const { config } = read(
    `services:\n  s: {baseUrl: "https://api.example.com", auth: ${options.auth ?? "{type: bearer, key: k}"}, capture: true, placeholders: ${options.places ?? "[header]"}}\n` +
      `capabilities:\n  s: {service: s${options.rules ?? ""}}\n`,
  );
  const one = config.services.get("s") ?? assert.fail();
  const cap = config.capabilities.get("s") ?? assert.fail();
  return {
    ...{ capability: cap, service: one, method: "GET", target: { path, query: options.query } },
    fields: Object.entries(options.headers ?? {}).map(([name, value]) => ({
      name,
      key: name.toLowerCase(),
      value,
    })),
    decision: cap.rules.decide("GET", path),
  };
}

const held = `jnc_${"a".repeat(48)}`;
const other = `jnc_${"b".repeat(48)}`;
const resolve = (value: string) => (placeholder: string) =>
  placeholder === held ? new Secret(value) : undefined;
const nothing = { fields: [], body: wholeBody(Buffer.alloc(0)) };

test("a placeholder gives way only where the service takes one, and encoded as the place wants it", () => {
  const inHeader = substitute(
    admission("/x", { headers: { "X-Token": `Token ${held}` } }),
    nothing,
    resolve("s ecret"),
  );
  assert.ok(inHeader && !(inHeader instanceof Failure));
  assert.equal(inHeader.fields[0]?.value, "Token s ecret");

  const everywhere = "[header, query, path, body]";
  const at = admission(`/x/${held}`, {
    query: `t=${held}`,
    places: everywhere,
    headers: { "Content-Type": "application/json" },
  });
  const body = wholeBody(Buffer.from(`{"t":"${held}"}`));
  const swapped = substitute(at, { fields: [], body }, resolve('a/b"c'));
  assert.ok(swapped && !(swapped instanceof Failure));
  assert.deepEqual(swapped.target, { path: "/x/a%2Fb%22c", query: "t=a%2Fb%22c" });
  assert.equal(swapped.body.kind === "whole" && swapped.body.bytes.toString(), '{"t":"a/b\\"c"}');

  assert.equal(substitute(admission("/x"), nothing, resolve("s")), undefined, "nothing to do");
});

test("a placeholder in the wrong place, or one that stands for nothing, goes nowhere", () => {
  const code = (one: Admission, value = "s", fields: { name: string; key: string; value: string }[] = []) => {
    const made = substitute(one, { ...nothing, fields }, resolve(value));
    return made instanceof Failure ? made.code : "passes";
  };
  assert.equal(code(admission("/x", { query: `t=${held}` })), "placeholder_misplaced");
  assert.equal(code(admission(`/x/${held}`)), "placeholder_misplaced");
  assert.equal(code(admission("/x", { headers: { "X-Token": other } })), "placeholder_unknown");
  assert.equal(
    code(admission("/x"), "s", [{ name: "Authorization", key: "authorization", value: `Bearer ${other}` }]),
    "placeholder_unknown",
  );
  assert.equal(
    code(admission("/x"), "s", [{ name: "Authorization", key: "authorization", value: `Bearer ${held}` }]),
    "passes",
  );
  // What a service hands out could end a header, leave its segment, or be what a rule denies.
  assert.equal(
    code(admission("/x", { headers: { "X-Token": held } }), "a\r\nX-Evil: 1"),
    "placeholder_misplaced",
  );
  assert.equal(code(admission(`/x/${held}`, { places: "[path]" }), ".."), "placeholder_misplaced");
  const rules = ", rules: [{deny: GET /x/admin}, {allow: GET /x/*}]";
  assert.equal(code(admission(`/x/${held}`, { places: "[path]", rules }), "admin"), "placeholder_misplaced");
  assert.equal(code(admission(`/x/${held}`, { places: "[path]", rules }), "users"), "passes");
});

test("a placeholder is its session's alone, at the service that issued it, while the session lives", () => {
  const live = new Set(["one", "two"]);
  const issued = new IssuedCredentials(entropy, (id) => live.has(id));
  const config = read(service("auth: {type: bearer, key: k}")).config;
  const [here] = [...config.services.values()];
  assert.ok(here);
  const elsewhere = { ...here, name: "elsewhere" };
  const placeholder = issued.keep("fresh-token-value", "one", here);
  assert.match(placeholder, placeholderPattern);
  assert.equal(issued.keep("fresh-token-value", "one", here), placeholder);
  assert.notEqual(issued.keep("fresh-token-value", "two", here), placeholder);
  assert.equal(issued.resolve(placeholder, "one", here)?.reveal(), "fresh-token-value");
  assert.equal(issued.resolve(placeholder, "two", here), undefined);
  assert.equal(issued.resolve(placeholder, "one", elsewhere), undefined);
  live.delete("one");
  assert.equal(issued.resolve(placeholder, "one", here), undefined);

  const own = compileScrubber(["the-key-of-the-service"]);
  const scrubber = issued.scrubber(own, here);
  assert.equal(scrubber.text("x fresh-token-value y the-key-of-the-service").redactions, 2);
  assert.equal(issued.scrubber(own, here), scrubber, "compiled once");
  assert.equal(issued.scrubber(own, elsewhere).text("fresh-token-value").redactions, 0);
  assert.equal(own.text("fresh-token-value").redactions, 0);
});

test("what one session holds is bounded", () => {
  const issued = new IssuedCredentials(entropy, () => true);
  const config = read(service("auth: {type: bearer, key: k}")).config;
  const [here] = [...config.services.values()];
  assert.ok(here);
  const first = issued.keep("value-0", "one", here);
  for (let at = 1; at <= 100; at++) issued.keep(`value-${at}`, "one", here);
  assert.equal(issued.resolve(first, "one", here), undefined);
});

test("what takes a placeholder's place names no other method, type or parameter than the rules have judged", () => {
  const places = "[header, query, body]";
  const rules = ", rules: [{deny: DELETE /**}, {allow: '* /**'}]";
  const post = (options: Parameters<typeof admission>[1]): Admission => ({
    ...admission("/x", { places, rules, ...options }),
    method: "POST",
  });
  const code = (one: Admission, value: string, text = "") => {
    const sent = { fields: one.fields, body: wholeBody(Buffer.from(text)) };
    const made = substitute(one, sent, resolve(value));
    return made instanceof Failure ? made.code : "passes";
  };
  const form = { "Content-Type": "application/x-www-form-urlencoded" };
  assert.equal(code(post({ headers: form }), "_method", `${held}=DELETE`), "method_override_denied");
  assert.equal(code(post({ headers: form }), "DELETE", `_method=${held}`), "method_override_denied");
  assert.equal(code(post({ query: `_httpmethod=${held}` }), "DELETE"), "method_override_denied");
  assert.equal(code(post({ query: `${held}=DELETE` }), "_method"), "method_override_denied");
  assert.equal(
    code(post({ headers: { "Content-Type": held } }), "application/x-www-form-urlencoded", "_method=DELETE"),
    "placeholder_misplaced",
  );
  assert.equal(code(post({ headers: form }), "s&_method=DELETE", `token=${held}`), "passes", "it is encoded");
  assert.equal(code(post({ query: `token=${held}` }), "DELETE"), "passes");
  assert.equal(code(post({ headers: { "X-Type": held } }), "application/json"), "passes");
});

test("an Authorization of the agent's own is a scheme and a placeholder, and nothing of its own", () => {
  const own = (value: string) => {
    const fields = [{ name: "Authorization", key: "authorization", value }];
    const made = substitute(admission("/x"), { ...nothing, fields }, resolve("s"));
    return made instanceof Failure ? made.code : (made?.authorization?.value ?? "the service's");
  };
  assert.equal(own('Digest username="mallory", cnonce="jnc_"'), "the service's");
  assert.equal(own("Bearer key-of-mallory-jnc_"), "the service's");
  assert.equal(own(`Digest username="mallory", cnonce="${held}"`), "placeholder_misplaced");
  assert.equal(own(`Bearer key-of-mallory ${held}`), "placeholder_misplaced");
  assert.equal(own(`Bearer ${held}`), "Bearer s");
  assert.equal(own(`token ${held}`), "token s");
  assert.equal(own(held), "s");
});

test("a small request does not become a large one, and what is no text goes nowhere", () => {
  const at = admission("/x", { places: "[body, query]", query: `t=${held}` });
  const send = (count: number, value: string) => {
    const made = substitute(
      at,
      { fields: [], body: wholeBody(Buffer.from(held.repeat(count))) },
      resolve(value),
    );
    return made instanceof Failure ? made.code : "passes";
  };
  assert.equal(send(99, "s"), "passes");
  assert.equal(send(100, "s"), "placeholder_misplaced");
  assert.equal(send(1, "\ud800"), "placeholder_misplaced", "half of a character has no encoding");
  assert.equal(send(1, "\ud83d\ude00"), "passes");
});

test("many values, long ones and short ones keep nobody from working", async () => {
  const live = new Set(["one", "two"]);
  const issued = new IssuedCredentials(entropy, (id) => live.has(id));
  const [here] = [...read(service("auth: {type: bearer, key: k}")).config.services.values()];
  assert.ok(here);
  const own = compileScrubber(["the-key-of-the-service"]);
  const redactions = (text: string): number => issued.scrubber(own, here).text(text).redactions;

  // Each is found from the answer after the one that it came in, however many came one by one.
  for (let at = 0; at < 60; at++) {
    issued.keep(`fresh-token-${at}-of-one`, "one", here);
    assert.equal(redactions(`a fresh-token-${at}-of-one, the-key-of-the-service`), 2);
  }
  const all = Array.from({ length: 60 }, (_, at) => `fresh-token-${at}-of-one`).join(" ");
  assert.equal(redactions(all), 60);

  issued.keep("a", "two", here);
  assert.equal(redactions("a banana"), 0, "what stands in every text is not taken out of it");

  const long = (at: number): string => `${at}-`.padEnd(16_000, "x");
  const first = issued.keep(long(0), "two", here);
  for (let at = 1; at < 12; at++) issued.keep(long(at), "two", here);
  assert.equal(
    issued.resolve(first, "two", here),
    undefined,
    "what one session holds is bounded by its size",
  );

  live.delete("one");
  live.add("three");
  for (let at = 0; at < 100; at++) issued.keep(`fresh-token-${at}-of-three`, "three", here);
  live.delete("three");
  live.add("four");
  issued.keep("fresh-token-of-four", "four", here);
  const fresh = compileScrubber(["another-key-of-it"]);
  assert.equal(issued.scrubber(fresh, here).text("fresh-token-59-of-one").redactions, 0, "ended long ago");
  assert.equal(issued.scrubber(fresh, here).text("fresh-token-99-of-three").redactions, 1, "ended just now");
});

test("an answer with more credentials than anybody needs, or a longer one, is not passed on", async () => {
  const answer = (value: unknown) =>
    maskReply(
      {
        status: 200,
        fields: [{ name: "Content-Type", key: "content-type", value: "application/json" }],
        body: wholeBody(Buffer.from(JSON.stringify(value))),
      },
      patterns("t"),
      { decode: () => undefined },
      () => held,
    );
  const code = async (value: unknown) => {
    const masked = await answer(value);
    return masked instanceof Failure ? masked.code : "passes";
  };
  assert.equal(await code({ t: Array(1_001).fill("x") }), "response_unscannable");
  assert.equal(await code({ t: "x".repeat(20_000) }), "response_unscannable");
  assert.equal(await code({ t: Array(20).fill("x"), u: "x".repeat(20_000) }), "passes");
});

test("no placeholder leads to where janee gets its own tokens", () => {
  const auth =
    "{type: oauth2, tokenUrl: 'https://api.example.com/oauth/token', clientId: c, clientSecret: k}";
  const code = (value: string) => {
    const made = substitute(admission(`/oauth/${held}`, { places: "[path]", auth }), nothing, resolve(value));
    return made instanceof Failure ? "refused" : "passes";
  };
  assert.equal(code("token"), "refused");
  assert.equal(code("tokens-of-others"), "passes");
});
