// What is judged, shown and sent is one reading of the text: whatever could be read in two ways is refused.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readStrictJson } from "../../src/surface/mcp/strict-json.ts";

const limit = { timeout: 60_000 };
const read = (text: string) => readStrictJson(Buffer.from(text));
const problemOf = (text: string) => {
  const outcome = read(text);
  return "problem" in outcome ? outcome.problem : undefined;
};

test("JSON is read as JSON.parse reads it, however it is spaced", limit, () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: "binary" }), fc.constantFrom(0, 1, "\t"), (value, indent) => {
      const text = JSON.stringify(value, undefined, indent);
      if (!text.isWellFormed() || /\\ud[89a-f]/i.test(text)) return;
      assert.deepEqual(read(text), { value: JSON.parse(text) });
    }),
  );
});

test("a key that stands twice in one object is refused, and one that stands in two is not", limit, () => {
  const twice = "a key stands twice in one object";
  assert.equal(problemOf('{"a":1,"a":2}'), twice);
  assert.equal(problemOf('{"a" \n:1,"\\u0061"\t:2}'), twice);
  assert.equal(problemOf('[{"x":{"a":1,"b":{"c":1,"c":2}}}]'), twice);
  assert.equal(problemOf('{"__proto__":1,"__proto__":2}'), twice);
  assert.equal(problemOf('{"a":{"a":{"a":[{"a":1},{"a":2}]}}}'), undefined);
  assert.equal(problemOf('{"a":"\\"b\\": 1, \\"b\\": 2","c":"\\\\"}'), undefined);
});

test("what is refused keeps the id that can be told, and no id that could be another", limit, () => {
  const idOf = (text: string) => (read(text) as { id?: unknown }).id;
  assert.equal(idOf('{"id":7,"params":{"id":8,"a":1,"a":2}}'), 7);
  assert.equal(idOf('{"params":["\\ud83d",{"id":9}],"i\\u0064" : "x"}'), "x");
  assert.equal(idOf(`{"id":3,"a":${"[".repeat(300)}${"]".repeat(300)}}`), 3);
  for (const text of [
    '{"id":1,"id":2}',
    '{"id":1,"\\u0069d":1}',
    '{"a":1,"a":2,"params":{"id":1}}',
    '{"id":"\\ud800"}',
    '{"id":{},"a":1,"a":1}',
    '{"id":1.5,"a":1,"a":1}',
    '[{"id":1,"a":1,"a":1}]',
    '{"id":1,"a":',
  ]) {
    assert.equal(idOf(text), undefined, text);
    assert.ok(problemOf(text), text);
  }
});

test("a long string full of escapes is no duplicate key", limit, () => {
  const text = JSON.stringify({ body: '{"a\\":"x",'.repeat(300_000), path: "/" });
  assert.equal(problemOf(text), undefined);
  assert.equal(problemOf(`{"path":"",${text.slice(1)}`), "a key stands twice in one object");
});

test("bytes that are no UTF-8, lone surrogates and what is no JSON are refused", limit, () => {
  assert.deepEqual(readStrictJson(Uint8Array.of(0x22, 0xff, 0x22)), { problem: "not valid UTF-8" });
  assert.equal(problemOf('{"a":"\\ud800"}'), "a lone surrogate in a string");
  assert.equal(problemOf('{"\\udc00":1}'), "a lone surrogate in a string");
  assert.equal(problemOf('{"a":"\\ud83d\\ude00"}'), undefined);
  for (const text of ["", "{", '"a', '"\\', "{'a':1}", '{"a":1}}', "NaN"]) {
    assert.equal(problemOf(text), "not valid JSON");
  }
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
