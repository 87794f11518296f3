// A large message goes out in pieces that are, together, what JSON.stringify makes.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { jsonPieces, largeLength } from "../../../src/surface/mcp/json-pieces.ts";

const limit = { timeout: 60_000 };
const long = 40_000;

/** Texts of all kinds, some of them large: quotes, control characters, halves of characters. */
const text = fc
  .tuple(
    fc.string({ unit: fc.constantFrom("a", '"', "\\", "\n", "\0", "€", "😀", "\ud83d", "\ude00") }),
    fc.boolean(),
  )
  .map(([one, isLarge]) => (isLarge && one.length > 0 ? one.repeat(Math.ceil(long / one.length)) : one));

const value = fc.letrec<{ any: unknown }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    text,
    fc.double(),
    fc.boolean(),
    fc.constantFrom(null, undefined),
    fc.array(tie("any"), { maxLength: 3 }),
    fc.dictionary(text, tie("any"), { maxKeys: 3 }),
  ),
})).any;

test("the pieces are the whole", limit, () => {
  fc.assert(
    fc.property(fc.record({ message: value }), (message) => {
      const pieces = [...jsonPieces(message)];
      assert.equal(pieces.join(""), JSON.stringify(message));
    }),
    { numRuns: 1000 },
  );
});

test("no piece is large, and no character is cut in two", limit, () => {
  for (const one of ["x", "\0", "😀", "\ud83d\ud83d\ude00", "a😀"]) {
    const message = { result: [one.repeat(200_000)] };
    const pieces = [...jsonPieces(message)];
    assert.equal(pieces.join(""), JSON.stringify(message));
    // Each character can become an escape of six.
    assert.ok(pieces.every(({ length }) => length <= 6 * 32 * 1024));
  }
});

test("only long texts count", limit, () => {
  assert.equal(largeLength({ a: ["x".repeat(1000), { b: "y".repeat(30_000) }], c: 1, d: null }), 0);
  assert.equal(largeLength({ a: ["x".repeat(long), { b: "y".repeat(long) }] }), 2 * long);
});
