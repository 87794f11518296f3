import assert from "node:assert/strict";
import { test } from "node:test";
import { compileScrubber } from "../../src/engine/scrub.ts";
import { FrameReader, frameBytes } from "../../src/engine/websocket/frames.ts";
import { longestMessage, Messages } from "../../src/engine/websocket/messages.ts";

const canary = "canary-websocket-fragments-0001";

function fromService(): Messages {
  const scrubber = compileScrubber([canary]);
  return new Messages({ fromClient: false, scrubber: () => scrubber, mask: () => new Uint8Array(4) });
}

function fragment(opcode: number, payload: Buffer, isFinal: boolean): Buffer {
  const bytes = frameBytes(opcode, payload);
  if (!isFinal) bytes[0] = (bytes[0] ?? 0) & 0x7f;
  return bytes;
}

function payloads(frames: readonly Buffer[] | number): string[] {
  assert.ok(typeof frames !== "number", `broken: ${String(frames)}`);
  const read = new FrameReader(false, longestMessage).push(Buffer.concat([...frames]));
  assert.ok(typeof read !== "number");
  return read.map(({ payload }) => payload.toString());
}

test("fragments without a byte take no memory, however many they are", () => {
  const messages = fromService();
  assert.deepEqual(messages.push(fragment(1, Buffer.from("a"), false)), []);
  const many = Buffer.concat(Array.from({ length: 50_000 }, () => fragment(0, Buffer.alloc(0), false)));
  messages.push(many);
  // What is garbage goes now and then: the least that was in use tells what is held.
  const leastOf = (rounds: number): number => {
    let least = Number.POSITIVE_INFINITY;
    for (let round = 0; round < rounds; round += 1) {
      assert.deepEqual(messages.push(many), []);
      const { heapUsed, external } = process.memoryUsage();
      least = Math.min(least, heapUsed + external);
    }
    return least;
  };
  const grown = -leastOf(10) + leastOf(80);
  assert.ok(grown < 24 * 1024 * 1024, `${grown} bytes are held for nothing`);
  assert.deepEqual(payloads(messages.push(fragment(0, Buffer.from("z"), true))), ["az"]);
});

test("fragments of one byte are one message, and a credential in them is found", () => {
  const messages = fromService();
  const text = `before ${canary} behind`;
  const parts = [...text].map((letter, at) =>
    fragment(at === 0 ? 1 : 0, Buffer.from(letter), at === text.length - 1),
  );
  assert.deepEqual(payloads(messages.push(Buffer.concat(parts))), ["before [janee:redacted] behind"]);
  assert.equal(messages.redactions, 1);
  assert.deepEqual(payloads(messages.push(fragment(1, Buffer.from("next"), true))), ["next"]);
});

test("a message that is empty, begins empty or has a ping in it is whole", () => {
  const messages = fromService();
  assert.deepEqual(payloads(messages.push(fragment(1, Buffer.alloc(0), true))), [""]);
  const parts = [fragment(2, Buffer.alloc(0), false), fragment(9, Buffer.from("p"), true)];
  assert.deepEqual(payloads(messages.push(Buffer.concat(parts))), ["p"]);
  assert.deepEqual(payloads(messages.push(fragment(0, Buffer.from("x"), true))), ["x"]);
});

test("what begins twice, goes on from nothing or is too long in sum is broken", () => {
  const begun = fromService();
  assert.deepEqual(begun.push(fragment(1, Buffer.alloc(0), false)), []);
  assert.equal(begun.push(fragment(1, Buffer.from("x"), true)), 1002);
  assert.equal(fromService().push(fragment(0, Buffer.from("x"), true)), 1002);
  const half = Buffer.alloc(longestMessage / 2, "x");
  const long = fromService();
  assert.deepEqual(long.push(fragment(1, half, false)), []);
  assert.deepEqual(long.push(fragment(0, half, false)), []);
  assert.equal(long.push(fragment(0, Buffer.from("x"), true)), 1009);
});
