import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { maskLines } from "../../src/engine/masks.ts";

/** As a runner takes them. */
function hidden(text: string, masks: readonly string[]): string {
  const values = masks.map((line) => {
    assert.match(line, /^::add-mask::[^\r\n]+$/);
    const value = line.slice("::add-mask::".length);
    return value.replaceAll("%0A", "\n").replaceAll("%0D", "\r").replaceAll("%25", "%");
  });
  return values
    .sort((one, other) => other.length - one.length)
    .reduce((rest, value) => rest.replaceAll(value, "*"), text);
}

test("a value is hidden wherever it stands in base64, and in its other forms", () => {
  const texts = fc.string({ minLength: 12, maxLength: 60, unit: "grapheme" });
  fc.assert(
    fc.property(texts, fc.string({ maxLength: 8 }), (secret, before) => {
      fc.pre(!/[\r\n]|^-----/.test(secret) && secret.isWellFormed());
      const masks = maskLines([secret]);
      for (const form of [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]) {
        assert.ok(!hidden(`${before}${form}`, masks).includes(form));
      }
      const bytes = Buffer.from(`${before}${secret}`);
      for (const text of [bytes.toString("base64"), bytes.toString("base64url")]) {
        const left = hidden(text, masks).replace(/[*=]/g, "").length;
        // What came before, and at most one digit at each edge that the secret shares with its neighbours.
        assert.ok(
          left <= Math.ceil((Buffer.byteLength(before) * 4) / 3) + 2,
          `${text} → ${hidden(text, masks)}`,
        );
      }
    }),
    { numRuns: 300 },
  );
});

test("a value of several lines is told line by line, but for what frames PEM and what is too short to hide", () => {
  const pem = "-----BEGIN PRIVATE KEY-----\nTUlJRXZRSUJBREFOQmdrcWhraUc5\nabc\n-----END PRIVATE KEY-----\n";
  const masks = maskLines([pem]);
  assert.ok(masks.includes("::add-mask::TUlJRXZRSUJBREFOQmdrcWhraUc5"));
  assert.ok(!masks.some((line) => line.startsWith("::add-mask::-----BEGIN") && !line.includes("\\n")));
  assert.ok(!masks.includes("::add-mask::abc"));
  assert.ok(!hidden(JSON.stringify(pem), masks).includes("TUlJ"));
  assert.deepEqual(maskLines(["abc", ""]), []);
  assert.ok(maskLines(["s3cret"]).includes("::add-mask::s3cret"));
});
