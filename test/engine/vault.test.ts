import assert from "node:assert/strict";
import { hkdfSync, randomBytes } from "node:crypto";
import { test } from "node:test";
import { inspect } from "node:util";
import type { Service } from "../../src/engine/config.ts";
import { Failure } from "../../src/engine/failure.ts";
import { Secret } from "../../src/engine/secret.ts";
import {
  createVault,
  parseVaultFile,
  printVaultFile,
  unwrapVault,
  Vault,
  type VaultFile,
  type Wrapping,
  withNextKey,
  withoutOldKeys,
  wrapVault,
} from "../../src/engine/vault.ts";

const entropy = { bytes: (count: number) => new Uint8Array(randomBytes(count)) };
const outer = entropy.bytes(32);
const machineA = "a".repeat(32);
const machineB = "b".repeat(32);

const service: Service = {
  name: "stripe",
  base: undefined,
  auth: { type: "bearer", open: new Map(), secret: new Map([["key", { kind: "sealed", text: "" }]]) },
  allowCleartext: false,
  allowLinkLocal: false,
  allowEmptySegments: false,
  allowCookies: false,
  allowRange: false,
  caFile: undefined,
  capture: [],
  placeholders: ["header"],
};

function wrapping(machineId?: string, key = outer): Wrapping {
  return { provider: "file", outer: key, machineId };
}

function whole(result: Vault | Failure): Vault {
  assert.ok(result instanceof Vault, inspect(result));
  return result;
}

function failure(result: unknown, code: string): Failure {
  assert.ok(result instanceof Failure, "no failure");
  assert.equal(result.code, code, inspect(result));
  return result;
}

function reveal(result: Secret | Failure): string {
  assert.ok(result instanceof Secret, inspect(result));
  return result.reveal();
}

test("a vault that was written opens again, with the same keys", () => {
  const { file, vault } = createVault(wrapping(), entropy);
  assert.match(file.id, /^[0-9a-f]{32}$/);
  assert.equal(file.machine, false);
  const read = parseVaultFile(printVaultFile(file));
  assert.ok(!(read instanceof Failure));
  assert.deepEqual(read, file);
  const again = whole(unwrapVault(read, outer, undefined, entropy));
  assert.equal(again.id, vault.id);
  assert.deepEqual(again.rowKey, vault.rowKey);
  assert.deepEqual(again.auditKey, vault.auditKey);
  assert.notDeepEqual(again.rowKey, again.auditKey);
  const sealed = vault.seal(service, "key", "sk_live_1");
  assert.ok(again.holdsKeyOf(sealed));
  assert.equal(reveal(again.open(service, "key", sealed)), "sk_live_1");
});

test("the key of the rows is HKDF-SHA256 of the data key", () => {
  const { vault } = createVault(wrapping(), entropy);
  const dataKey = vault.bare().keys.get(vault.current);
  assert.ok(dataKey);
  const expected = new Uint8Array(hkdfSync("sha256", dataKey, vault.id, "janee rows v1", 32));
  assert.deepEqual(vault.rowKey, expected);
});

test("a vault prints none of its keys", () => {
  const { file, vault } = createVault(wrapping(), entropy);
  const shown = inspect(vault, { depth: 9, showHidden: true }) + JSON.stringify(vault) + String(vault);
  const stored = printVaultFile(file);
  for (const key of [...vault.bare().keys.values(), vault.auditKey, vault.rowKey, outer])
    for (const form of ["hex", "base64", "base64url"] as const) {
      assert.ok(!shown.includes(Buffer.from(key).toString(form)));
      assert.ok(!stored.includes(Buffer.from(key).toString(form)));
    }
  assert.ok(!shown.includes("Uint8Array"));
});

test("another outer key is key_wrong, and a short one too", () => {
  const { file } = createVault(wrapping(machineA), entropy);
  failure(unwrapVault(file, entropy.bytes(32), machineA, entropy), "key_wrong");
  failure(unwrapVault(file, outer.subarray(0, 31), machineA, entropy), "key_wrong");
  failure(unwrapVault(file, new Uint8Array(), machineA, entropy), "key_wrong");
  whole(unwrapVault(file, outer, machineA, entropy));
});

test("STORE-033 a bound vault opens on its machine alone", () => {
  const { file } = createVault(wrapping(machineA), entropy);
  assert.equal(file.machine, true);
  whole(unwrapVault(file, outer, machineA, entropy));
  for (const id of [machineB, undefined, ""]) {
    const refused = failure(unwrapVault(file, outer, id, entropy), "store_refused");
    assert.match(refused.message, /machine/);
    assert.match(refused.next ?? "", /janee key export.*janee key import/);
  }
  // To call it unbound does not help: the id is in the wrapping key.
  failure(unwrapVault({ ...file, machine: false }, outer, undefined, entropy), "store_refused");
});

test("a vault that is not bound opens anywhere", () => {
  const { file } = createVault(wrapping(), entropy);
  for (const id of [machineA, machineB, undefined]) whole(unwrapVault(file, outer, id, entropy));
});

test("STORE-034 two vaults with the same machine id, or the same outer key, share nothing", () => {
  const one = createVault(wrapping(machineA), entropy);
  const two = createVault(wrapping(machineA), entropy);
  const three = createVault(wrapping(machineA, entropy.bytes(32)), entropy);
  assert.notEqual(one.vault.id, two.vault.id);
  assert.notEqual(one.file.check, two.file.check);
  assert.notDeepEqual(one.vault.rowKey, two.vault.rowKey);
  // The id that a golden image gives to all its copies decides nothing: the random key does.
  failure(unwrapVault(three.file, outer, machineA, entropy), "key_wrong");
  const sealed = one.vault.seal(service, "key", "sk_live_1");
  failure(two.vault.open(service, "key", sealed), "store_refused");
  // Its wrapped key under the other's name does not open either.
  const mixed = { ...two.file, keys: one.file.keys, current: one.file.current };
  failure(unwrapVault(mixed, outer, machineA, entropy), "store_refused");
});

test("an edited vault.json does not open", () => {
  const { file } = createVault(wrapping(machineA), entropy);
  const flip = (text: string) => (text.startsWith("A") ? "B" : "A") + text.slice(1);
  const [first] = file.keys;
  assert.ok(first);
  const edits: VaultFile[] = [
    { ...file, id: "0".repeat(32) },
    { ...file, keys: [{ id: first.id, wrapped: flip(first.wrapped) }] },
    { ...file, keys: [{ id: "00000000", wrapped: first.wrapped }], current: "00000000" },
    { ...file, keys: [{ id: first.id, wrapped: file.audit }] },
    { ...file, audit: flip(file.audit) },
    { ...file, audit: first.wrapped },
    { ...file, check: flip(file.check) },
  ];
  for (const edit of edits)
    assert.ok(unwrapVault(edit, outer, machineA, entropy) instanceof Failure, inspect(edit));
  whole(unwrapVault({ ...file }, outer, machineA, entropy));
});

test("STORE-011 what is not a whole vault.json is refused", () => {
  const { file } = createVault(wrapping(), entropy);
  const text = printVaultFile(file);
  assert.ok(!(parseVaultFile(text) instanceof Failure));
  for (let length = 0; length < text.length - 2; length++)
    failure(parseVaultFile(text.slice(0, length)), "store_refused");
  const { audit: _audit, ...withoutAudit } = file;
  const [first] = file.keys;
  for (const value of [
    null,
    [],
    {},
    "x",
    7,
    { ...file, format: 2 },
    { ...file, format: "1" },
    { ...file, extra: true },
    { ...file, id: file.id.toUpperCase().replace(/\d/g, "A") },
    { ...file, id: "../../etc/passwd" },
    { ...file, provider: "none" },
    { ...file, machine: "yes" },
    { ...file, keys: [] },
    { ...file, keys: [first, first] },
    {
      ...file,
      keys: Array.from({ length: 17 }, (_, index) => ({ ...first, id: index.toString(16).padStart(8, "0") })),
    },
    { ...file, current: "00000000" },
    { ...file, audit: file.audit.slice(1) },
    withoutAudit,
  ])
    failure(parseVaultFile(JSON.stringify(value)), "store_refused");
  assert.match(
    failure(parseVaultFile(JSON.stringify({ ...file, format: 2 })), "store_refused").message,
    /version/,
  );
});

test("a refusal does not repeat what the file holds", () => {
  const refused = failure(parseVaultFile('{"format":1,"id":"sk_live_canary"}'), "store_refused");
  assert.ok(!inspect(refused).includes("canary"));
});

test("between two keys both open; afterwards only the new one does", () => {
  const { file, vault } = createVault(wrapping(machineA), entropy);
  const sealedOld = vault.seal(service, "key", "sk_live_1");
  const nextOuter = entropy.bytes(32);
  const both = withNextKey(vault.bare(), entropy);
  const between = wrapVault(both, wrapping(machineA, nextOuter), entropy);
  failure(unwrapVault(between, outer, machineA, entropy), "key_wrong");
  const middle = whole(unwrapVault(between, nextOuter, machineA, entropy));
  assert.ok(middle.betweenKeys);
  assert.notEqual(middle.current, vault.current);
  assert.equal(reveal(middle.open(service, "key", sealedOld)), "sk_live_1");
  const sealedNew = middle.seal(service, "key", "sk_live_1");

  const end = whole(
    unwrapVault(
      wrapVault(withoutOldKeys(both), wrapping(machineA, nextOuter), entropy),
      nextOuter,
      machineA,
      entropy,
    ),
  );
  assert.ok(!end.betweenKeys);
  assert.equal(reveal(end.open(service, "key", sealedNew)), "sk_live_1");
  failure(end.open(service, "key", sealedOld), "store_refused");
  assert.ok(!end.holdsKeyOf(sealedOld));
  assert.ok(!vault.holdsKeyOf(sealedNew));
  // Old audit lines stay verifiable; sessions do not outlive a rotation.
  assert.deepEqual(end.auditKey, vault.auditKey);
  assert.notDeepEqual(end.rowKey, vault.rowKey);
  // A leaked old key opens the old file, never the new one.
  whole(unwrapVault(file, outer, machineA, entropy));
});
