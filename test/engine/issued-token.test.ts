// What whoever issues tokens may say, and what not.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Tokens } from "../../src/engine/credential/tokens.ts";
import { Failure } from "../../src/engine/failure.ts";
import { Secret } from "../../src/engine/secret.ts";

test("a token that would end its header, or is none, is refused without being shown", async () => {
  const obtain = async (text: string) => {
    const tokens = new Tokens(() => 0);
    return tokens.obtain("s", [], async () => ({ secret: new Secret(text), expiresAt: 3_600_000 }));
  };
  for (const text of ["fake-a\r\nX-Evil: 1", "fake a", "fake-\u20ac", "fake-\0", ""]) {
    const refused = await obtain(text);
    assert.ok(refused instanceof Failure, JSON.stringify(text));
    assert.equal(refused.code, "credential_failed");
    assert.doesNotMatch(JSON.stringify(refused), /fake-/);
  }
  const good = await obtain("ghs_fake-a.b~c+d/e==");
  assert.ok(!(good instanceof Failure));
  assert.equal(good.token.secret.reveal(), "ghs_fake-a.b~c+d/e==");
});
