// Where each scheme puts the credential, what it owns there, and every form that must not come back.
import assert from "node:assert/strict";
import { test } from "node:test";
import { schemeOf, schemeTypes } from "../../src/engine/credential/index.ts";
import { type Auth, type Injection, isMade } from "../../src/engine/credential/scheme.ts";
import { Secret } from "../../src/engine/secret.ts";
import { type Target, targetText, withParameters } from "../../src/engine/target.ts";
import { read } from "./config-sample.ts";

function service(auth: string, url = "https://api.example.com/v2"): NonNullable<ReturnType<typeof find>> {
  const found = find(auth, url);
  if (!found) assert.fail("no service");
  return found;
}

function find(auth: string, url: string) {
  return read(`services:\n  s: {baseUrl: ${JSON.stringify(url)}, auth: ${auth}}\n`).config.services.get("s");
}

function inject(auth: Auth, secrets: Readonly<Record<string, string>>): Injection {
  const opened = Object.entries(secrets).map(([name, text]) => [name, new Secret(text)] as const);
  const scheme = schemeOf(auth.type);
  if (isMade(scheme)) assert.fail("the credential is not the same on every request");
  return scheme.inject(auth, new Map(opened));
}

function upstreamTarget({ base }: ReturnType<typeof service>, target: Target, { query }: Injection): string {
  return targetText(
    withParameters({ path: `${base?.prefix ?? ""}${target.path}`, query: target.query }, query),
  );
}

test("bearer", () => {
  const { auth } = service("{type: bearer, key: env:KEY}");
  const scheme = schemeOf(auth.type);
  assert.deepEqual(inject(auth, { key: "k" }), {
    headers: [["Authorization", "Bearer k"]],
    query: [],
    redact: ["k"],
  });
  assert.deepEqual([scheme.headerNames(auth), scheme.queryNames(auth)], [["authorization"], []]);
  assert.equal(scheme.place(auth), "header:authorization");
});

test("basic: the pair, the password and the encoded pair are all redacted", () => {
  const { auth } = service("{type: basic, username: u\u00e9, password: env:KEY}");
  const encoded = Buffer.from("u\u00e9:p:w", "utf8").toString("base64");
  const injection = inject(auth, { password: "p:w" });
  assert.deepEqual(injection.headers, [["Authorization", `Basic ${encoded}`]]);
  for (const form of [encoded, "u\u00e9:p:w", "p:w"]) assert.ok(injection.redact.includes(form), form);
  assert.ok(!injection.redact.includes("u\u00e9"), "a user's name alone is no secret beside a password");
});

test("basic with the key as the user: the user is redacted", () => {
  const { auth } = service("{type: basic, username: sk_key, password: env:KEY}");
  const injection = inject(auth, { password: "" });
  assert.ok(injection.redact.includes("sk_key"));
  assert.ok(!injection.redact.includes(""), "an empty form would redact everything");
});

test("headers: each is owned in lower case, and what stands behind a scheme's name is redacted too", () => {
  const { auth } = service("{type: headers, headers: {X-Api-Key: env:A, DD-App: env:B}}");
  const scheme = schemeOf(auth.type);
  assert.deepEqual(scheme.headerNames(auth), ["x-api-key", "dd-app"]);
  assert.equal(scheme.place(auth), "header:dd-app,header:x-api-key");
  const injection = inject(auth, { "headers.X-Api-Key": "token abc", "headers.DD-App": "d" });
  assert.deepEqual(injection.headers, [
    ["X-Api-Key", "token abc"],
    ["DD-App", "d"],
  ]);
  for (const form of ["token abc", "abc", "d"]) assert.ok(injection.redact.includes(form), form);
});

test("query: encoded when it is put behind the agent's own query, and behind the prefix", () => {
  const made = service("{type: query, param: api_key, key: env:KEY}");
  const injection = inject(made.auth, { "params.api_key": "a&b=c d/\u00e9" });
  assert.deepEqual(schemeOf("query").queryNames(made.auth), ["api_key"]);
  assert.equal(schemeOf("query").place(made.auth), "query:api_key");
  const encoded = "api_key=a%26b%3Dc%20d%2F%C3%A9";
  assert.equal(upstreamTarget(made, { path: "/x", query: undefined }, injection), `/v2/x?${encoded}`);
  assert.equal(upstreamTarget(made, { path: "/x", query: "q=1" }, injection), `/v2/x?q=1&${encoded}`);
  assert.ok(injection.redact.includes("a&b=c d/\u00e9"));
});

test("a service without parameters of its own leaves the query as it is", () => {
  const made = service("{type: bearer, key: env:KEY}", "https://api.example.com");
  const injection = inject(made.auth, { key: "k" });
  assert.equal(upstreamTarget(made, { path: "/x", query: undefined }, injection), "/x");
  assert.equal(upstreamTarget(made, { path: "/x", query: "" }, injection), "/x?");
  assert.equal(upstreamTarget(made, { path: "/", query: "a=b&&c" }, injection), "/?a=b&&c");
});

test("a secret that was not opened and a scheme that does not exist are bugs, and say no value", () => {
  const { auth } = service("{type: bearer, key: env:KEY}");
  assert.throws(() => inject(auth, {}), /"key" was not opened/);
  assert.throws(() => schemeOf("none"), /no credential scheme/);
  for (const type of schemeTypes) assert.equal(schemeOf(type).type, type);
});

test("no scheme injects or redacts an empty text by accident", () => {
  for (const [auth, secrets] of [
    ["{type: bearer, key: env:KEY}", { key: "k" }],
    ["{type: basic, username: u, password: env:KEY}", { password: "p" }],
    ["{type: headers, header: X-Key, key: env:KEY}", { "headers.X-Key": "k" }],
    ["{type: query, param: k, key: env:KEY}", { "params.k": "k" }],
  ] as const) {
    const injection = inject(service(auth).auth, secrets);
    assert.equal(injection.headers.length + injection.query.length, 1, auth);
    assert.ok(injection.redact.length > 0 && !injection.redact.includes(""), auth);
  }
});
