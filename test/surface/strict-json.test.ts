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
