// Which capability an address of the world is a use of.
import assert from "node:assert/strict";
import { test } from "node:test";
import { destinationOf, overlapping, reaches, readAuthority } from "../../src/engine/destination.ts";
import { Failure } from "../../src/engine/failure.ts";
import { readConfig } from "../../src/engine/read-config.ts";

const auth = "auth: {type: bearer, key: env:K}";
const read = readConfig(
  `services:
  api: {baseUrl: https://api.example.com, ${auth}}
  deep: {baseUrl: https://api.example.com/v2, ${auth}}
  other: {baseUrl: "https://api.example.com:8443", ${auth}}
  v22: {baseUrl: https://v.example.com/v22, ${auth}}
  v2: {baseUrl: https://v.example.com/v2, ${auth}}
capabilities:
  api: {service: api}
  again: {service: api}
  deep: {service: deep}
  other: {service: other}
  v22: {service: v22}
  v2: {service: v2}
`,
  "config.yaml",
);
if (read instanceof Failure) throw new Error(read.message);
const { config } = read;
const origin = { scheme: "https", host: "api.example.com", port: 443 } as const;

function found(names: readonly string[], target: string, firstMatch = false): string {
  const to = destinationOf(config, { capabilities: names, firstMatch }, origin, target);
  return to instanceof Failure ? to.code : `${to.capability} ${to.target}`;
}

test("an authority is read as a URL parser reads it, or not at all", () => {
  const text = (authority: string, scheme: "http" | "https" = "https"): string | undefined => {
    const read = readAuthority(authority, scheme);
    return read && `${read.host} ${read.port}`;
  };
  assert.equal(text("API.Example.com:443"), "api.example.com 443");
  assert.equal(text("api.example.com"), "api.example.com 443");
  assert.equal(text("api.example.com", "http"), "api.example.com 80");
  assert.equal(text("[::1]:8443"), "::1 8443");
  assert.equal(text("127.0.0.1:9"), "127.0.0.1 9");
  for (const strange of [
    "127.1:80",
    "2130706433:80",
    "0x7f000001:80",
    "0177.0.0.1:80",
    "[0:0::1]:80",
    "a:0",
    "a:65536",
    "a:b",
    ":80",
    "",
    "a b:1",
    "a@b:1",
    "a/b:1",
    "api.example.com.:443",
    "api.example.com.",
    "127.0.0.1.:80",
  ]) {
    assert.equal(text(strange), undefined, strange);
  }
});

test("host, port and scheme have to be the service's; the prefix is a wall", () => {
  const reach = { capabilities: ["api", "deep"], firstMatch: false };
  assert.equal(reaches(config, reach, origin), true);
  assert.equal(reaches(config, reach, { ...origin, port: 8443 }), false);
  assert.equal(reaches(config, reach, { ...origin, scheme: "http" }), false);
  assert.equal(reaches(config, reach, { ...origin, host: "evil.api.example.com" }), false);
  assert.equal(found(["deep"], "/v2/x?y"), "deep /x?y");
  assert.equal(found(["deep"], "/v2"), "deep /");
  assert.equal(found(["deep"], "/v2?y"), "deep /?y");
  assert.equal(found(["deep"], "/v22/x"), "host_not_allowed");
  assert.equal(found(["deep"], "/v1/x"), "host_not_allowed");
  assert.equal(found(["deep"], "/x/../v2/x"), "path_ambiguous");
  assert.equal(found(["other"], "/x"), "host_not_allowed");
});

test("several for one address are ambiguous, unless their order decides", () => {
  assert.equal(found(["api", "again"], "/x"), "capability_ambiguous");
  assert.equal(found(["again", "api"], "/x", true), "again /x");
  assert.equal(found(["api", "deep"], "/v2/x"), "capability_ambiguous");
  assert.equal(found(["deep", "api"], "/v2/x", true), "deep /x");
  assert.equal(found(["deep", "api"], "/v1/x"), "api /v1/x");
  assert.deepEqual(overlapping(config, ["api", "other", "deep"]), ["api", "deep"]);
  assert.deepEqual(overlapping(config, ["api", "again"]), ["api", "again"]);
  assert.equal(overlapping(config, ["api", "other", "v2", "v22"]), undefined);
});
