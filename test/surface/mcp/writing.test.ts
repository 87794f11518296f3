// One client that does not read its answer does not hold up the answers of others.
import assert from "node:assert/strict";
import { test } from "node:test";
import { LargeAnswers } from "../../../src/surface/mcp/turns.ts";
import { Writing } from "../../../src/surface/mcp/writing.ts";

test("a piece that goes out is waited for, and one that is let lie is not", { timeout: 20_000 }, async () => {
  let now = 0;
  const writing = new Writing(() => now);
  const answers = new LargeAnswers(
    () => writing.isGoingOn,
    () => {},
  );
  const never = new AbortController().signal;
  assert.equal(writing.isGoingOn, false);
  await answers.room(100_000, never);

  const lies = writing.begin();
  let isOut = false;
  const waiting = answers.room(100_000, never).then(() => {
    isOut = true;
  });
  await new Promise((done) => setTimeout(done, 30));
  assert.deepEqual([writing.isGoingOn, isOut], [true, false], "the answer before this one is on its way");
  now = 2_000;
  await waiting;
  assert.equal(writing.isGoingOn, false, "its client does not read");

  const moves = writing.begin();
  assert.equal(writing.isGoingOn, true);
  moves();
  assert.equal(writing.isGoingOn, false);
  lies();
});
