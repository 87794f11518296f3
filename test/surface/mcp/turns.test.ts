// Who may begin, and when a large answer is made.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { CommandTurns, LargeAnswers, Turns } from "../../../src/surface/mcp/turns.ts";
import { until } from "../../support/wait.ts";

const limit = { timeout: 30_000 };
const { signal } = new AbortController();
const large = 1024 * 1024;

/** Work that has begun, and is ended by hand. */
function work() {
  const open: (() => void)[] = [];
  let begun = 0;
  const one = (): Promise<void> => {
    begun += 1;
    return new Promise((done) => open.push(done));
  };
  return { one, begun: () => begun, end: () => open.shift()?.() };
}

test("so many at once, and the next when one has ended", limit, async () => {
  const { one, begun, end } = work();
  const turns = new Turns(() => false, 2);
  const all = [1, 2, 3].map(() => turns.inTurn(signal, one));
  await sleep(30);
  assert.equal(begun(), 2);
  end();
  await until(5_000, "the third", () => begun() === 3);
  end();
  end();
  await Promise.all(all);
});

test("a command that goes on makes way, and one that fails gives its turn back once", limit, async () => {
  const answers = new LargeAnswers(
    () => false,
    () => {},
  );
  const turns = new CommandTurns(() => false, answers);
  const { one, begun, end } = work();
  const failing = Array.from({ length: 20 }, () =>
    turns.inTurn(signal, () => Promise.reject(new Error("no"))).catch(() => "failed"),
  );
  assert.deepEqual([...new Set(await Promise.all(failing))], ["failed"]);
  const all = Array.from({ length: 20 }, () => turns.inTurn(signal, one));
  await sleep(100);
  assert.equal(begun(), 8);
  await until(15_000, "those that waited for the long ones", () => begun() === 20);
  for (const _ of all) end();
  await Promise.all(all);
});

test(
  "a large answer is made when the one before it has gone out; a small one does not wait",
  limit,
  async () => {
    let writing = false;
    let collected = 0;
    const answers = new LargeAnswers(
      () => writing,
      () => {
        collected += 1;
      },
    );
    const made: number[] = [];
    const make = async (at: number, bytes: number): Promise<void> => {
      await answers.room(bytes, signal);
      made.push(at);
      if (bytes === large) writing = true;
    };
    const all = [make(1, large), make(2, large), make(3, 100)];
    await until(5_000, "the first and the small one", () => made.length === 2);
    assert.deepEqual(made.toSorted(), [1, 3]);
    await sleep(50);
    assert.equal(made.length, 2);
    assert.equal(answers.isWaiting, true);
    writing = false;
    await Promise.all(all);
    assert.deepEqual([made.at(-1), answers.isWaiting, collected], [2, false, 1]);
  },
);

test("a call that was cancelled does not hold up those behind it", limit, async () => {
  const answers = new LargeAnswers(
    () => true,
    () => {},
  );
  const controller = new AbortController();
  const gone = answers.room(large, controller.signal);
  const next = new AbortController();
  const behind = answers.room(large, next.signal);
  controller.abort();
  await gone;
  next.abort();
  await behind;
  assert.equal(answers.isWaiting, false);
});
