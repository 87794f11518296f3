// MCP over HTTP, byte by byte: who may speak at /mcp, whose sessions and questions are whose, and what is too much.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Answer, type Ask, Client, request, requestBytes, withClient } from "../support/client.ts";
import { readCorpus } from "../support/corpus.ts";
import { residentMebibytes } from "../support/mcp.ts";
import { McpStage } from "../support/mcp-stage.ts";
import { until } from "../support/wait.ts";

const limit = { timeout: 60_000 };
const scene = new McpStage(
  {
    open: "autoApprove: true, rules: [{ allow: GET * }, { ask: POST * }]",
    manual: "rules: [{ allow: GET * }]",
  },
  ["open"],
);
const stage = scene.stage.bind(scene);
after(() => scene.close());

const json = { "Content-Type": "application/json", Accept: "application/json, text/event-stream" };
const envelope = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "raw", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": { elicitation: { form: {} } },
};

/** A call of 2026-07-28. */
function modern(name: string, input: object, more: object = {}): Omit<Ask, "target"> {
  const params = { name, arguments: input, _meta: envelope, ...more };
  return {
    method: "POST",
    headers: { ...json, "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": name },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params }),
  };
}

/** A message of 2025-11-25. */
function legacy(message: object, session?: string): Omit<Ask, "target"> {
  const named =
    session === undefined ? {} : { "Mcp-Session-Id": session, "MCP-Protocol-Version": "2025-11-25" };
  return {
    method: "POST",
    headers: { ...json, ...named },
    body: JSON.stringify({ jsonrpc: "2.0", ...message }),
  };
}

const greeting = {
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "raw", version: "1" } },
};
const listing = legacy({ id: 2, method: "tools/list" });

async function ask(more: Omit<Ask, "target"> & { readonly target?: string }): Promise<Answer> {
  const on = await stage();
  return request(on.port, { target: "/mcp", ...more });
}

interface Result {
  readonly resultType?: string;
  readonly isError?: boolean;
  readonly requestState?: string;
  readonly structuredContent?: { readonly code?: string; readonly status?: number };
}

/** The one JSON-RPC message of an answer, whether it came as JSON or as an event. */
function messageOf(answer: Answer): {
  readonly id?: unknown;
  readonly result?: Result;
  readonly error?: { readonly code: number };
} {
  const data = /^data: (\{.*)$/m.exec(answer.text)?.[1] ?? answer.text;
  return JSON.parse(data) as { id?: unknown; result?: Result; error?: { code: number } };
}

async function initialized(token: string): Promise<string> {
  const answer = await ask({ ...legacy(greeting), token });
  assert.equal(answer.status, 200, answer.text);
  const id = answer.header("mcp-session-id");
  assert.ok(id && id.length >= 22, "a session id that cannot be guessed");
  return id;
}

// MCP-012 and its kin
test("an answer says once whether the connection stays", limit, async () => {
  const token = await scene.token("once");
  const headers = { ...legacy(greeting).headers, Authorization: `Bearer ${token}` };
  for (const [more, expected] of [
    [{ Connection: "close" }, ["close"]],
    [{}, []],
  ] as const) {
    const answer = await ask({ ...legacy(greeting), headers: { ...headers, ...more } });
    assert.equal(answer.status, 200);
    assert.match(answer.header("content-type") ?? "", /event-stream/u);
    const said = answer.fields.filter(([name]) => name.toLowerCase() === "connection");
    assert.deepEqual(
      said.map(([, value]) => value),
      expected,
    );
  }
});

test("only an agent's token opens /mcp, in the one place where it belongs", limit, async () => {
  const on = await stage();
  const token = await scene.token("only");
  const calls = [modern("list_capabilities", {}), listing, { method: "GET", headers: json }];
  const wrong: readonly (readonly [string, Record<string, string>])[] = [
    ["none", {}],
    ["a session's", { Authorization: `Bearer ${on.token("open")}` }],
    ["unknown", { Authorization: `Bearer jna_${"0".repeat(43)}` }],
    ["cut short", { Authorization: `Bearer ${token.slice(0, -1)}` }],
    ["one longer", { Authorization: `Bearer ${token}0` }],
    ["no scheme", { Authorization: token }],
    ["basic", { Authorization: `Basic ${Buffer.from(`x:${token}`).toString("base64")}` }],
    ["two in one", { Authorization: `Bearer ${token}, Bearer ${token}` }],
    ["another header", { "X-Api-Key": token }],
    ["a cookie", { Cookie: `token=${token}` }],
  ];
  for (const call of calls) {
    for (const [name, headers] of wrong) {
      const answer = await ask({ ...call, headers: { ...call.headers, ...headers } });
      assert.equal(answer.status, 401, name);
      assert.match(answer.header("www-authenticate") ?? "", /Bearer/, name);
      assert.equal(answer.error.code, "no_session", name);
    }
    assert.equal((await ask({ ...call, target: `/mcp?token=${token}&access_token=${token}` })).status, 401);
  }
  const twice = await ask({
    ...listing,
    token,
    headers: { ...listing.headers, authorization: `Bearer ${token}` },
  });
  assert.equal(twice.status, 400);
  assert.equal((await ask({ ...modern("list_capabilities", {}), token })).status, 200);
});

// The cases of the corpus that are about pages of other sites, against /mcp.
for (const one of readCorpus().filter(({ group, input }) => group === "web" && input.target === "/mcp")) {
  test(`${one.id} ${one.input.title}`, limit, async () => {
    const on = await stage();
    const token = await scene.token("web");
    const fill = (value: unknown): string => String(value).replaceAll("PORT", String(on.port));
    const headers = Object.fromEntries(
      Object.entries(one.input.headers ?? {}).map(([name, value]) => [name, fill(value)]),
    );
    const { method = "GET" } = one.input;
    const call = modern("request_access", { capability: "open" });
    const body = method === "POST" ? { body: call.body ?? "" } : {};
    const before = on.audit().length;
    const answer = await ask({ method, token, headers: { ...call.headers, ...headers }, ...body });
    assert.equal(answer.status, one.expect.status);
    assert.match(String(answer.error.code), /^foreign_/);
    const never = ["access-control-allow-origin", "access-control-allow-private-network"];
    for (const name of [...never, ...(one.expect.response_headers_absent ?? [])])
      assert.equal(answer.header(name), undefined);
    const lines = on.audit().slice(before);
    assert.ok(!lines.some(({ event }) => event === "session"), "nothing was opened");
    // The twin: the same from here.
    const own = {
      Host: `127.0.0.1:${on.port}`,
      Origin: `http://127.0.0.1:${on.port}`,
      "Sec-Fetch-Site": "same-origin",
    };
    assert.equal((await ask({ ...call, token, headers: { ...call.headers, ...own } })).status, 200);
  });
}

test("no preflight is answered, from wherever it comes", limit, async () => {
  const on = await stage();
  const headers = { Origin: `http://127.0.0.1:${on.port}`, "Access-Control-Request-Method": "POST" };
  for (const token of [undefined, await scene.token("web")]) {
    const answer = await ask({ method: "OPTIONS", headers, token });
    assert.ok(answer.status >= 400);
    assert.ok(!answer.fields.some(([name]) => name.toLowerCase().startsWith("access-control")));
  }
});

test("what is no call is answered as the protocol says, and nothing is done", limit, async () => {
  const on = await stage();
  const seen = on.fresh();
  const token = await scene.token("rough");
  const call = modern("execute", { capability: "open", method: "GET", path: "/v1/x" });
  const text = String(call.body);
  const bodies: readonly (readonly [string, string | Buffer, number])[] = [
    ["nothing", "", 400],
    ["garbage", "garbage", 400],
    ["half", text.slice(0, -3), 400],
    ["two", text + text, 400],
    ["a key twice", text.replace('"path":"/v1/x"', '"path":"/v1/a","path":"/v1/x"'), 400],
    [
      "a key twice, spelt otherwise",
      text.replace('"path":"/v1/x"', '"path":"/v1/a","p\\u0061th":"/v1/x"'),
      400,
    ],
    ["a lone surrogate", text.replace("/v1/x", "/v1/\\ud800"), 400],
    ["invalid UTF-8", Buffer.concat([Buffer.from(text.slice(0, -30)), Buffer.from([0xff, 0xfe])]), 400],
    ["a batch", `[${text},${text}]`, 400],
    ["an empty batch", "[]", 400],
    ["null", "null", 400],
    ["a null id", text.replace('"id":1', '"id":null'), 400],
    ["an object as id", text.replace('"id":1', '"id":{}'), 400],
    ["a list as params", '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}', 400],
    ["a number as method", '{"jsonrpc":"2.0","id":1,"method":7}', 400],
    ["nested without end", text.replace('"/v1/x"', `${"[".repeat(100_000)}${"]".repeat(100_000)}`), 400],
    ["opened without end", "[".repeat(1_000_000), 400],
  ];
  for (const [name, body, status] of bodies) {
    const before = on.audit().length;
    const answer = await ask({ ...call, token, body });
    assert.equal(answer.status, status, `${name}: ${answer.text.slice(0, 200)}`);
    if (/twice|surrogate/u.test(name)) {
      assert.equal(messageOf(answer).id, 1, name);
      const [line, ...more] = on.audit().slice(before);
      assert.deepEqual([line?.code, line?.surface, more], ["bad_arguments", "mcp-http", []], name);
    }
    assert.equal(typeof messageOf(answer).error?.code, "number", name);
  }
  const others: readonly (readonly [string, Omit<Ask, "target">, number])[] = [
    ["PUT", { ...call, method: "PUT" }, 405],
    ["PATCH", { ...call, method: "PATCH" }, 405],
    ["text", { ...call, headers: { ...call.headers, "Content-Type": "text/plain" } }, 415],
    [
      "a form",
      { ...call, headers: { ...call.headers, "Content-Type": "application/x-www-form-urlencoded" } },
      415,
    ],
    ["no type", { ...call, headers: { "MCP-Protocol-Version": "2026-07-28" } }, 415],
    [
      "a version that is not spoken",
      { ...call, headers: { ...call.headers, "MCP-Protocol-Version": "1999-01-01" } },
      400,
    ],
    ["another name in the head", { ...call, headers: { ...call.headers, "Mcp-Name": "explain" } }, 400],
    ["too large", { ...call, body: Buffer.alloc(9_000_000, 32) }, 413],
  ];
  for (const [name, more, status] of others) {
    const answer = await ask({ ...more, token });
    assert.equal(answer.status, status, `${name}: ${answer.text.slice(0, 200)}`);
  }
  assert.deepEqual(seen, []);
  assert.equal(on.serving.stderr(), "", "nothing of this is a bug of ours");
  assert.equal(messageOf(await ask({ ...call, token })).result?.structuredContent?.status, 200);
  assert.equal(seen.length, 1);
});

test("a chunked body is read, and ends where it is too large", limit, async () => {
  const on = await stage();
  on.fresh();
  const token = await scene.token("rough");
  const { body: text = "", headers } = modern("explain", {
    capability: "open",
    method: "GET",
    path: "/v1/x",
  });
  const head = (more: object) =>
    requestBytes(on.port, {
      method: "POST",
      target: "/mcp",
      token,
      headers: { ...headers, "Transfer-Encoding": "chunked", ...more },
    });
  await withClient(on.port, async (client) => {
    client.write(head({}));
    for (const part of [text.slice(0, 7), text.slice(7, 50), text.slice(50)]) {
      client.write(`${part.length.toString(16)}\r\n${String(part)}\r\n`);
    }
    const answer = await client.write("0\r\n\r\n").answer("POST");
    assert.equal(answer.status, 200, answer.text);
  });
  await withClient(on.port, async (client) => {
    client.write(head({}));
    for (let sent = 0; sent < 9 && client.pending.length === 0; sent++) {
      client.write(`100000\r\n${" ".repeat(0x100000)}\r\n`);
    }
    assert.equal((await client.answer("POST")).status, 413);
  });
});

// ---- sessions of the transport

test("an MCP session is its token's alone", limit, async () => {
  const [mine, theirs] = [await scene.token("mine"), await scene.token("theirs")];
  const id = await initialized(mine);
  const calls = [
    legacy({ id: 2, method: "tools/list" }, id),
    legacy({ id: 3, method: "tools/call", params: { name: "list_capabilities", arguments: {} } }, id),
    { method: "GET", headers: { Accept: "text/event-stream", "Mcp-Session-Id": id } },
    { method: "GET", headers: { Accept: "text/event-stream", "Mcp-Session-Id": id, "Last-Event-ID": "x" } },
    { method: "DELETE", headers: { "Mcp-Session-Id": id } },
  ];
  for (const call of calls) {
    const answer = await ask({ ...call, token: theirs });
    assert.equal(answer.status, 404, `${call.method}: ${answer.text}`);
    const unknown = await ask({
      ...call,
      token: theirs,
      headers: { ...call.headers, "Mcp-Session-Id": "x".repeat(32) },
    });
    assert.deepEqual(
      [unknown.status, unknown.text],
      [answer.status, answer.text],
      "no word on whether it exists",
    );
  }
  assert.equal((await ask({ ...legacy({ id: 2, method: "tools/list" }, id), token: mine })).status, 200);
  assert.equal((await ask({ method: "DELETE", headers: { "Mcp-Session-Id": id }, token: mine })).status, 200);
  assert.equal((await ask({ ...legacy({ id: 2, method: "tools/list" }, id), token: mine })).status, 404);
});

// SESS-018: there are no events to replay, to nobody.
test("SESS-018 a stream is not resumed by the id of an event", limit, async () => {
  const on = await stage();
  const [mine, theirs] = [await scene.token("mine"), await scene.token("theirs")];
  const session = await initialized(mine);
  const get = (token: string, id: string) =>
    requestBytes(on.port, {
      target: "/mcp",
      token,
      headers: { Accept: "text/event-stream", "Mcp-Session-Id": id, "Last-Event-ID": "x" },
    });
  const other = await initialized(theirs);
  const client = new Client(on.port);
  try {
    const { status } = await client.write(get(theirs, other)).head();
    if (status === 200) {
      const call = legacy(
        { id: 5, method: "tools/call", params: { name: "list_capabilities", arguments: {} } },
        session,
      );
      assert.equal((await ask({ ...call, token: mine })).status, 200);
      assert.equal(client.content().toString(), "", "events of another's session");
    } else assert.ok(status >= 400);
  } finally {
    client.destroy();
  }
});

// SESS-019: the newest push out the oldest of the same agent, and nobody else's.
test("SESS-019 an agent's MCP sessions are bounded, at its own cost alone", limit, async () => {
  const on = await stage();
  const [many, few] = [await scene.token("many"), await scene.token("few")];
  const kept = await initialized(few);
  const ids: string[] = [];
  for (let made = 0; made < 200; made++) ids.push(await initialized(many));
  const list = (token: string, id: string) => ask({ ...legacy({ id: 2, method: "tools/list" }, id), token });
  assert.equal((await list(many, ids[0] ?? "")).status, 404);
  assert.equal((await list(many, ids.at(-1) ?? "")).status, 200);
  assert.equal((await list(few, kept)).status, 200);
  const memory = residentMebibytes(on.serving.pid);
  assert.ok(memory < 300, `${memory} MiB`);
});

// ---- requestState: what a client of 2026-07-28 has to bring back with a person's answer

const pay = { capability: "open", method: "POST", path: "/v1/pay", body: "1" };
const answered = (state: unknown, decision = "once") => ({
  requestState: state,
  inputResponses: { approval: { action: "accept", content: { decision } } },
});

async function question(token: string, input: object = pay): Promise<string> {
  const { result } = messageOf(await ask({ ...modern("execute", input), token }));
  assert.equal(result?.resultType, "input_required", JSON.stringify(result));
  assert.ok(result?.requestState);
  return result.requestState;
}

test("a requestState is its token's alone, and cannot be made or changed", limit, async () => {
  const on = await stage();
  const seen = on.fresh();
  const [mine, theirs] = [await scene.token("asker"), await scene.token("thief")];
  const state = await question(mine);
  const flipped = (at: number): string => {
    const letter = state[at] === "A" ? "B" : "A";
    return state.slice(0, at) + letter + state.slice(at + 1);
  };
  const forged = [
    flipped(2),
    flipped(Math.floor(state.length / 2)),
    flipped(state.length - 2),
    state.slice(0, -4),
    "",
    "x",
    `${state}x`,
  ];
  for (const [at, wrong] of [...forged, 7, {}].entries()) {
    const answer = await ask({ ...modern("execute", pay, answered(wrong)), token: mine });
    assert.notEqual(messageOf(answer).result?.structuredContent?.status, 200, `forged ${at}`);
  }
  const stolen = await ask({ ...modern("execute", pay, answered(state)), token: theirs });
  assert.notEqual(messageOf(stolen).result?.structuredContent?.status, 200);
  // Without the state there is no answer to anything.
  const loose = await ask({
    ...modern("execute", { ...pay, path: "/v1/loose" }, { inputResponses: answered("").inputResponses }),
    token: mine,
  });
  assert.equal(messageOf(loose).result?.resultType, "input_required");
  assert.deepEqual(seen, []);
  const mineAnswered = messageOf(await ask({ ...modern("execute", pay, answered(state)), token: mine }));
  assert.equal(mineAnswered.result?.structuredContent?.status, 200, JSON.stringify(mineAnswered));
  assert.equal(seen.length, 1);
});

test("a requestState answers once, and only the call that it was given for", limit, async () => {
  const on = await stage();
  const seen = on.fresh();
  const token = await scene.token("replayer");
  const state = await question(token);
  const other = { ...pay, path: "/v1/another", body: "2" };
  const moved = messageOf(await ask({ ...modern("execute", other, answered(state)), token }));
  assert.equal(moved.result?.resultType, "input_required", "a yes to one request is none to another");
  assert.deepEqual(seen, []);
  const first = messageOf(await ask({ ...modern("execute", pay, answered(state)), token }));
  assert.equal(first.result?.structuredContent?.status, 200);
  assert.equal(seen.length, 1);
  const again = messageOf(await ask({ ...modern("execute", pay, answered(state, "this session")), token }));
  assert.equal(again.result?.resultType, "input_required", "a replay is a new question");
  assert.equal(seen.length, 1);
  // A no cannot be turned by a later yes to the same question.
  const second = await question(token, { ...pay, body: "3" });
  const no = messageOf(
    await ask({ ...modern("execute", { ...pay, body: "3" }, answered(second, "deny")), token }),
  );
  assert.equal(no.result?.structuredContent?.code, "approval_declined");
  const turned = messageOf(
    await ask({ ...modern("execute", { ...pay, body: "3" }, answered(second)), token }),
  );
  assert.equal(turned.result?.structuredContent?.code, "approval_declined");
  assert.equal(seen.length, 1);
});

test("a requestState does not live longer than the process that made it", limit, async () => {
  const on = await stage();
  const seen = on.fresh();
  const token = await scene.token("patient");
  const state = await question(token);
  await on.serving.stop();
  on.serving = await on.home.serve();
  const late = await ask({ ...modern("execute", pay, answered(state)), token });
  assert.notEqual(messageOf(late).result?.structuredContent?.status, 200);
  assert.deepEqual(seen, []);
});

test("a client that leaves ends its call, and its request upstream", limit, async () => {
  const on = await stage();
  on.fresh();
  const token = await scene.token("leaver");
  for (const call of ["modern", "legacy"] as const) {
    let gone = false;
    let reached = false;
    on.upstream.answer = (_, exchange) => {
      reached = true;
      void exchange.gone.then(() => {
        gone = true;
      });
    };
    const input = { capability: "open", method: "GET", path: "/v1/x" };
    const asks =
      call === "modern"
        ? modern("execute", input)
        : legacy(
            { id: 7, method: "tools/call", params: { name: "execute", arguments: input } },
            await initialized(token),
          );
    const client = new Client(on.port);
    client.write(requestBytes(on.port, { target: "/mcp", token, ...asks }));
    await until(5_000, "the request", () => reached);
    client.destroy();
    if (call === "modern") await until(3_000, "its end", () => gone);
  }
  on.upstream.answer = (_, exchange) => exchange.send(200, {}, "ok");
  assert.equal((await ask({ ...modern("list_capabilities", {}), token })).status, 200);
});

test("the trail is whole, and no secret is in a file, an answer or a line of any of this", limit, () =>
  scene.assertClean(),
);
