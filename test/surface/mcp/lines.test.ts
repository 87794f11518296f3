// Lines of a client that reads slowly: a large one is never mixed with another.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { LineTransport } from "../../../src/surface/mcp/lines.ts";

const limit = { timeout: 30_000 };

const answer = (id: number, text: string) => ({ jsonrpc: "2.0" as const, id, result: { text } });

test("what is sent while a large line goes out comes after it, whole", limit, async () => {
  let written = "";
  const wire = new LineTransport({
    input: (async function* () {})(),
    write: async (text) => {
      await turn();
      written += text;
    },
    collect: () => {},
  });
  const messages = Array.from({ length: 12 }, (_, id) =>
    answer(id, `${id}\n`.repeat(id % 3 === 0 ? 50_000 : 1)),
  );
  const sent = messages.map((message) => wire.send(message));
  assert.ok(wire.isWriting);
  await Promise.all(sent);
  assert.ok(!wire.isWriting);
  const read = written.split("\n").slice(0, -1);
  assert.deepEqual(
    read.map((line) => JSON.parse(line) as unknown).toSorted((a, b) => idOf(a) - idOf(b)),
    messages,
  );
});

test("a line that breaks off lets go of those that wait for it", limit, async () => {
  let writes = 0;
  const wire = new LineTransport({
    input: (async function* () {})(),
    write: async () => {
      writes += 1;
      await turn();
      if (writes === 3) throw new Error("gone");
    },
    collect: () => {},
  });
  const large = wire.send(answer(1, "x".repeat(500_000)));
  const small = wire.send(answer(2, "y"));
  await assert.rejects(large, /gone/);
  await small;
  assert.ok(!wire.isWriting);
});

function idOf(message: unknown): number {
  return (message as { id: number }).id;
}
