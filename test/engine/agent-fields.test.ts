// Which header fields of an agent go upstream, and which of an upstream go back.
import assert from "node:assert/strict";
import { test } from "node:test";
import { admitFields, headBytesLimit, headFieldsLimit, replyFields } from "../../src/engine/agent-fields.ts";
import type { Service } from "../../src/engine/config.ts";
import { Failure } from "../../src/engine/failure.ts";
import type { HeaderField } from "../../src/engine/ports.ts";
import { read } from "./config-sample.ts";

function service(extra = "", auth = "{type: bearer, key: env:KEY}"): Service {
  const text = `services:\n  s: {baseUrl: "https://api.example.com", auth: ${auth}${extra}}\n`;
  const found = read(text).config.services.get("s");
  if (!found) assert.fail("no service");
  return found;
}

const plain = service();

function fields(...pairs: readonly string[]): HeaderField[] {
  return pairs.map((pair) => {
    const colon = pair.indexOf(":");
    const name = pair.slice(0, colon);
    return { name, key: name.toLowerCase(), value: pair.slice(colon + 1).trim() };
  });
}

/** What goes out for these fields: `Name: value` each, or the code of the refusal. */
function out(list: readonly HeaderField[], to: Service = plain): readonly string[] | string {
  const admitted = admitFields(list, to);
  if (admitted instanceof Failure) return admitted.code;
  return admitted.map(({ name, value }) => `${name}: ${value}`);
}

function back(list: readonly HeaderField[], from: Service = plain, decoded = false): readonly string[] {
  return replyFields(list, from, decoded).map(({ name, value }) => `${name}: ${value}`);
}

test("what an agent needs goes out as it came, in its order and with its duplicates", () => {
  const kept = [
    "Accept: */*",
    "Content-Type: application/json",
    "Idempotency-Key: 1",
    'If-None-Match: "x"',
    "X-GitHub-Api-Version: 2022-11-28",
    "User-Agent: sdk/1",
    "Accept: text/html",
    "anthropic-version: 2023-06-01",
    "X-Custom: \u00e9\t~",
    "Empty: ",
    "Referer: https://docs.example.com/",
    "X-Forward: 1",
    "X-HTTP-Methods: 1",
    "Depth: 1",
  ];
  assert.deepEqual(out(fields(...kept)), kept);
});

test("a field that would change the method is refused, with underscores and in any case; its twin is not", () => {
  for (const name of [
    "X-HTTP-Method-Override",
    "x-http-method",
    "X-METHOD-OVERRIDE",
    "x_http_method_override",
    "X_HTTP-Method_Override",
    "X-Original-Method",
  ]) {
    assert.equal(out(fields(`${name}: DELETE`)), "method_override", name);
    assert.deepEqual(out(fields(`${name}-Not: DELETE`)), [`${name}-Not: DELETE`], name);
  }
});

test("a field that would change the path is refused, with underscores and in any case; its twin is not", () => {
  for (const name of [
    "X-Original-URL",
    "X-Original-URI",
    "X-Rewrite-URL",
    "x_rewrite_url",
    "X-Envoy-Original-Path",
    "X-Forwarded-Prefix",
    "X_Forwarded_Uri",
    "X-Accel-Redirect",
  ]) {
    assert.equal(out(fields(`${name}: /admin`)), "path_override", name);
  }
  assert.deepEqual(out(fields("X-Original: /admin", "X-URL: /")), ["X-Original: /admin", "X-URL: /"]);
});

test("an upgrade is refused", () => {
  assert.equal(out(fields("Upgrade: websocket")), "upgrade_forbidden");
  assert.equal(out(fields("upgrade: h2c", "Connection: upgrade, http2-settings")), "upgrade_forbidden");
  assert.deepEqual(out(fields("Upgrade-Insecure-Requests: 1")), ["Upgrade-Insecure-Requests: 1"]);
});

test("identity, hops, framing and janee's own fields do not go out, in either spelling", () => {
  const dropped = [
    "Host: evil.example",
    "Authorization: Bearer AGENT",
    "X-Api-Key: AGENT",
    "Proxy-Authorization: Bearer x",
    "Connection: close",
    "Keep-Alive: 1",
    "Proxy-Connection: close",
    "TE: trailers",
    "Trailer: X",
    "Transfer-Encoding: chunked",
    "Content-Length: 3",
    "Expect: 100-continue",
    "Max-Forwards: 0",
    "HTTP2-Settings: x",
    "Accept-Encoding: zstd",
    "Forwarded: host=x",
    "Via: 1.1 x",
    "Origin: http://x",
    "X-Forwarded-For: 1",
    "X-Forwarded-Host: x",
    "X-Forwarded-Anything: x",
    "X-Real-IP: 1",
    "CF-Connecting-IP: 1",
    "True-Client-IP: 1",
    "X-Janee-Session: x",
    "Sec-Fetch-Site: none",
    "Cookie: a=1",
    "Range: bytes=0-1",
    "If-Range: x",
    "Referer: http://127.0.0.1:5263/gh",
    "Referer: http://localhost:5263/gh",
    "Referer: http://[::1]:5263/gh",
  ];
  for (const line of dropped) {
    assert.deepEqual(out(fields(line, "Accept: */*")), ["Accept: */*"], line);
    const [name = "", ...value] = line.split(":");
    const spelled = `${name.replaceAll("-", "_").toUpperCase()}:${value.join(":")}`;
    assert.deepEqual(out(fields(spelled, "Accept: */*")), ["Accept: */*"], spelled);
  }
});

test("what Connection names ends here, and nothing else does", () => {
  const list = fields("Connection: close, X-Hop , x-other", "X-Hop: 1", "x-OTHER: 2", "X-Hops: 3");
  assert.deepEqual(out(list), ["X-Hops: 3"]);
  assert.deepEqual(out(fields("Connection: X-A", "Connection: X-B", "X-A: 1", "X-B: 2", "X-C: 3")), [
    "X-C: 3",
  ]);
});

test("the service's own header is only janee's to set, with underscores or dashes", () => {
  const dashed = service("", "{type: headers, header: X-Secret-Key, key: env:KEY}");
  assert.deepEqual(out(fields("X-Secret-Key: a", "x_secret_key: b", "X-Secret: c"), dashed), ["X-Secret: c"]);
  const underscored = service("", "{type: headers, header: api_key, key: env:KEY}");
  assert.deepEqual(out(fields("api_key: a", "Api-Key: b", "apikey: c"), underscored), ["apikey: c"]);
  assert.deepEqual(out(fields("X-Secret-Key: a")), ["X-Secret-Key: a"]);
});

test("allowCookies and allowRange let just those through, both ways", () => {
  const cookies = service(", allowCookies: true");
  const ranges = service(", allowRange: true");
  const list = fields("Cookie: a=1", "Range: bytes=0-1", "If-Range: x");
  assert.deepEqual(out(list, cookies), ["Cookie: a=1"]);
  assert.deepEqual(out(list, ranges), ["Range: bytes=0-1", "If-Range: x"]);
  assert.deepEqual(out(list), []);
  const reply = fields("Set-Cookie: a=1", "Set-Cookie2: b");
  assert.deepEqual(back(reply, cookies), ["Set-Cookie: a=1", "Set-Cookie2: b"]);
  assert.deepEqual(back(reply), []);
});

test("names are tokens and values hold nothing that ends a line", () => {
  for (const name of ["authorization ", " x", "x y", "x\u0000", "", "x\u00e9", "x(", "x\r\ny"]) {
    assert.equal(
      out([{ name, key: name.toLowerCase(), value: "1" }]),
      "bad_header_name",
      JSON.stringify(name),
    );
  }
  for (const value of [
    "a\r\nX: 1",
    "a\nX: 1",
    "a\rb",
    "a\u0000b",
    "a\u010d\u010aX: 1",
    "\u2028",
    "\x7f",
    "\u{1f600}",
  ]) {
    assert.equal(out([{ name: "X", key: "x", value }]), "bad_header_value", JSON.stringify(value));
  }
  assert.deepEqual(out(fields("x!#$%&'*+.^_`|~-9: a\tb")), ["x!#$%&'*+.^_`|~-9: a\tb"]);
  // Names that every object has are names like others.
  assert.deepEqual(out(fields("constructor: 1", "toString: 2")), ["constructor: 1", "toString: 2"]);
});

test("at most a hundred fields and 32 KiB", () => {
  const many = (count: number): HeaderField[] =>
    fields(...Array.from({ length: count }, (_, at) => `X-${at}: 1`));
  assert.equal(out(many(headFieldsLimit)).length, headFieldsLimit);
  assert.equal(out(many(headFieldsLimit + 1)), "headers_too_large");
  const big = (bytes: number): HeaderField[] => fields(`X: ${"a".repeat(bytes - 5)}`);
  assert.equal(out(big(headBytesLimit)).length, 1);
  assert.equal(out(big(headBytesLimit + 1)), "headers_too_large");
});

test("of a reply, hops, framing, digests of the body and permissions for pages do not go back", () => {
  const dropped = [
    "Connection: X-Hop",
    "X-Hop: 1",
    "Keep-Alive: 1",
    "Transfer-Encoding: chunked",
    "Content-Length: 3",
    "Content-Encoding: gzip",
    "Content-MD5: x",
    "Digest: x",
    "Repr-Digest: x",
    "Alt-Svc: h3",
    "Access-Control-Allow-Origin: *",
    "Upgrade: h2c",
    "Trailer: x",
    "Proxy-Authenticate: Basic",
  ];
  const kept = [
    "Content-Type: text/plain",
    "Location: /v2",
    'ETag: "x"',
    "Link: <x>",
    "WWW-Authenticate: Bearer",
  ];
  assert.deepEqual(back(fields(...dropped, ...kept)), kept);
  assert.deepEqual(
    back(fields(...kept), plain, true),
    kept.filter((line) => !line.startsWith("ETag")),
  );
});
