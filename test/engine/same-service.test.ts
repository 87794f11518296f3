// What an edit of the config means for a request or a command that was let through and has not gone out yet.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ExecPolicy, Service } from "../../src/engine/config.ts";
import { sameExec, sameService } from "../../src/engine/same-service.ts";
import { capability, read } from "./config-sample.ts";

const lines = (auth: string, ...more: string[]): string =>
  ["services:", "  s:", `    auth: ${auth}`, "    baseUrl: https://a.example", ...more, ""].join("\n");

function serviceIn(text: string): Service {
  return read(text).config.services.get("s") ?? assert.fail();
}

test("another credential goes to the same place: what is on its way goes out", () => {
  const service = (auth: string, ...more: string[]): Service =>
    serviceIn(lines(auth, ...more.map((line) => `    ${line}`)));
  const base = service("{type: bearer, key: env:A}");
  for (const same of [
    service("{type: bearer, key: env:A}"),
    service("{type: bearer, key: env:B}"),
    service("{type: bearer, key: sealed:v1:x}"),
    service("{type: bearer, key: plain}"),
    service("{type: bearer, key: env:A}", "maxAge: 1d"),
  ]) {
    assert.ok(sameService(base, same));
  }
  for (const other of [
    service("{type: headers, header: X-A, key: env:A}"),
    service("{type: basic, key: env:A}"),
    service("{type: bearer, key: env:A}", "allowCookies: true"),
    service("{type: bearer, key: env:A}", "caFile: /x"),
    serviceIn(lines("{type: bearer, key: env:A}").replace("a.example", "b.example")),
  ]) {
    assert.ok(!sameService(base, other));
  }
  const header = (name: string): Service => service(`{type: headers, headers: {${name}: env:A}}`);
  assert.ok(!sameService(header("X-A"), header("X-B")));
  const user = (name: string): Service => service(`{type: basic, username: ${name}, password: env:A}`);
  assert.ok(!sameService(user("a"), user("b")));
});

test("a command goes out where nothing of its policy has changed, and not where anything has", () => {
  const exec = (...more: string[]): ExecPolicy =>
    read(capability("mode: exec", ...more)).config.capabilities.get("c")?.exec ?? assert.fail();
  const base = ["allowCommands: [a, b]", "envMap: {K: '{{credential}}'}", "args: {a: [{allow: [x]}]}"];
  assert.ok(sameExec(exec(...base), exec(...base)));
  const digest = "a".repeat(64);
  for (const other of [
    [...base, "timeout: 5s"],
    [...base, "workDir: /x"],
    [...base, "dangerous: true"],
    [...base, `sha256: {a: ${digest}}`],
    [base[0] ?? "", "envMap: {L: '{{credential}}'}", base[2] ?? ""],
    [base[0] ?? "", base[1] ?? "", "args: {a: [{allow: [y]}]}"],
    ["allowCommands: [a]", base[1] ?? "", base[2] ?? ""],
  ]) {
    assert.ok(!sameExec(exec(...base), exec(...other)), other.join());
  }
});
