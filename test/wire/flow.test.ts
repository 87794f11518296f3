// Bytes from a producer that is called back to a consumer that pulls, with back-pressure.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Flow } from "../../src/wire/flow.ts";

function make(highWater?: number): { flow: Flow; calls: string[] } {
  const calls: string[] = [];
  const flow = new Flow({
    setFlowing: (flowing) => calls.push(flowing ? "resume" : "pause"),
    stopped: () => calls.push("stopped"),
    ...(highWater === undefined ? {} : { highWater }),
  });
  return { flow, calls };
}

const bytes = (text: string): Buffer => Buffer.from(text);

async function read(flow: Flow): Promise<string | undefined> {
  const { done, value } = await flow.next();
  return done ? undefined : String(value);
}

test("what was pushed before and after the asking comes out in order, then the end, for ever", async () => {
  const { flow, calls } = make();
  flow.push(bytes("a"));
  flow.push(bytes("b"));
  assert.equal(await read(flow), "a");
  assert.equal(await read(flow), "b");
  const waiting = read(flow);
  flow.push(bytes("c"));
  assert.equal(await waiting, "c");
  flow.push(bytes("d"));
  flow.end();
  flow.push(bytes("never"));
  assert.equal(await read(flow), "d");
  assert.equal(await read(flow), undefined);
  assert.equal(await read(flow), undefined);
  assert.deepEqual(calls, []);
});

test("one who waits is told of the end", async () => {
  const { flow } = make();
  const waiting = read(flow);
  flow.end();
  flow.end();
  assert.equal(await waiting, undefined);
});

test("a failure comes after what arrived before it, and to one who waits at once", async () => {
  const { flow } = make();
  flow.push(bytes("a"));
  flow.fail(new Error("gone"));
  flow.end();
  assert.equal(await read(flow), "a");
  await assert.rejects(read(flow), /gone/);
  await assert.rejects(read(flow), /gone/);
  const other = make().flow;
  const waiting = assert.rejects(read(other), /now/);
  other.fail(new Error("now"));
  await waiting;
  const ended = make().flow;
  ended.end();
  ended.fail(new Error("too late"));
  assert.equal(await read(ended), undefined);
});

test("the producer is paused at the high-water mark, and resumed when all was taken", async () => {
  const { flow, calls } = make(4);
  flow.push(bytes("abc"));
  assert.deepEqual(calls, []);
  flow.push(bytes("d"));
  assert.deepEqual(calls, ["pause"]);
  flow.push(bytes("ef"));
  assert.deepEqual(calls, ["pause"]);
  await read(flow);
  await read(flow);
  assert.deepEqual(calls, ["pause"]);
  await read(flow);
  assert.deepEqual(calls, ["pause", "resume"]);
  flow.push(bytes("ghij"));
  assert.deepEqual(calls, ["pause", "resume", "pause"]);
});

test("what goes straight to one who waits is never counted against the producer", async () => {
  const { flow, calls } = make(1);
  for (let turn = 0; turn < 5; turn++) {
    const waiting = read(flow);
    flow.push(bytes("long enough"));
    assert.equal(await waiting, "long enough");
  }
  assert.deepEqual(calls, []);
});

test("one who stops reading says so, once, and gets nothing more", async () => {
  const { flow, calls } = make();
  flow.push(bytes("a"));
  flow.push(bytes("b"));
  for await (const chunk of flow) {
    assert.equal(String(chunk), "a");
    break;
  }
  assert.deepEqual(calls, ["stopped"]);
  flow.push(bytes("c"));
  assert.equal(await read(flow), undefined);
  await flow.return();
  assert.deepEqual(calls, ["stopped"]);
});

test("one who reads to the end stops nothing", async () => {
  const { flow, calls } = make();
  flow.push(bytes("a"));
  flow.end();
  let text = "";
  for await (const chunk of flow) text += String(chunk);
  await flow.return();
  assert.equal(text, "a");
  assert.deepEqual(calls, []);
});

test("one who stops while waiting is let go", async () => {
  const { flow } = make();
  const waiting = read(flow);
  await flow.return();
  assert.equal(await waiting, undefined);
});
