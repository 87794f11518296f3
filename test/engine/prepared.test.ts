// How long what a reference led to is good for, and for how many.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CredentialTools } from "../../src/engine/credential/scheme.ts";
import { Failure } from "../../src/engine/failure.ts";
import { PreparedServices } from "../../src/engine/prepared.ts";
import { Secret } from "../../src/engine/secret.ts";
import { read } from "./config-sample.ts";

const minute = 60_000;

function serviceOf(key: string) {
  const text = `services: {s: {baseUrl: https://a.example, auth: {type: bearer, key: ${key}}}}\n`;
  return read(text).config.services.get("s") ?? assert.fail();
}

function prepared(key: string) {
  const service = serviceOf(key);
  const on = { opened: 0, fails: false, now: 0 };
  const open = async (): Promise<ReadonlyMap<string, Secret> | Failure> => {
    on.opened += 1;
    const value = `value-number-${on.opened}`;
    await new Promise((done) => setTimeout(done, 5));
    return on.fails ? new Failure("reference_failed", "not there") : new Map([["key", new Secret(value)]]);
  };
  const exchange = (): never => assert.fail("a bearer token is not exchanged");
  // Of the tools, a credential that is what is stored needs the time alone.
  const tools = { now: () => on.now } as CredentialTools;
  const services = new PreparedServices({ open, exchange }, tools);
  const at = async (now: number): Promise<string> => {
    on.now = now;
    const one = await services.prepare(service);
    return one instanceof Failure ? one.code : (one.secrets.get("key")?.reveal() ?? "");
  };
  return { on, at };
}

test("many who wait have a reference followed once, and again after a minute", async () => {
  const { on, at } = prepared("env:KEY");
  const all = await Promise.all(Array.from({ length: 200 }, () => at(1000)));
  assert.deepEqual([...new Set(all)], ["value-number-1"]);
  assert.equal(await at(1000 + minute - 1), "value-number-1");
  const later = await Promise.all(Array.from({ length: 200 }, () => at(1000 + minute)));
  assert.deepEqual([...new Set(later)], ["value-number-2"]);
  assert.equal(on.opened, 2);
});

test("a sealed credential is opened once", async () => {
  const { on, at } = prepared("sealed:v1:x");
  assert.equal(await at(0), "value-number-1");
  assert.equal(await at(1000 * minute), "value-number-1");
  assert.equal(on.opened, 1);
});

test("a reference that fails, fails for those who wait; the next one has it tried again", async () => {
  const { on, at } = prepared("env:KEY");
  on.fails = true;
  const all = await Promise.all(Array.from({ length: 50 }, () => at(0)));
  assert.deepEqual([...new Set(all)], ["reference_failed"]);
  assert.equal(on.opened, 1);
  on.fails = false;
  assert.equal(await at(1), "value-number-2");
});
