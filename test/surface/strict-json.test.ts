// JSON that could be read in two ways is refused; JSON that cannot is not, however long its strings are.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readStrictJson } from "../../src/surface/mcp/strict-json.ts";

const limit = { timeout: 60_000 };

function read(text: string): unknown {
  return readStrictJson(Buffer.from(text));
}

test("whatever JSON.stringify writes is read as it was", limit, () => {
  const value = fc.jsonValue({ maxDepth: 6 });
  fc.assert(
    fc.property(value, fc.nat(3), (given, indent) => {
      const text = JSON.stringify(given, undefined, indent);
      assert.deepEqual(read(text), { value: JSON.parse(text) });
    }),
    { numRuns: 2_000 },
  );
});

test("a key that stands twice is found, whatever stands between and however it is spelt", limit, () => {
  const key = fc.string({ maxLength: 5 });
  fc.assert(
    fc.property(key, fc.jsonValue(), fc.jsonValue(), fc.boolean(), (name, first, second, escaped) => {
      const spelt = [...name].map((unit) => unit.charCodeAt(0));
      const other = escaped
        ? `"${spelt.map((code) => `\\u${code.toString(16).padStart(4, "0")}`).join("")}"`
        : JSON.stringify(name);
      const text = `[{${JSON.stringify(name)}: ${JSON.stringify(first)}, "\\"x": "a\\\\", ${other} : ${JSON.stringify(second)}}]`;
      const found = read(text) as { problem?: string };
      assert.match(found.problem ?? "", /twice/, text);
    }),
    { numRuns: 1_000 },
  );
});

// A RegExp for strings once gave up on these, and took what followed for keys.
test("strings of megabytes hide no key and make none", limit, () => {
  for (const long of [
    "z".repeat(6_000_000),
    '\n"'.repeat(1_500_000),
    "\\".repeat(2_000_000),
    '":'.repeat(1_000_000),
  ]) {
    const text = JSON.stringify({ a: long, b: { c: 1 } });
    assert.deepEqual(Object.keys(read(text) as object), ["value"]);
    assert.match((read(text.replace('"c":1', '"c":1,"c":2')) as { problem: string }).problem, /twice/);
  }
});

test("as deep as anyone needs, and no deeper", limit, () => {
  const nested = (depth: number): string => `${"[".repeat(depth)}${"]".repeat(depth)}`;
  assert.ok("value" in (read(nested(200)) as object));
  for (const depth of [300, 10_000, 1_000_000])
    assert.ok("problem" in (read(nested(depth)) as object), String(depth));
});
