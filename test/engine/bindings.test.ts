import assert from "node:assert/strict";
import { test } from "node:test";
import { readBindings, refuseElsewhere } from "../../src/engine/bindings.ts";
import { Failure } from "../../src/engine/failure.ts";
import { readConfig } from "../../src/engine/read-config.ts";

function judged(services: string, binds: readonly string[], more = ""): Failure | undefined {
  const read = readConfig(`services:\n${services}\n${more}`, "policy.yaml");
  if (read instanceof Failure) assert.fail(`${read.message} at ${read.at?.line}:${read.at?.column}`);
  const bindings = readBindings(binds);
  if (bindings instanceof Failure) assert.fail(bindings.message);
  return refuseElsewhere(read.config, bindings);
}

const api = "  api: { baseUrl: https://api.example.com/v1, auth: { type: bearer, key: env:KEY } }";

test("an origin is compared whole: scheme, host and port, in any case and with its own port said or not", () => {
  for (const same of [
    "https://api.example.com",
    "https://api.example.com/",
    "HTTPS://API.example.com",
    "https://api.example.com:443",
  ]) {
    assert.equal(judged(api, [`KEY=${same}`]), undefined, same);
  }
  for (const other of [
    "http://api.example.com",
    "https://api.example.com:8443",
    "https://example.com",
    "https://xapi.example.com",
    "https://api.example.com.evil.example",
  ]) {
    const refused = judged(api, [`KEY=${other}`]);
    assert.equal(refused?.code, "origin_mismatch", other);
    assert.match(refused?.next ?? "", /--bind KEY=https:\/\/api\.example\.com$/);
  }
});

test("what is no origin is no binding", () => {
  for (const text of [
    ...[
      "KEY",
      "KEY=",
      "=https://a.example",
      "1KEY=https://a.example",
      "KEY=a.example",
      "KEY=ftp://a.example",
    ],
    ...[
      "KEY=https://a.example/x",
      "KEY=https://a.example?x",
      "KEY=https://u@a.example",
      "KEY=https://a b.example",
    ],
    ...["KEY=https://a.example\nx", "KEY=https://", "KEY=https://a.example\\@b.example"],
  ]) {
    const read = readBindings([text]);
    assert.ok(read instanceof Failure && read.code === "usage", text);
  }
});

test("secrets that go to a token endpoint are bound to that as well", () => {
  const service = `  api: { baseUrl: https://api.example.com, auth: { type: oauth2, tokenUrl: "https://id.example.com/token",
      clientId: app, clientSecret: env:KEY } }`;
  const refused = judged(service, ["KEY=https://api.example.com"]);
  assert.match(
    refused?.message ?? "",
    /KEY would go to https:\/\/id\.example\.com, and is bound to https:\/\/api/,
  );
  assert.equal(judged(service, ["KEY=https://api.example.com", "KEY=https://id.example.com"]), undefined);
});

test("one variable for two services is bound to both, and each secret of a service counts", () => {
  const two = `${api}\n  other: { baseUrl: https://other.example.com, auth: { type: basic, username: u, password: env:KEY } }`;
  assert.match(
    judged(two, ["KEY=https://api.example.com"])?.message ?? "",
    /^services\.other\.auth\.password/,
  );
  assert.equal(judged(two, ["KEY=https://api.example.com", "KEY=https://other.example.com"]), undefined);
  const headers =
    '  api: { baseUrl: https://api.example.com, auth: { type: headers, headers: { X-A: env:KEY, X-B: "cmd:x y" } } }';
  assert.match(judged(headers, ["KEY=https://api.example.com"])?.message ?? "", /headers\.X-B/i);
});

test("nothing in it says whom to trust, where a store is, or which proxy sees what goes in the clear", () => {
  const bind = ["KEY=https://api.example.com"];
  const withRoot = api.replace("auth:", "caFile: /x.pem, auth:");
  assert.match(judged(withRoot, bind)?.message ?? "", /services\.api\.caFile/);
  assert.match(judged(api, bind, "network: { caFile: /x.pem }")?.message ?? "", /network\.caFile/);
  assert.equal(judged(api, bind, "network: { proxy: http://proxy.example:3128 }"), undefined);
  const clear = "  api: { baseUrl: http://127.0.0.1:9, auth: { type: bearer, key: env:KEY } }";
  assert.equal(judged(clear, ["KEY=http://127.0.0.1:9"]), undefined);
  const seen = judged(clear, ["KEY=http://127.0.0.1:9"], "network: { proxy: http://proxy.example:3128 }");
  assert.match(seen?.message ?? "", /in the clear/);
  const store =
    "stores: { vault: { address: https://vault.example.com, auth: { type: token, token: env:KEY } } }";
  assert.match(judged(api, bind, store)?.message ?? "", /stores/);
});
