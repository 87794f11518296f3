// What comes of an entry of the keychain, whatever the system does.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Failure } from "../../src/engine/failure.ts";
import { type Entries, readKeychain } from "../../src/host/reference/keychain.ts";
import { canary } from "../support/janee.ts";

async function read(entries: Entries): Promise<string> {
  const found = await readKeychain("shop", "me@example.com", 200, entries);
  if (!(found instanceof Failure)) return found;
  assert.equal(found.code, "reference_failed");
  assert.ok(!JSON.stringify(found).includes(canary));
  return found.message;
}

test("keychain: the entry of this service and account, and no other", { timeout: 10_000 }, async () => {
  const chain: Entries = async (service, account) =>
    service === "shop" && account === "me@example.com" ? canary : undefined;
  assert.equal(await read(chain), canary);
  assert.match(await read(async () => undefined), /no such entry/);
});

test("keychain: none, locked, broken, silent: a failure that quotes nothing", {
  timeout: 10_000,
}, async () => {
  const failing = (): Error =>
    Object.assign(new Error(`cannot store ${canary}`), { code: "ERR_SECRETS_PLATFORM_ERROR" });
  assert.match(await read(() => undefined), /the janee binary has/);
  assert.match(await read(() => Promise.reject(failing())), /cannot be used: ERR_SECRETS_PLATFORM_ERROR/);
  assert.match(await read(() => Promise.reject(new Error(canary))), /cannot be used: it refused/);
  assert.match(
    await read(() => {
      throw failing();
    }),
    /cannot be used/,
  );
  assert.match(await read(() => new Promise(() => {})), /did not answer in time/);
});
