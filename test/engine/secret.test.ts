// A credential in a form that cannot be printed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { format, inspect } from "node:util";
import { Secret } from "../../src/engine/secret.ts";

const canary = "sk_live_CANARY_0123456789";
const secret = new Secret(canary);

test("only reveal gives it out", () => {
  assert.equal(secret.reveal(), canary);
  const shown = [
    String(secret),
    `${secret}`,
    [secret].join(),
    JSON.stringify(secret),
    JSON.stringify({ deep: [secret], map: new Map([["k", secret]]) }),
    inspect(secret),
    inspect({ deep: { deeper: [secret] } }, { depth: null, showHidden: true }),
    format("%s %o %O %j", secret, secret, secret, secret),
    inspect(new Map([["k", secret]])),
    Object.keys(secret).join(),
    JSON.stringify(Object.entries(secret)),
    JSON.stringify({ ...secret }),
    String(Object.getOwnPropertyNames(secret)),
    String(Reflect.ownKeys(secret).map(String)),
    inspect(new Error("x", { cause: secret })),
  ];
  for (const text of shown) assert.ok(!text.includes("CANARY"), text);
  assert.equal(`${secret}`, "[secret]");
  assert.equal(JSON.stringify(secret), '"[secret]"');
  assert.equal(inspect(secret), "[secret]");
});

test("an assertion that fails on it does not print it", () => {
  assert.throws(
    () => assert.deepEqual({ secret }, { secret: 1 }),
    (error: Error) => !`${error.message} ${inspect(error)}`.includes("CANARY"),
  );
});

test("a clone of it holds nothing", () => {
  assert.ok(!inspect(structuredClone({ ...secret })).includes("CANARY"));
});

test("length and equality are of the text", () => {
  assert.equal(secret.length, canary.length);
  assert.ok(secret.equals(new Secret(canary)));
  assert.ok(!secret.equals(new Secret(`${canary}x`)));
  assert.ok(!secret.equals(new Secret("")));
});
