// A client that sends what no client should: answered by the protocol, bounded in memory, and alive for what comes next.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Home, onDeno } from "../support/janee.ts";
import { Lines, type Message, residentMebibytes } from "../support/mcp.ts";
import { McpStage } from "../support/mcp-stage.ts";
import { pause, until } from "../support/wait.ts";

const limit = { timeout: 90_000 };
const mostResident = 300;

const scene = new McpStage({ open: "autoApprove: true, rules: [{ allow: GET * }, { ask: POST * }]" });
const stage = scene.stage.bind(scene);
after(() => scene.close());

const execute = (path: string): object => ({ capability: "open", method: "GET", path });

async function withLines<T>(work: (lines: Lines, home: Home) => Promise<T>, greet = true): Promise<T> {
  const on = await stage();
  on.fresh();
  on.upstream.answer = (_, exchange) => exchange.send(200, { "Content-Type": "text/plain" }, "ok");
  const lines = new Lines(on.home);
  try {
    if (greet) {
      const greeting = await lines.initialize();
      assert.equal(greeting.result?.protocolVersion, "2025-11-25");
      lines.messages.length = 0;
    }
    return await work(lines, on.home);
  } finally {
    assert.deepEqual(lines.strange, [], "stdout has nothing but the protocol");
    await lines.dispose();
  }
}

/** It lives, and does what it is for. */
async function assertAlive(lines: Lines): Promise<void> {
  lines.call("alive", "execute", execute("/v1/alive"));
  const answer = await lines.answer("alive", 20_000);
  assert.equal(
    (answer.result?.structuredContent as { status?: number } | undefined)?.status,
    200,
    JSON.stringify(answer),
  );
  lines.messages.length = 0;
}

const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
const call = JSON.stringify({
  ...{ jsonrpc: "2.0", id: 1, method: "tools/call" },
  params: { name: "execute", arguments: { capability: "open", method: "GET", path: "/v1/x" } },
});
const parseError = -32_700;
const invalidRequest = -32_600;
const invalidParams = -32_602;
const noMethod = -32_601;

const refused: readonly (readonly [name: string, line: string | Buffer, code: number])[] = [
  ["garbage", "garbage", parseError],
  ["half a message", call.slice(0, -5), parseError],
  ["two messages in a line", ping + ping, parseError],
  ["HTTP", "POST / HTTP/1.1", parseError],
  ["a NUL", "\0", parseError],
  ["a byte order mark", `\ufeff${ping}`, parseError],
  ["invalid UTF-8", Buffer.from([0x22, 0xff, 0xfe, 0x22]), parseError],
  ["invalid UTF-8 in a value", Buffer.from(call.replace("/v1/x", "/v1/\u00e9"), "latin1"), parseError],
  ["a lone surrogate", call.replace("/v1/x", "/v1/\\ud800"), parseError],
  ["a lone surrogate in a key", call.replace('"path"', '"\\udc00":1,"path"'), parseError],
  ["a key twice", call.replace('"path":', '"path":"/a","path":'), parseError],
  ["a key twice, spelt otherwise", call.replace('"path":', '"p\\u0061th":"/a","path":'), parseError],
  ["the id twice", ping.replace('"id":1', '"id":1,"id":2'), parseError],
  ["nested without end", call.replace('"/v1/x"', `${"[".repeat(100_000)}${"]".repeat(100_000)}`), parseError],
  [
    "objects nested without end",
    call.replace('"/v1/x"', `${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}`),
    parseError,
  ],
  ["opened without end", "[".repeat(200_000), parseError],
  ["a batch", `[${ping},${ping}]`, invalidRequest],
  ["an empty batch", "[]", invalidRequest],
  ["null", "null", invalidRequest],
  ["a number", "7", invalidRequest],
  ["a string", '"ping"', invalidRequest],
  ["an empty object", "{}", invalidRequest],
  ["another version", ping.replace('"2.0"', '"1.0"'), invalidRequest],
  ["a version that is a number", ping.replace('"2.0"', "2.0"), invalidRequest],
  ["an object as id", ping.replace('"id":1', '"id":{}'), invalidRequest],
  ["a list as id", ping.replace('"id":1', '"id":[1]'), invalidRequest],
  ["true as id", ping.replace('"id":1', '"id":true'), invalidRequest],
  ["a fraction as id", ping.replace('"id":1', '"id":1.5'), invalidRequest],
  ["null as id", ping.replace('"id":1', '"id":null'), invalidRequest],
  ["a number as method", ping.replace('"ping"', "7"), invalidRequest],
  ["no method", '{"jsonrpc":"2.0","id":1}', invalidRequest],
  ["a list as params", ping.replace('"ping"', '"ping","params":[1]'), invalidRequest],
  ["a string as params", ping.replace('"ping"', '"ping","params":"x"'), invalidRequest],
  ["an unknown method", ping.replace('"ping"', '"tools/destroy"'), noMethod],
  ["a method of objects", ping.replace('"ping"', '"__proto__"'), noMethod],
  ["a method that is not offered", ping.replace('"ping"', '"resources/list"'), noMethod],
  ["no name", '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}', invalidParams],
  ["a number as name", '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":7}}', invalidParams],
  ["a list as arguments", call.replace(/"arguments":\{[^}]*\}/, '"arguments":[]'), invalidParams],
  ["a string as arguments", call.replace(/"arguments":\{[^}]*\}/, '"arguments":"x"'), invalidParams],
  ["no arguments", call.replace(/,"arguments":\{[^}]*\}/, ""), invalidParams],
  ["a path that is too long", call.replace("/v1/x", `/${"x".repeat(20_000)}`), invalidParams],
];

// MCP-007, and MCP-008: stdout has nothing but JSON-RPC, here and wherever `withLines` is used.
test(
  "each line that is no call is answered as the protocol says, and the next one is read",
  limit,
  async () => {
    await withLines(async (lines) => {
      const on = await stage();
      for (const [name, line, code] of refused) {
        lines.write(Buffer.from(line as string)).write("\n");
        const answer = await lines
          .next()
          .catch((error: unknown) => assert.fail(`${name}: ${String(error)} ${lines.stderr}`));
        assert.equal(answer.error?.code, code, `${name}: ${JSON.stringify(answer).slice(0, 300)}`);
        const { message = "" } = answer.error ?? {};
        assert.ok(
          message.length < 500 && !/\bat .*:\d+:\d+|\/src\/|\/\$bunfs\//.test(message),
          `${name}: ${message}`,
        );
      }
      assert.deepEqual(on.upstream.seen, []);
      await assertAlive(lines);
      // Blank lines and the line ends of Windows are no mistake; replies to nothing need no answer.
      lines.write("\n\r\n  \n").write(`${ping}\r\n`);
      lines.write(
        '{"jsonrpc":"2.0","id":77,"result":{}}\n{"jsonrpc":"2.0","id":78,"error":{"code":1,"message":"x"}}\n',
      );
      lines.write('{"jsonrpc":"2.0","method":"notifications/nothing"}\n');
      lines.write('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"never"}}\n');
      assert.deepEqual((await lines.answer(1)).result, {});
      await assertAlive(lines);
      assert.equal(lines.stderr, "");
    });
  },
);

test(
  "a call that cannot be read is answered under its id, if that is certain, and is written down",
  limit,
  async () => {
    await withLines(async (lines) => {
      const on = await stage();
      const before = on.audit().length;
      const named = call.replace('"id":1', '"id":"mine"');
      lines.write(
        `${named.replace("/v1/x", "/v1/\\ud83d")}\n${named.replace('"path":', '"path":"/a","path":')}\n`,
      );
      lines.write(`${named.replace('"id":"mine"', '"id":"mine","id":"other"')}\n`);
      const answers = [await lines.next(), await lines.next(), await lines.next()];
      assert.deepEqual(
        answers.map(({ id, error }) => [id, error?.code]),
        [
          ["mine", parseError],
          ["mine", parseError],
          [null, parseError],
        ],
      );
      assert.deepEqual(on.upstream.seen, []);
      const written = () =>
        on
          .audit()
          .slice(before)
          .filter(({ code }) => code === "bad_arguments");
      await until(10_000, "the lines of the trail", () => written().length === 3);
      assert.ok(
        written().every(
          ({ surface, decision, owner }) => surface === "mcp" && decision === "deny" && String(owner),
        ),
      );
      await assertAlive(lines);
    });
  },
);

test("what comes before the greeting, and greetings that are none", limit, async () => {
  await withLines(async (lines) => {
    lines.write(`${call}\n`);
    const early = await lines.next(20_000);
    assert.ok(
      early.error || (early.result as { isError?: boolean }).isError !== false,
      JSON.stringify(early),
    );
    for (const params of [
      undefined,
      {},
      { protocolVersion: 7 },
      { protocolVersion: "2025-11-25", capabilities: [], clientInfo: {} },
    ]) {
      lines.messages.length = 0;
      lines.send({
        jsonrpc: "2.0",
        id: "odd",
        method: "initialize",
        ...(params === undefined ? {} : { params }),
      });
      assert.ok((await lines.next()).error, JSON.stringify(params));
    }
    lines.messages.length = 0;
    await lines.initialize();
    await assertAlive(lines);
  }, false);
});

test("ids: zero, negative, long, odd, and one used twice", limit, async () => {
  await withLines(async (lines) => {
    const ids = [0, -1, Number.MAX_SAFE_INTEGER, "", "a".repeat(1000), "__proto__", "\u202e", "0"];
    for (const id of ids) lines.send({ jsonrpc: "2.0", id, method: "ping" });
    for (const id of ids) assert.deepEqual((await lines.answer(id)).result, {}, String(id));
    lines.messages.length = 0;
    const on = await stage();
    on.upstream.answer = async (_, exchange) => {
      await pause(50);
      exchange.send(200, {}, "ok");
    };
    for (let turn = 0; turn < 3; turn++) lines.call("same", "execute", execute("/v1/x"));
    await until(10_000, "an answer for each", () => lines.messages.length >= 3);
    await assertAlive(lines);
  });
});

// MCP-006
test("100 MB without a newline: memory is bounded, and the next line is answered", limit, async () => {
  await withLines(async (lines) => {
    const block = Buffer.alloc(1_000_000, "x");
    let most = 0;
    for (let sent = 0; sent < 100; sent++) {
      await lines.flush(block);
      most = Math.max(most, residentMebibytes(lines.pid));
    }
    lines.write("\n");
    const answer = await lines.next(20_000);
    assert.equal(answer.error?.code, invalidRequest);
    assert.match(answer.error?.message ?? "", /8388608/);
    most = Math.max(most, residentMebibytes(lines.pid));
    assert.ok(most < mostResident, `${most} MiB resident`);
    await assertAlive(lines);
    // Many small pieces are no other line.
    for (const byte of `${ping}\n`) await lines.flush(Buffer.from(byte));
    assert.deepEqual((await lines.answer(1)).result, {});
    // The longest line that is one: a body of nearly 8 MiB.
    const on = await stage();
    on.fresh();
    lines.call("large", "execute", { ...execute("/v1/x"), body: "b".repeat(7_900_000) });
    const large = await lines.answer("large", 30_000);
    assert.match(JSON.stringify(large.result?.structuredContent), /"status":200/);
    assert.equal(on.upstream.seen[0]?.body.length, 7_900_000);
  });
});

test(
  "thousands of calls at once: each is answered, what is too much is told to come back",
  limit,
  async () => {
    await withLines(async (lines) => {
      const on = await stage();
      on.upstream.answer = async (_, exchange) => {
        await pause(20);
        exchange.send(200, {}, "ok");
      };
      const count = 3_000;
      for (let at = 0; at < count; at++) lines.call(at, "execute", execute(`/v1/${at}`));
      await until(60_000, "all answers", () => lines.messages.length >= count);
      assert.equal(new Set(lines.messages.map(({ id }) => id)).size, count);
      const told = (message: Message): string => {
        const content = message.result?.structuredContent as { status?: number; code?: string } | undefined;
        return String(content?.status ?? content?.code ?? message.error?.code);
      };
      const kinds = [...new Set(lines.messages.map(told))].sort();
      assert.ok(
        kinds.includes("200") && kinds.every((kind) => ["200", "too_busy"].includes(kind)),
        kinds.join(", "),
      );
      assert.ok(lines.messages.filter((message) => told(message) === "200").length >= 1_000);
      const memory = residentMebibytes(lines.pid);
      assert.ok(memory < mostResident, `${memory} MiB resident`);
      await assertAlive(lines);
    });
  },
);

test("a client that does not read: memory is bounded, and a revocation still holds", limit, async () => {
  const on = await stage();
  const seen = on.fresh();
  on.upstream.answer = (_, exchange) =>
    exchange.send(200, { "Content-Type": "text/plain" }, "y".repeat(200_000));
  const lines = new Lines(on.home, { silent: true });
  try {
    lines.send({
      jsonrpc: "2.0",
      id: "init",
      method: "initialize",
      params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "deaf", version: "1" } },
    });
    for (let at = 0; at < 5_000; at++) lines.call(at, "execute", execute(`/v1/deaf/${at}`));
    // Deno writes to a pipe that is full with the whole process waiting: there is nothing to see then.
    if (!onDeno) await until(20_000, "some requests", () => seen.length > 10);
    let most = 0;
    for (let look = 0; look < 60; look++) {
      most = Math.max(most, residentMebibytes(lines.pid));
      await pause(50);
    }
    assert.ok(most < mostResident, `${most} MiB resident`);
    await on.home.do(["revoke", "--all"]);
    const before = seen.length;
    await pause(300);
    assert.equal(seen.length, before, "requests after the revocation");
    await on.home.json(["grant", "open"], { env: { JANEE_UNATTENDED: "1" } });
    lines.end();
    lines.listen();
    await lines.untilEnded(20_000);
    assert.deepEqual(lines.strange, []);
  } finally {
    await lines.dispose();
  }
});

test("the trail is whole, and no secret is in a file, an answer or a line of any of this", limit, () =>
  scene.assertClean(),
);
