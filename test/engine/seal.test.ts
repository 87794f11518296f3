import assert from "node:assert/strict";
import { createCipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";
import { test } from "node:test";
import { inspect } from "node:util";
import type { Service } from "../../src/engine/config.ts";
import { Failure } from "../../src/engine/failure.ts";
import {
  bindingOf,
  fromBase64Url,
  isSealed,
  openText,
  sealedWhen,
  sealText,
  toBase64Url,
} from "../../src/engine/seal.ts";
import { Secret } from "../../src/engine/secret.ts";

const credential = "sk_live_Ünïcode_✓_51H8";
const storeId = "00112233445566778899aabbccddeeff";
const keyId = "0a1b2c3d";
const key = new Uint8Array(32).map((_, index) => index);
const keys = new Map([[keyId, key]]);
const entropy = { bytes: (count: number) => new Uint8Array(randomBytes(count)) };

interface Edit {
  readonly name?: string;
  readonly type?: string;
  readonly fields?: readonly string[];
  readonly base?: string;
  readonly allowCleartext?: boolean;
  readonly allowLinkLocal?: boolean;
  readonly allowCookies?: boolean;
  readonly allowRange?: boolean;
  readonly caFile?: string;
  readonly username?: string;
}

function service(edit: Edit = {}): Service {
  const text = edit.base ?? "https://api.stripe.com";
  return {
    name: edit.name ?? "stripe",
    base: {
      text,
      scheme: "https",
      host: "api.stripe.com",
      port: 443,
      prefix: "",
      authority: "api.stripe.com",
    },
    auth: {
      type: edit.type ?? "bearer",
      open: new Map(edit.username === undefined ? [] : [["username", edit.username]]),
      secret: new Map((edit.fields ?? ["key"]).map((field) => [field, { kind: "sealed", text: "" }])),
    },
    allowCleartext: edit.allowCleartext ?? false,
    allowLinkLocal: edit.allowLinkLocal ?? false,
    allowEmptySegments: false,
    allowCookies: edit.allowCookies ?? false,
    allowRange: edit.allowRange ?? false,
    caFile: edit.caFile,
    capture: [],
    placeholders: ["header"],
  };
}

function seal(edit: Edit = {}, field = "key"): string {
  return sealText(key, keyId, credential, bindingOf(storeId, service(edit), field), entropy);
}

function open(sealed: string, edit: Edit = {}, field = "key", store = storeId): Secret | Failure {
  return openText(keys, sealed, bindingOf(store, service(edit), field));
}

function opens(result: Secret | Failure): void {
  assert.ok(result instanceof Secret, inspect(result));
  assert.equal(result.reveal(), credential);
}

function refuses(result: Secret | Failure, code = "store_refused", name = "stripe"): void {
  assert.ok(result instanceof Failure, "it opened");
  assert.equal(result.code, code);
  assert.ok(result.message.includes(`"${name}"`));
  assert.ok(result.next?.includes(`janee set ${name}`));
  assert.ok(!inspect(result).includes(credential));
}

test("what was sealed opens under the same binding", () => {
  const sealed = seal();
  assert.ok(isSealed(sealed));
  assert.match(sealed, /^sealed:v1:0a1b2c3d:[\w-]{22}:[\w-]+$/);
  assert.ok(!sealed.includes(credential));
  opens(open(sealed));
  for (const text of ["", " ", "x".repeat(100_000), "a\n\0b", "\ufeffmark"]) {
    const binding = bindingOf(storeId, service(), "key");
    const opened = openText(keys, sealText(key, keyId, text, binding, entropy), binding);
    assert.ok(opened instanceof Secret);
    assert.equal(opened.reveal(), text);
  }
});

test("a credential that UTF-8 cannot hold is not changed in silence", () => {
  assert.throws(() => sealText(key, keyId, "a\ud800b", bindingOf(storeId, service(), "key"), entropy));
});

test("the form on disk is AES-256-GCM as node:crypto has it, byte for byte", () => {
  const nonce = new Uint8Array(12).fill(7);
  const binding = bindingOf(storeId, service({ caFile: "/etc/corp.pem" }), "key");
  const sealed = sealText(key, keyId, credential, binding, { bytes: () => nonce });

  const associated = JSON.stringify([
    keyId,
    "janee sealed v1",
    storeId,
    "stripe",
    "key",
    "bearer",
    "header:authorization",
    "https://api.stripe.com",
    "false",
    "false",
    "/etc/corp.pem",
  ]);
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: 16 });
  cipher.setAAD(Buffer.from(associated));
  const box = Buffer.concat([nonce, cipher.update(credential, "utf8"), cipher.final(), cipher.getAuthTag()]);

  const markKey = Buffer.from(hkdfSync("sha256", key, storeId, "janee marks v1", 32));
  const mark = (parts: readonly string[]) =>
    createHmac("sha256", markKey).update(JSON.stringify(parts)).digest().subarray(0, 8);
  const marks = Buffer.concat([
    mark(["rest", ...binding.filter((_, index) => index !== 6)]),
    mark(["base", "https://api.stripe.com"]),
  ]);
  assert.equal(sealed, `sealed:v1:${keyId}:${marks.toString("base64url")}:${box.toString("base64url")}`);
  // The same once more as a literal, so that no change of both sides at once goes unseen.
  assert.equal(
    sealed,
    "sealed:v1:0a1b2c3d:GNYyimCr9gRWJR-pXKKvmg:BwcHBwcHBwcHBwcHfAH5MAZ5sqsFAX1DLzKb_8QDb-8bqLQotoOz9lMiMhhm2IRS3B-d-Ozj",
  );
});

test("when it was set can be read from the sealed text, and is bound into it", () => {
  const binding = bindingOf(storeId, service(), "key");
  const time = Date.UTC(2026, 0, 15, 10, 30, 5, 7);
  const sealed = sealText(key, keyId, credential, binding, entropy, time);
  assert.match(sealed, /^sealed:v1:0a1b2c3d:[\w-]{22}:[\w-]+:20260115T103005007Z$/);
  assert.equal(sealedWhen(sealed), time);
  opens(open(sealed));
  for (const edited of [
    "20270115T103005007Z",
    "20260115T103005008Z",
    "20261315T103005007Z",
    "",
    "x",
    "0:1",
  ]) {
    refuses(open(sealed.replace("20260115T103005007Z", edited)));
  }
  refuses(open(sealed.slice(0, sealed.lastIndexOf(":"))));
  const without = seal();
  assert.equal(sealedWhen(without), undefined);
  opens(open(without));
  refuses(open(`${without}:20260115T103005007Z`));
  for (const text of ["", "sealed", "plain", "sealed:v1:a:b:c:20269915T103005007Z"]) {
    assert.equal(sealedWhen(text), undefined);
  }
});

test("every value has a nonce of its own", () => {
  const nonces = Array.from({ length: 200 }, () => seal().split(":")[4]?.slice(0, 16));
  assert.equal(new Set(nonces).size, nonces.length);
});

test("STORE-001 ciphertexts of two services, swapped, do not open", () => {
  const stripe = seal();
  const github = seal({ name: "github", base: "https://api.github.com" });
  const twin = seal({ name: "stripe-2" });
  opens(open(github, { name: "github", base: "https://api.github.com" }));
  refuses(open(github));
  refuses(open(stripe, { name: "github", base: "https://api.github.com" }), "store_refused", "github");
  // The same URL and type on both: the name alone keeps them apart.
  refuses(open(twin));
});

test("two fields of one service, swapped, do not open", () => {
  const fields = ["headers.X-Key", "headers.X-Id"];
  const sealed = seal({ type: "headers", fields }, "headers.X-Key");
  opens(open(sealed, { type: "headers", fields }, "headers.X-Key"));
  refuses(open(sealed, { type: "headers", fields }, "headers.X-Id"));
});

test("STORE-002 an edited baseUrl is named as such", () => {
  const sealed = seal();
  for (const base of [
    "https://evil.example",
    "http://api.stripe.com",
    "https://api.stripe.com/v1",
    "https://api.stripe.com:8443",
    "https://API.stripe.com",
    "",
  ])
    refuses(open(sealed, { base }), "origin_mismatch");
  opens(open(sealed, { base: "https://api.stripe.com" }));
});

test("STORE-003 every other edit of what it is bound to is refused", () => {
  const headers = { type: "headers", fields: ["headers.X-Api-Key"] };
  const byHeader = seal(headers, "headers.X-Api-Key");
  opens(open(byHeader, headers, "headers.X-Api-Key"));
  refuses(open(byHeader, { type: "headers", fields: ["headers.X-Debug-Echo"] }, "headers.X-Debug-Echo"));
  // The field's own name as it was, with a second place added beside it.
  refuses(
    open(byHeader, { type: "headers", fields: ["headers.X-Api-Key", "headers.X-Echo"] }, "headers.X-Api-Key"),
  );

  const sealed = seal();
  for (const edit of [
    { type: "basic" },
    { type: "query", fields: ["params.key"] },
    { allowCleartext: true },
    { allowLinkLocal: true },
    { caFile: "/tmp/evil.pem" },
    { name: "stripe2" },
  ])
    refuses(open(sealed, edit), "store_refused", "name" in edit ? edit.name : "stripe");
  refuses(open(sealed, { base: "https://evil.example", allowCleartext: true }));
  // And the twins: what does not decide where a credential goes may change.
  opens(open(sealed, { allowCookies: true, allowRange: true }));
});

test("flags do not trade places", () => {
  refuses(open(seal({ allowCleartext: true }), { allowLinkLocal: true }));
  opens(open(seal({ allowCleartext: true }), { allowCleartext: true }));
});

test("no way of cutting the binding into fields reads like another", () => {
  const one = sealText(key, keyId, credential, bindingOf(storeId, service({ name: 'a","b' }), "c"), entropy);
  refuses(openText(keys, one, bindingOf(storeId, service({ name: "a" }), 'b","c')), "store_refused", "a");
});

test("another store's ciphertext does not open, with its key neither", () => {
  const other = "ff".repeat(16);
  const theirs = sealText(key, keyId, credential, bindingOf(other, service(), "key"), entropy);
  refuses(open(theirs));
  opens(open(theirs, {}, "key", other));
  refuses(openText(new Map([["ffffffff", key]]), seal(), bindingOf(storeId, service(), "key")));
  refuses(openText(new Map([[keyId, randomBytes(32)]]), seal(), bindingOf(storeId, service(), "key")));
});

test("a damaged text is refused, whatever the damage", () => {
  const sealed = seal();
  const [, , , marks = "", payload = ""] = sealed.split(":");
  const box = fromBase64Url(payload) ?? new Uint8Array();
  const withBox = (bytes: Uint8Array) => `sealed:v1:${keyId}:${marks}:${toBase64Url(bytes)}`;
  opens(open(withBox(box)));
  // Cut at every place; a tag shorter than 128 bits among them.
  for (let length = 0; length < box.length; length++) refuses(open(withBox(box.subarray(0, length))));
  // Any one bit.
  for (let index = 0; index < box.length; index++) {
    const flipped = box.slice();
    flipped[index] = (flipped[index] ?? 0) ^ (1 << (index % 8));
    refuses(open(withBox(flipped)));
  }
  refuses(open(withBox(Buffer.concat([box, new Uint8Array(1)]))));
  for (const text of [
    "sealed:",
    "sealed:v1",
    "sealed:v1:",
    `sealed:v1:${keyId}`,
    `sealed:v1:${keyId}:${marks}`,
    `sealed:v1:${keyId}:${marks}:`,
    `sealed:v1:${keyId}::${payload}`,
    `sealed:v1::${marks}:${payload}`,
    `${sealed}=`,
    `${sealed}:`,
    `${sealed} `,
    sealed.replace("v1", "v2"),
    sealed.replace("v1", "v0x"),
    `sealed:v1:${keyId}:${marks.slice(0, -2)}:${payload}`,
    `sealed:v1:__proto__:${marks}:${payload}`,
  ])
    refuses(open(text));
});

test("marks only choose the words: forged ones open nothing", () => {
  const sealed = seal();
  const evil = seal({ base: "https://evil.example" });
  const forged = sealed
    .split(":")
    .map((part, index) => (index === 3 ? (evil.split(":")[3] ?? "") : part))
    .join(":");
  refuses(open(forged, { base: "https://evil.example" }));
  refuses(open(forged), "origin_mismatch");
});

test("base64url has one spelling", () => {
  for (const text of ["", "A", "AB=", "AA==", "A A", "AB", "A+", "A/", "AA\n"])
    assert.equal(fromBase64Url(text), undefined, text);
  assert.deepEqual(fromBase64Url("AA"), new Uint8Array([0]));
  assert.deepEqual(fromBase64Url("-_8"), new Uint8Array([0xfb, 0xff]));
});
