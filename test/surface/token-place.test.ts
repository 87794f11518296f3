// The session token stands where the client would have put its key, in exactly one place.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Config } from "../../src/engine/config.ts";
import { Failure } from "../../src/engine/failure.ts";
import type { HeaderField } from "../../src/engine/ports.ts";
import { findToken } from "../../src/surface/token-place.ts";
import { read } from "../engine/config-sample.ts";

const token = `jns_${"A1b2".repeat(10)}xyz`;
const other = `jns_${"Z".repeat(43)}`;

const config: Config = read(
  [
    "services:",
    "  bearer: {baseUrl: https://a.example, auth: {type: bearer, key: env:K}}",
    "  own: {baseUrl: https://b.example, auth: {type: headers, header: X-Own-Key, key: env:K}}",
    "  query: {baseUrl: https://c.example, auth: {type: query, param: api_key, key: env:K}}",
    "  aws: {baseUrl: https://sts.amazonaws.com, auth: {type: aws-sigv4, accessKeyId: AKIA1, secretAccessKey: env:K}}",
    "  oauth: {baseUrl: https://d.example, auth: {type: oauth1a, consumerKey: env:K, consumerSecret: env:K}}",
    "  hmac: {baseUrl: https://e.example, auth: {type: hmac, preset: bybit, apiKey: env:K, secret: env:K}}",
    "capabilities:",
    "  b: {service: bearer}",
    "  o: {service: own}",
    "  q: {service: query}",
    "  a: {service: aws}",
    "  oa: {service: oauth}",
    "  h: {service: hmac}",
    "",
  ].join("\n"),
).config;

function found(capability: string, lines: readonly string[], target = "/x"): string | undefined {
  const fields: HeaderField[] = lines.map((line) => {
    const [name = "", ...value] = line.split(":");
    return { name, key: name.toLowerCase(), value: value.join(":").trim() };
  });
  const result = findToken(config, capability, target, fields);
  return result instanceof Failure ? result.code : result;
}

function basic(text: string): string {
  return `Authorization: Basic ${Buffer.from(text).toString("base64")}`;
}

test("a client that signs puts it where the name of its key stands", () => {
  const signed = (id: string): string =>
    `Authorization: AWS4-HMAC-SHA256 Credential=${id}/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00`;
  assert.equal(found("a", [signed(token)]), token);
  assert.equal(found("a", [`X-Amz-Security-Token: ${token}`]), token);
  assert.equal(found("a", [signed(token), `X-Amz-Security-Token: ${token}`]), "session_ambiguous");
  assert.equal(found("a", [signed("AKIAIOSFODNN7EXAMPLE")]), undefined);
  assert.equal(found("oa", [`Authorization: OAuth oauth_nonce="1", oauth_consumer_key="${token}"`]), token);
  assert.equal(found("oa", [`Authorization: OAuth realm="x", oauth_token="${token}"`]), token);
  assert.equal(found("oa", ['Authorization: OAuth oauth_consumer_key="mine"']), undefined);
  assert.equal(found("h", [`X-BAPI-API-KEY: ${token}`]), token);
});

test("each place may hold it", () => {
  for (const line of [
    `Authorization: Bearer ${token}`,
    `authorization: bearer ${token}`,
    `AUTHORIZATION: token ${token}`,
    `Authorization: ${token}`,
    `Authorization: Bearer   ${token}`,
    `X-Api-Key: ${token}`,
    basic(`${token}:`),
    basic(`${token}:x`),
    basic(`x:${token}`),
    basic(`:${token}`),
    basic(token),
    `Authorization: basic ${Buffer.from(`u:${token}`).toString("base64")}`,
  ]) {
    assert.equal(found("b", [line]), token, line);
    assert.equal(found("o", [line]), token, line);
  }
  assert.equal(found("o", [`X-Own-Key: ${token}`]), token);
  assert.equal(found("o", [`x-own-key: Key ${token}`]), token);
  assert.equal(found("q", [], `/x?api_key=${token}`), token);
  assert.equal(found("q", [], `/x?a=1&api_key=${token}&b=2`), token);
  assert.equal(found("q", [], `/x?api%5Fkey=${token.replace("jns_", "jns%5F")}`), token);
});

test("a place that is not this service's is none", () => {
  for (const [capability, lines, target] of [
    ["b", [`X-Own-Key: ${token}`], "/x"],
    ["b", [`X-Other: ${token}`], "/x"],
    ["b", [`Cookie: key=${token}`], "/x"],
    ["b", [`Proxy-Authorization: Bearer ${token}`], "/x"],
    ["b", [], `/x?api_key=${token}`],
    ["q", [], `/x?key=${token}`],
    ["q", [], `/x/${token}`],
    ["q", [], `/x#api_key=${token}`],
    ["none", [`X-Own-Key: ${token}`], "/x"],
  ] as const) {
    assert.equal(found(capability, lines, target), undefined, `${capability} ${lines} ${target}`);
  }
  assert.equal(found("none", [`Authorization: Bearer ${token}`]), token);
});

test("what is no token is none: the agent's own keys are not looked at", () => {
  for (const line of [
    "Authorization: Bearer sk_live_x",
    "Authorization: Bearer",
    "Authorization:",
    "X-Api-Key: xjns_",
    `Authorization: Bearer x${token}`,
    `Authorization: Bearer ${token} x`,
    basic("user:password"),
    basic(`x${token}:y`),
    "Authorization: Basic",
    "Authorization: Basic !!!",
    "Authorization: Basic ====",
    `Authorization: Digest ${Buffer.from(`u:${token}`).toString("base64")}`,
  ]) {
    assert.equal(found("b", [line]), undefined, line);
  }
});

test("two places are ambiguous, also when they hold the same token", () => {
  for (const lines of [
    [`Authorization: Bearer ${token}`, `X-Api-Key: ${token}`],
    [`Authorization: Bearer ${token}`, `X-Api-Key: ${other}`],
    [`X-Api-Key: ${token}`, `X-Api-Key: ${token}`],
    [basic(`${token}:${token}`)],
    [basic(`${token}:${other}`)],
  ]) {
    assert.equal(found("b", lines), "session_ambiguous", String(lines));
  }
  assert.equal(found("o", [`X-Own-Key: ${token}`, `Authorization: Bearer ${token}`]), "session_ambiguous");
  const header = [`Authorization: Bearer ${token}`];
  assert.equal(found("q", header, `/x?api_key=${token}`), "session_ambiguous");
  assert.equal(found("q", [], `/x?api_key=${token}&api_key=${other}`), "session_ambiguous");
  // A token beside a key of another kind is one token.
  assert.equal(found("b", [...header, "X-Api-Key: sk_live_x"]), token);
  assert.equal(found("b", header, `/x?api_key=${other}`), token);
  assert.equal(found("q", header, "/x?api_key=sk_live_x"), token);
});

test("a broken token is found, so that it is judged and not passed by", () => {
  assert.equal(found("b", ["Authorization: Bearer jns_short"]), "jns_short");
  assert.equal(found("b", ["X-Api-Key: jns_"]), "jns_");
});
