// What is kept of a command's output: its head and its tail, whatever pieces it comes in, and never the key.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Capture } from "../../../src/engine/exec/capture.ts";
import { compileScrubber } from "../../../src/engine/scrub.ts";

const limit = { timeout: 60_000 };
const half = 512 * 1024;
const key = "sk_canary_capture_0123456789";
const mark = "[janee:redacted]";
const scrubber = compileScrubber([key]);

/** The same buffer for every piece, as a runtime may do it. */
function captured(text: Buffer, sizes: readonly number[]) {
  const capture = new Capture(scrubber, undefined);
  const reused = Buffer.alloc(Math.max(...sizes));
  for (let at = 0, turn = 0; at < text.length; turn++) {
    const size = Math.min(sizes[turn % sizes.length] ?? 1, text.length - at);
    text.copy(reused, 0, at, at + size);
    capture.push(reused.subarray(0, size));
    at += size;
  }
  return { ...capture.end(), total: capture.bytesOut, redactions: capture.redactions };
}

function numbered(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at++) bytes[at] = 97 + ((at * 31 + (at >> 8)) % 26);
  return bytes;
}

test("up to a megabyte all is kept, beyond it the head and the tail", limit, () => {
  const whole = numbered(6 * half);
  for (const length of [
    0,
    1,
    4095,
    half - 1,
    half,
    half + 1,
    2 * half - 1,
    2 * half,
    2 * half + 1,
    6 * half,
  ]) {
    for (const sizes of [[4096], [180_224], [65_536, 1, 3000], [7 * half], [half], [half + 1]]) {
      const text = whole.subarray(0, length);
      const { bytes, omitted, cutAt, total } = captured(text, sizes);
      const cut = Math.max(0, length - 2 * half);
      assert.deepEqual([omitted, cutAt, total], [cut, Math.min(length, half), length]);
      const kept = Buffer.concat([text.subarray(0, cutAt), text.subarray(cutAt + cut)]);
      assert.ok(bytes.equals(kept), `${length} in pieces of ${sizes}`);
    }
  }
});

test("a key is taken out wherever pieces cut it, and what is like it stays", limit, () => {
  const pieces = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 6 });
  const words = fc.array(fc.constantFrom(key, "harmless ", key.slice(0, -1), "\n", "ä€"), { maxLength: 30 });
  fc.assert(
    fc.property(words, pieces, (said, sizes) => {
      const { bytes, redactions } = captured(Buffer.from(said.join("")), sizes);
      assert.equal(bytes.toString(), said.join("").replaceAll(key, mark));
      assert.equal(redactions, said.filter((word) => word === key).length);
    }),
    { numRuns: 300 },
  );
});
