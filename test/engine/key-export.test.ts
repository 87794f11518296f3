import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { inspect } from "node:util";
import { Failure } from "../../src/engine/failure.ts";
import { exportKeys, importKeys } from "../../src/engine/key-export.ts";
import {
  newKeys,
  unwrapVault,
  Vault,
  type VaultKeys,
  withNextKey,
  wrapVault,
} from "../../src/engine/vault.ts";

const entropy = { bytes: (count: number) => new Uint8Array(randomBytes(count)) };
const passphrase = "correct horse battery";
// The real cost takes noble over a second; one test pays it, the others need none of it.
const cheap = { m: 64, t: 1, p: 1 };
const prefix = "janee-key:v1:";

function exported(keys: VaultKeys, words = passphrase, cost = cheap): string {
  const text = exportKeys(keys, words, entropy, cost);
  assert.ok(typeof text === "string", inspect(text));
  return text;
}

function failure(result: unknown, code: string): Failure {
  assert.ok(result instanceof Failure, "no failure");
  assert.equal(result.code, code, inspect(result));
  return result;
}

/** The text with some of its envelope replaced. */
function edited(text: string, edit: object): string {
  const envelope: object = JSON.parse(Buffer.from(text.slice(prefix.length), "base64url").toString());
  return prefix + Buffer.from(JSON.stringify({ ...envelope, ...edit })).toString("base64url");
}

test("an export at the usual cost opens under another machine's outer key", { timeout: 120_000 }, () => {
  const keys = withNextKey(newKeys(entropy), entropy);
  const text = exportKeys(keys, passphrase, entropy);
  assert.ok(typeof text === "string");
  assert.match(text, /^janee-key:v1:[\w-]+$/);
  const envelope = JSON.parse(Buffer.from(text.slice(prefix.length), "base64url").toString());
  assert.deepEqual([envelope.kdf, envelope.m, envelope.t, envelope.p], ["argon2id", 65536, 3, 1]);
  const taken = importKeys(text, passphrase);
  assert.ok(!(taken instanceof Failure), inspect(taken));
  assert.deepEqual(taken, keys);
  const outer = entropy.bytes(32);
  const machineId = "c".repeat(32);
  const file = wrapVault(taken, { provider: "file", outer, machineId }, entropy);
  assert.ok(unwrapVault(file, outer, machineId, entropy) instanceof Vault);
});

test("the text holds no key in the clear", () => {
  const keys = newKeys(entropy);
  const text = Buffer.from(exported(keys).slice(prefix.length), "base64url").toString();
  for (const key of [...keys.keys.values(), keys.audit])
    assert.ok(!text.includes(Buffer.from(key).toString("base64url")));
  assert.ok(!text.includes(keys.id));
});

test("a wrong passphrase is passphrase_wrong; other spellings of the right one are right", () => {
  const keys = newKeys(entropy);
  const text = exported(keys, "Ünïcode passphrase".normalize("NFC"));
  for (const words of ["", "wrong", "Ünïcode passphras", "Ünïcode passphrase ", "ünïcode passphrase"])
    failure(importKeys(text, words), "passphrase_wrong");
  assert.deepEqual(importKeys(text, "Ünïcode passphrase".normalize("NFD")), keys);
});

test("a passphrase of a few characters is not taken", () => {
  const keys = newKeys(entropy);
  for (const words of ["", "1234567", "🙂🙂🙂🙂"]) failure(exportKeys(keys, words, entropy, cheap), "usage");
  assert.ok(typeof exportKeys(keys, "12345678", entropy, cheap) === "string");
});

test("white space that mail put in does no harm", () => {
  const keys = newKeys(entropy);
  const text = exported(keys).replace(/.{60}/g, "$&\r\n  ");
  assert.deepEqual(importKeys(`\n${text}\n`, passphrase), keys);
});

test("STORE-014 an export that asks for too much work is refused", () => {
  const text = exported(newKeys(entropy));
  for (const edit of [
    { m: 256 * 1024 + 1 },
    { m: 2 ** 30 },
    { m: 1e300 },
    { m: 64.5 },
    { m: -1 },
    { m: "65536" },
    { m: 31 },
    { t: 11 },
    { t: 0 },
    { t: 2 ** 31 },
    { p: 5 },
    { p: 0 },
    { kdf: "argon2d" },
    { kdf: "scrypt", N: 2 ** 30 },
  ])
    failure(importKeys(edited(text, edit), passphrase), "store_refused");
  // Within bounds, and still another cost than it was made with.
  failure(importKeys(edited(text, { t: 2 }), passphrase), "passphrase_wrong");
  assert.ok(!(importKeys(edited(text, {}), passphrase) instanceof Failure));
});

test("a damaged or foreign text is refused", () => {
  const text = exported(newKeys(entropy));
  for (const damaged of [
    "",
    "hello",
    prefix,
    text.slice(0, -1),
    text.slice(0, 100),
    text.slice(1),
    text.replace("v1", "v2"),
    `${text}A`,
    edited(text, { extra: 1 }),
    edited(text, { salt: "" }),
    edited(text, { salt: "AAAA" }),
    edited(text, { box: "" }),
    `${prefix}${"A".repeat(100_000)}`,
  ])
    failure(importKeys(damaged, passphrase), "store_refused");
  failure(importKeys(edited(text, { box: "AAAA" }), passphrase), "passphrase_wrong");
  failure(
    importKeys(edited(text, { salt: Buffer.alloc(16).toString("base64url") }), passphrase),
    "passphrase_wrong",
  );
});

test("two exports of one vault share nothing that could be compared", () => {
  const keys = newKeys(entropy);
  const [one, two] = [exported(keys), exported(keys)];
  assert.notEqual(one.slice(80), two.slice(80));
  assert.deepEqual(importKeys(one, passphrase), importKeys(two, passphrase));
});
