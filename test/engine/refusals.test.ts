// A flood of bad requests is not a flood of audit lines.
import assert from "node:assert/strict";
import { test } from "node:test";
import { RefusalMeter } from "../../src/engine/refusals.ts";

function lines(meter: RefusalMeter, peer: string, now: number, tries: number): number {
  let taken = 0;
  for (let at = 0; at < tries; at++) if (meter.takesLine(peer, now)) taken += 1;
  return taken;
}

test("a hundred refusals a minute of one peer get a line each, the rest are counted", () => {
  const meter = new RefusalMeter();
  assert.equal(lines(meter, "a", 0, 100), 100);
  assert.deepEqual(meter.drain(), []);
  assert.equal(lines(meter, "a", 59_999, 7), 0);
  assert.deepEqual(meter.drain(), [{ peer: "a", count: 7 }]);
  assert.deepEqual(meter.drain(), []);
});

test("after a minute there are lines again, and nothing that was counted is lost", () => {
  const meter = new RefusalMeter();
  lines(meter, "a", 0, 103);
  assert.equal(lines(meter, "a", 60_000, 101), 100);
  assert.deepEqual(meter.drain(), [{ peer: "a", count: 4 }]);
});

test("one peer's flood takes no line from another", () => {
  const meter = new RefusalMeter();
  lines(meter, "a", 0, 1_000);
  assert.equal(lines(meter, "b", 0, 50), 50);
  assert.equal(lines(meter, "c", 0, 101), 100);
  assert.deepEqual(meter.drain(), [
    { peer: "a", count: 900 },
    { peer: "c", count: 1 },
  ]);
});

test("counts are kept for peers beyond number, so that none of their refusals goes unsaid", () => {
  const meter = new RefusalMeter();
  lines(meter, "flood", 0, 105);
  let taken = 0;
  for (let peer = 0; peer < 10_000; peer++) taken += lines(meter, `p${peer}`, 0, 1);
  assert.equal(taken, 10_000);
  assert.deepEqual(meter.drain(), [{ peer: "flood", count: 5 }]);
});
