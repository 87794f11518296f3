// The handshake is answered before the SDK is there. Whatever is answered so is what the SDK says, byte for byte, and
// once; whatever the SDK would refuse or read otherwise is left to it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SUPPORTED_PROTOCOL_VERSIONS } from "@modelcontextprotocol/server";
import fc from "fast-check";
import { Front } from "../../src/surface/mcp/front.ts";
import { greetingFor, legacyVersions } from "../../src/surface/mcp/greeting.ts";
import { serveLines } from "../../src/surface/mcp/stdio.ts";
import { until } from "../support/wait.ts";

const limit = { timeout: 60_000 };
const version = "1.2.3";
const meta = "io.modelcontextprotocol/";

const clientInfo = { name: "client", version: "1" };
const initialize = (params: object, id: unknown = 0) => ({
  jsonrpc: "2.0",
  id,
  method: "initialize",
  params,
});
const hello = (protocolVersion: unknown, capabilities: unknown = {}, info: unknown = clientInfo) =>
  initialize({ protocolVersion, capabilities, clientInfo: info });
const discover = (protocolVersion: unknown, capabilities: unknown = {}, id: unknown = 0) => ({
  jsonrpc: "2.0",
  id,
  method: "server/discover",
  params: {
    _meta: {
      [`${meta}protocolVersion`]: protocolVersion,
      [`${meta}clientInfo`]: clientInfo,
      [`${meta}clientCapabilities`]: capabilities,
    },
  },
});
const ping = { jsonrpc: "2.0", id: "last", method: "ping" };
const tools = { jsonrpc: "2.0", id: "last", method: "tools/list", params: discover("2026-07-28").params };

const rich = {
  roots: { listChanged: true },
  sampling: { context: {}, tools: {} },
  elicitation: { form: { applyDefaults: true }, url: {} },
  experimental: { one: { two: [1, "three", null, { four: false }] } },
  extensions: { "io.example/ui": { mimeTypes: ["text/html"] } },
};
const richInfo = {
  ...{
    name: "",
    title: "A client",
    version: "",
    description: "für alle 🙂",
    websiteUrl: "https://example.com",
  },
  icons: [{ src: "data:,", mimeType: "image/png", sizes: ["1x1"], theme: "dark" }],
};

const textOf = (message: unknown): string => `${JSON.stringify(message)}\n`;
const frontAnswer = (message: unknown): string | undefined => {
  const greeting = greetingFor(JSON.parse(JSON.stringify(message)), version);
  return greeting && textOf(greeting.answer);
};

/** What a server says to these lines; with the front before it, or alone. It has all been said when `last` was answered. */
async function said(pieces: readonly Uint8Array[], how: { readonly front: boolean }): Promise<string[]> {
  const written: string[] = [];
  let hangUp: () => void = () => {};
  const over = new Promise<void>((done) => {
    hangUp = done;
  });
  const lines = {
    input: (async function* () {
      yield* pieces;
      await over;
    })(),
    write: async (text: string) => void written.push(text),
    collect: () => {},
  };
  const complaints: string[] = [];
  const never = new Promise<never>(() => {});
  const wire = how.front ? new Front(lines, version) : lines;
  const { ended } = serveLines(version, never, wire, (message) => complaints.push(message));
  const isLast = (text: string) => JSON.parse(text).id === "last";
  await until(10_000, "the last answer", () => written.some(isLast));
  hangUp();
  await ended;
  return written;
}

const sdkAnswers = async (message: unknown, last: object = ping): Promise<string[]> => {
  const written = await said([Buffer.from(textOf(message) + textOf(last))], { front: false });
  return written.filter((text) => JSON.parse(text).id !== "last");
};

test("every revision that the SDK knows is answered as the SDK answers it", limit, async () => {
  assert.deepEqual(
    legacyVersions,
    SUPPORTED_PROTOCOL_VERSIONS.filter((one) => one < "2026"),
  );
  for (const one of legacyVersions) {
    for (const message of [hello(one), hello(one, rich, richInfo), { ...hello(one), id: 'a"\u2028🙂' }]) {
      const front = frontAnswer(message);
      assert.ok(front !== undefined, JSON.stringify(message));
      assert.deepEqual(await sdkAnswers(message), [front]);
    }
  }
  for (const message of [
    discover("2026-07-28"),
    discover("2026-07-28", rich),
    discover("2026-07-28", {}, "x"),
  ]) {
    const front = frontAnswer(message);
    assert.ok(front !== undefined, JSON.stringify(message));
    assert.deepEqual(await sdkAnswers(message, tools), [front]);
  }
});

test("what is unknown or malformed is left to the SDK", limit, async () => {
  const strange: unknown[] = [
    ...["1999-01-01", "2026-07-28", "", 1, null, undefined].map((one) => hello(one)),
    ...[null, 1, "x", [], { roots: 1 }, { roots: { listChanged: 1 } }, { sampling: [] }].map((one) =>
      hello("2025-06-18", one),
    ),
    ...[
      { elicitation: true },
      { elicitation: { url: "x" } },
      { experimental: { a: 1 } },
      { unheard: {} },
    ].map((one) => hello("2025-06-18", one)),
    ...[null, "x", {}, { name: "x" }, { name: 1, version: "1" }, { ...clientInfo, icons: {} }].map((one) =>
      hello("2025-06-18", {}, one),
    ),
    initialize({}),
    initialize([]),
    { jsonrpc: "2.0", id: 0, method: "initialize" },
    { jsonrpc: "2.0", method: "initialize", params: hello("2025-06-18").params },
    ...[null, 1.5, 2 ** 60, true, {}].map((id) => ({ ...hello("2025-06-18"), id })),
    { ...hello("2025-06-18"), jsonrpc: "1.0" },
    { ...hello("2025-06-18"), more: 1 },
    initialize({ ...hello("2025-06-18").params, _meta: {} }),
    initialize({ ...hello("2025-06-18").params, ...discover("2026-07-28").params }),
    ...["2025-06-18", "2027-01-01", 1].map((one) => discover(one)),
    { jsonrpc: "2.0", id: 0, method: "server/discover" },
    { ...ping, id: 0 },
    [hello("2025-06-18")],
    "initialize",
    null,
  ];
  for (const message of strange) {
    assert.equal(frontAnswer(message), undefined, JSON.stringify(message));
    const lines = [Buffer.from(textOf(message) + textOf(ping))];
    assert.deepEqual(
      await said(lines, { front: true }),
      await said(lines, { front: false }),
      textOf(message),
    );
  }
});

/** Some member of the message, somewhere in it, is replaced, removed or added. */
function changed(message: unknown, path: readonly number[], value: unknown, how: number): unknown {
  if (typeof message !== "object" || message === null || path.length === 0) return value;
  const entries = Object.entries(message);
  const [at = 0, ...rest] = path;
  const index = at % (entries.length + 1);
  const entry = entries[index];
  if (!entry) entries.push([how === 0 ? "__proto__" : "more", value]);
  else if (how === 1) entries.splice(index, 1);
  else entry[1] = changed(entry[1], rest, value, how);
  return Array.isArray(message) ? entries.map(([, item]) => item) : Object.fromEntries(entries);
}

test("whatever a client writes: what the front answers is what the SDK answers", limit, async () => {
  const message = fc.constantFrom(
    ...[hello("2025-11-25", rich, richInfo), hello("2025-06-18"), discover("2026-07-28", rich)],
  );
  const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom({}, true, "2025-06-18", "2.0", []));
  const path = fc.array(fc.nat(8), { minLength: 1, maxLength: 6 });
  let answered = 0;
  await fc.assert(
    fc.asyncProperty(message, path, value, fc.nat(3), async (whole, where, item, how) => {
      const line = JSON.stringify(changed(whole, where, item, how));
      const front = frontAnswer(JSON.parse(line));
      if (front === undefined) return;
      answered += 1;
      assert.deepEqual(await sdkAnswers(JSON.parse(line), whole.method === "initialize" ? ping : tools), [
        front,
      ]);
    }),
    { numRuns: 1000 },
  );
  assert.ok(answered > 20, `${answered} of the messages were answered`);
});

test("in whatever pieces the lines come, each is answered once", limit, async () => {
  const lines = [
    hello("2025-06-18"),
    hello("2025-06-18"),
    { jsonrpc: "2.0", method: "notifications/initialized" },
  ];
  const bytes = Buffer.from(`${[...lines, { ...ping, id: 1 }, ping].map(textOf).join("")}`);
  const alone = await said([bytes], { front: false });
  assert.equal(alone.length, 4);
  for (const at of [0, 1, 20, bytes.indexOf("\n"), bytes.indexOf("\n") + 1, 300, bytes.length]) {
    const pieces = [bytes.subarray(0, at), bytes.subarray(at)];
    assert.deepEqual(await said(pieces, { front: true }), alone, String(at));
  }
  const garbage = Buffer.concat([
    bytes.subarray(0, bytes.indexOf("\n") + 1),
    Buffer.from("garbage\n\n"),
    bytes,
  ]);
  assert.deepEqual(
    (await said([garbage], { front: true })).sort(),
    (await said([garbage], { front: false })).sort(),
  );
  const crowded = Buffer.concat([Buffer.from(" ".repeat(70_000)), bytes]);
  assert.deepEqual(await said([crowded], { front: true }), alone);
});

test("a client that says nothing, or half a line, is not waited for", limit, async () => {
  for (const text of ["", textOf(hello("2025-06-18")).slice(0, -1)]) {
    const written: string[] = [];
    const lines = {
      input: (async function* () {
        yield Buffer.from(text);
      })(),
      write: async (one: string) => void written.push(one),
      collect: () => {},
    };
    const front = new Front(lines, version);
    await serveLines(version, new Promise(() => {}), front, () => {}).ended;
    assert.deepEqual(written, []);
  }
});

test("input that cannot be read is told to who reads on, and only there", limit, async () => {
  const broken = new Error("no more input");
  const lines = {
    input: { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(broken) }) },
    write: async () => {},
    collect: () => {},
  };
  const front = new Front(lines, version);
  const complaints: string[] = [];
  const { ended } = serveLines(version, new Promise(() => {}), front, (message) => complaints.push(message));
  await front.opened;
  await ended;
  assert.deepEqual(complaints, ["no more input"]);
});

test("an SDK that answered otherwise ends the connection, and its answer is not told", limit, async () => {
  const written: string[] = [];
  const lines = {
    input: (async function* () {
      yield Buffer.from(textOf(hello("2025-06-18")));
      await new Promise(() => {});
    })(),
    write: async (one: string) => void written.push(one),
    collect: () => {},
  };
  const front = new Front(lines, version);
  const reader = front.input[Symbol.asyncIterator]();
  assert.equal(Buffer.from((await reader.next()).value ?? []).toString(), textOf(hello("2025-06-18")));
  const next = reader.next();
  await front.write(textOf({ jsonrpc: "2.0", method: "notifications/message", params: {} }));
  for (const piece of ['{"result":{"content":', '"0"', "null", "\n"]) await front.write(piece);
  await assert.rejects(front.write(textOf({ result: {}, jsonrpc: "2.0", id: 0 })), /two ways/);
  await assert.rejects(next, /two ways/);
  assert.equal(written.length, 6);
  assert.equal(written[0], frontAnswer(hello("2025-06-18")));
});
