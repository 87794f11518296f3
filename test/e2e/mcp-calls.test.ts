// `execute` in its parts: what is sent, what comes back, how far it may go, and what is written down about it.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Line } from "../support/janee.ts";
import { eras, verdict } from "../support/mcp.ts";
import { faces, McpStage } from "../support/mcp-stage.ts";
import type { Exchange } from "../support/upstream.ts";
import { pause, until, within } from "../support/wait.ts";

const limit = { timeout: 60_000 };
const mebibyte = 1024 * 1024;

const scene = new McpStage({
  open: "autoApprove: true",
  reads: "autoApprove: true, rules: [{ allow: GET * }, { deny: DELETE * }]",
  told: "autoApprove: true, rules: [{ allow: GET * }, { ask: POST * }]",
});
const everywhere = scene.everywhere.bind(scene);
const stage = scene.stage.bind(scene);
after(() => scene.close());

const send = (body: unknown, more: object = {}) => ({ method: "POST", body, ...more });

everywhere("a query is encoded, a list repeats, and what the path has already stays", async (on, agent) => {
  const query = { a: ["1", "two words"], b: "ä&=#?", n: 3, yes: true, "odd key": "%41", constructor: "c" };
  await agent.execute("open", "/v1/x?first=1", { query });
  const expected =
    "first=1&a=1&a=two%20words&b=%C3%A4%26%3D%23%3F&n=3&yes=true&odd%20key=%2541&constructor=c";
  assert.equal(on.upstream.seen[0]?.target, `/v1/x?${expected}`);
  await agent.execute("open", "/v1/x", { query: {} });
  assert.equal(on.upstream.seen[1]?.target, "/v1/x");
  // What a query cannot say in a path, it cannot say here either.
  assert.equal(
    verdict(await agent.execute("open", "/v1/x", { query: { _method: "DELETE" } })),
    "query_ambiguous",
  );
  assert.equal(on.upstream.seen.length, 2);
});

everywhere("a body is sent as it is meant: text, JSON, JSON in text, bytes", async (on, agent) => {
  const bodies: readonly (readonly [unknown, object, string, string])[] = [
    ["plain words", {}, "plain words", "text/plain; charset=utf-8"],
    [{ a: [1, null, "é"] }, {}, '{"a":[1,null,"é"]}', "application/json"],
    ['{ "a": 1 }', {}, '{ "a": 1 }', "application/json"],
    ["<x/>", { headers: { "content-type": "text/xml" } }, "<x/>", "text/xml"],
    [7, {}, "7", "application/json"],
    [null, {}, "null", "application/json"],
  ];
  for (const [body, more, bytes, type] of bodies) {
    on.fresh();
    assert.equal(verdict(await agent.execute("open", "/v1/x", send(body, more))), "200");
    const [seen] = on.upstream.seen;
    assert.equal(seen?.body.toString(), bytes);
    assert.deepEqual(seen?.values("content-type"), [type]);
    assert.deepEqual(seen?.values("content-length"), [String(Buffer.byteLength(bytes))]);
  }
  const raw = Buffer.from([0, 255, 1, 254, 10, 13]);
  on.fresh();
  const sent = send(raw.toString("base64"), { encoding: "base64", headers: { "Content-Type": "image/x" } });
  assert.equal(verdict(await agent.execute("open", "/v1/x", sent)), "200");
  assert.deepEqual(on.upstream.seen[0]?.body, raw);
  on.fresh();
  for (const wrong of ["AA", "A===", "not base64!", { a: 1 }, "AAAA\n"]) {
    const told = await agent.execute("open", "/v1/x", send(wrong, { encoding: "base64" }));
    assert.equal(verdict(told), "bad_arguments", JSON.stringify(wrong));
  }
  assert.deepEqual(on.upstream.seen, []);
});

everywhere("headers: the agent's own go, those that choose identity do not", async (on, agent) => {
  const headers = {
    "X-Kept": "1",
    Authorization: "Bearer mine",
    "X-Forwarded-For": "1.2.3.4",
    Cookie: "a=b",
  };
  assert.equal(verdict(await agent.execute("open", "/v1/x", { headers })), "200");
  const [seen] = on.upstream.seen;
  assert.deepEqual(seen?.values("x-kept"), ["1"]);
  assert.equal(seen?.values("authorization").length, 1);
  for (const gone of ["x-forwarded-for", "cookie"]) assert.deepEqual(seen?.values(gone), [], gone);
  assert.ok(!seen?.head.includes("mine"));
  for (const [name, value, code] of [
    ["X-HTTP-Method-Override", "DELETE", "method_override"],
    ["X Y", "1", "bad_header_name"],
    ["X-A", "b\r\nX-Evil: 1", "bad_header_value"],
    ["__proto__", "1", "200"],
  ] as const) {
    const told = await agent.execute("open", "/v1/x", {
      headers: JSON.parse(`{${JSON.stringify(name)}:${JSON.stringify(value)}}`),
    });
    assert.equal(verdict(told), code, name);
  }
});

everywhere("an answer: text as text, bytes as base64, repeated headers as a list", async (on, agent) => {
  on.upstream.answer = (_, exchange) =>
    exchange.write(
      "HTTP/1.1 201 Made\r\nX-A: 1\r\nX-A: 2\r\nSet-Cookie: a=b\r\nContent-Length: 3\r\n\r\n\xe2\x82\xac",
    );
  const text = await agent.execute("open", "/v1/x");
  assert.equal(text.content.status, 201);
  assert.equal(text.content.body, "€");
  const headers = text.content.headers as Record<string, unknown>;
  assert.deepEqual([headers["x-a"], headers["set-cookie"]].flat(), ["1", "2", undefined]);
  assert.equal(text.content.encoding, undefined);
  const raw = Buffer.from([0x89, 0x50, 0, 255, 254, 1, 2, 3]);
  on.upstream.answer = (_, exchange) => exchange.send(200, { "Content-Type": "image/png" }, raw);
  const binary = await agent.execute("open", "/v1/x");
  assert.equal(binary.content.encoding, "base64");
  assert.deepEqual(Buffer.from(String(binary.content.body), "base64"), raw);
  on.upstream.answer = (_, exchange) => exchange.send(404, {}, "");
  const none = await agent.execute("open", "/v1/x");
  assert.deepEqual([verdict(none), none.content.body], ["404", ""], "an answer of the service is no refusal");
});

everywhere(
  "a large answer is cut, with a mark, between characters, and the rest is not fetched",
  async (on, agent) => {
    let exchange: Exchange | undefined;
    on.upstream.answer = async (_, made) => {
      exchange = made;
      made.begin(200, { "Content-Type": "text/plain", "Transfer-Encoding": "chunked" });
      const piece = Buffer.from(`x${"€".repeat(64 * 1024)}`);
      for (let at = 0; at < 2_000 && !made.isGone; at++) {
        made.chunk(piece);
        await pause(2);
      }
    };
    const long = await agent.execute("open", "/v1/x");
    assert.equal(long.content.truncated, true);
    assert.equal(long.content.bodyBytes, mebibyte);
    const body = String(long.content.body);
    assert.match(body.slice(-60), /\[janee: cut after 1048576 bytes\]$/);
    assert.ok(!body.includes("�"));
    assert.equal(long.content.encoding, undefined);
    await within(
      5_000,
      exchange?.gone ?? Promise.reject(new Error("nothing came")),
      "the end of the upstream's request",
    );
    // The twin: exactly as much as may be shown is whole.
    on.upstream.answer = (_, made) => made.send(200, {}, "y".repeat(mebibyte));
    const whole = await agent.execute("open", "/v1/x");
    assert.deepEqual([String(whole.content.body).length, whole.content.truncated], [mebibyte, undefined]);
  },
);

everywhere("a long answer tells how far it has come, to those who asked", async (on, agent) => {
  on.upstream.answer = async (_, exchange) => {
    exchange.begin(200, { "Content-Type": "text/event-stream", "Transfer-Encoding": "chunked" });
    for (let at = 0; at < 8; at++) {
      exchange.chunk(`data: ${"x".repeat(100)}\n\n`);
      await pause(100);
    }
    exchange.write("0\r\n\r\n");
  };
  const steps: number[] = [];
  const told = await agent.call(
    "execute",
    { capability: "open", method: "GET", path: "/v1/x" },
    { onprogress: ({ progress }) => void steps.push(progress) },
  );
  assert.equal(verdict(told), "200");
  assert.ok(steps.length >= 2, `steps: ${steps.join(", ")}`);
  assert.deepEqual(
    steps,
    [...steps].sort((a, b) => a - b),
  );
});

// MCP-011
everywhere(
  "a call that is cancelled ends its request upstream, and the trail says so",
  async (on, agent, face, era) => {
    const path = `/v1/never-${face}-${era}`;
    let exchange: Exchange | undefined;
    on.upstream.answer = (_, made) => {
      exchange = made;
    };
    const controller = new AbortController();
    const call = agent.call(
      "execute",
      { capability: "open", method: "GET", path },
      { signal: controller.signal },
    );
    const made = await until(5_000, "the request", () => exchange);
    controller.abort();
    assert.ok((await call).isError);
    await within(2_000, made.gone, "the end of the upstream's request");
    const line = await until(5_000, "its line", () =>
      on.audit().find((one) => one.event === "response" && one.path === path),
    );
    assert.deepEqual([line.outcome, line.code], ["failed", "client_closed"]);
    on.upstream.answer = (_, made) => made.send(200, {}, "ok");
    assert.equal(verdict(await agent.execute("open", "/v1/after")), "200");
  },
);

everywhere("many calls at once are each answered with their own answer", async (on, agent) => {
  on.upstream.answer = async (seen, exchange) => {
    await pause(Number(seen.target.slice(-1)) * 5);
    exchange.send(200, {}, seen.target);
  };
  const paths = Array.from({ length: 100 }, (_, at) => `/v1/${at}`);
  const told = await Promise.all(paths.map((path) => agent.execute("open", path)));
  assert.deepEqual(
    told.map(({ content }) => content.body),
    paths,
  );
});

test("two processes at once: each its own owner, both on the same trail", limit, async () => {
  const on = await stage();
  on.fresh();
  const both = [
    await scene.connect("stdio", { era: "legacy" }),
    await scene.connect("stdio", { era: "modern" }),
  ];
  const calls = both.flatMap((agent, at) =>
    Array.from({ length: 40 }, (_, turn) => agent.execute("open", `/v1/two/${at}/${turn}`)),
  );
  assert.deepEqual([...new Set((await Promise.all(calls)).map(verdict))], ["200"]);
  const lines = on
    .audit()
    .filter((line) => line.event === "response" && String(line.path).startsWith("/v1/two/"));
  assert.equal(lines.length, 80);
  for (const at of [0, 1]) {
    const mine = lines.filter((line) => String(line.path).startsWith(`/v1/two/${at}/`));
    assert.equal(new Set(mine.map(({ owner }) => owner)).size, 1);
    assert.equal(new Set(mine.map(({ session }) => session)).size, 1);
  }
  assert.equal(new Set(lines.map(({ owner }) => owner)).size, 2);
});

everywhere("the trail says who, why, by which rule and with what end", async (on, agent, face, era) => {
  const before = on.home.auditText().length;
  const linesOf = (): Line[] =>
    on.home
      .auditText()
      .slice(before)
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Line);
  await agent.execute("told", "/v1/x?q=1", { reason: "the user\u202e asked\u001b[2K" });
  await agent.execute("told", "/v1/pay", send({ n: 1 }, { reason: "to pay" }));
  await agent.execute("told", "/v1/x", { method: "DELETE", reason: "to delete" });
  await agent.call("request_access", { capability: "nothing" });
  const surface = face === "stdio" ? "mcp" : "mcp-http";
  const lines = linesOf();
  const opened = lines.find(({ event }) => event === "session");
  assert.deepEqual(
    [opened?.surface, opened?.outcome, opened?.capability, opened?.decision],
    [surface, "opened", "told", "allow"],
  );
  const [first, second] = lines.filter(({ event }) => event === "response");
  const agentName = face === "stdio" ? "tester" : era;
  for (const line of [first, second]) {
    assert.deepEqual(
      [line?.surface, line?.agent, line?.session, line?.owner],
      [surface, agentName, opened?.session, opened?.owner],
    );
    assert.deepEqual([line?.status, line?.outcome, line?.service], [200, "ok", "up"]);
  }
  assert.match(String(first?.owner), face === "stdio" ? /^mcp:[a-z0-9]{8}$/ : /^agent:[a-z0-9]{8}$/);
  assert.deepEqual(
    [first?.decision, first?.rule, first?.path, first?.query],
    ["allow", "allow: GET *", "/v1/x", "q=1"],
  );
  assert.deepEqual([second?.decision, second?.rule, second?.reason], ["approved", "ask: POST *", "to pay"]);
  const raw = on.home.auditText().slice(before);
  assert.ok(!/[\u001b\u202e]/.test(raw), "what an agent wrote does not restyle a terminal");
  const answered = lines.filter(({ event }) => event === "approval");
  assert.deepEqual(
    answered.map(({ outcome }) => outcome),
    ["asked", "approved"],
  );
  assert.match(String(answered[1]?.message), /client/);
  // The request that a person was asked about has a line for the asking, and its own two when it was sent.
  const refused = lines.filter(({ outcome, code }) => outcome === "refused" && code !== "approval_pending");
  assert.deepEqual(
    refused.map(({ code, reason, decision, surface: at }) => [code, reason, decision, at]),
    [
      ["rule_denied", "to delete", "deny", surface],
      ["unknown_capability", undefined, "deny", surface],
    ],
  );
});

// MCP-001: a call that is malformed is an error of the protocol, and is written down.
everywhere(
  "arguments that are not asked for, or are of another kind, are refused as the protocol says",
  async (on, agent) => {
    const before = on.audit().length;
    const wrong: readonly (readonly [string, object])[] = [
      ["execute", { rules: ["allow: *"], baseUrl: "https://evil" }],
      ["execute", { capability: "open", method: "GET", path: "/v1/x", baseUrl: "https://evil" }],
      ["execute", { capability: ["open"], method: "GET", path: "/v1/x" }],
      ["execute", { capability: "open", method: 1, path: "/v1/x" }],
      ["execute", { capability: "open", method: "GET", path: null }],
      ["execute", { capability: "open", method: "GET", path: "/v1/x", query: { constructor: {} } }],
      ["execute", { capability: "open", method: "GET", path: "/v1/x", headers: [] }],
      ["execute", { capability: "open", method: "GET", path: "/v1/x", query: [1] }],
      ["execute", { capability: "open", method: "GET", path: "/v1/x", query: { a: { b: 1 } } }],
      ["execute", { capability: "open", method: "GET", path: "/v1/x", headers: { a: 1 } }],
      ["execute", { capability: "open", method: "GET", path: "/v1/x", encoding: "hex" }],
      ["execute", { capability: "open", method: "GET", path: "/v1/x", reason: "r".repeat(2001) }],
      ["request_access", { capability: "open", ttl: "24h" }],
      ["request_access", {}],
      ["end_session", { session: 1 }],
      ["list_capabilities", { all: true }],
      ["exec", { capability: "open" }],
      ["exec", { capability: "open", command: "id" }],
      ["exec", { capability: "open", command: ["id"], env: {} }],
      ["approve", { id: "x" }],
      ["__proto__", {}],
      ["constructor", {}],
    ];
    for (const [name, input] of wrong) {
      const told = await agent.call(name, { ...input });
      assert.equal(verdict(told), "protocol -32602", `${name} ${JSON.stringify(input)}`);
    }
    assert.deepEqual(on.upstream.seen, []);
    const lines = on.audit().slice(before);
    assert.equal(lines.length, wrong.length);
    assert.ok(lines.every(({ code, decision }) => code === "bad_arguments" && decision === "deny"));
    // MCP-003
    for (const capability of ["__proto__", "constructor", "toString", "", "OPEN", "open ", "mcp"]) {
      assert.equal(verdict(await agent.execute(capability, "/v1/x")), "unknown_capability", capability);
      assert.equal(
        verdict(await agent.call("request_access", { capability })),
        "unknown_capability",
        capability,
      );
      assert.equal(
        verdict(await agent.call("explain", { capability, method: "GET", path: "/" })),
        "unknown_capability",
        capability,
      );
    }
  },
);

everywhere("every refusal says what the agent can do next; an answer has no such line", async (on, agent) => {
  const refused: readonly (readonly [string, string, object])[] = [
    ["execute", "path_not_origin_form", { capability: "open", method: "GET", path: "v1" }],
    ["execute", "path_control", { capability: "open", method: "GET", path: "/a b" }],
    ["execute", "path_ambiguous", { capability: "open", method: "GET", path: "/a/../b" }],
    ["execute", "method_forbidden", { capability: "open", method: "TRACE", path: "/" }],
    ["execute", "rule_denied", { capability: "reads", method: "DELETE", path: "/" }],
    ["execute", "unknown_capability", { capability: "nobody", method: "GET", path: "/" }],
    [
      "execute",
      "bad_header_value",
      { capability: "open", method: "GET", path: "/", headers: { "X-A": "a\n" } },
    ],
    ["execute", "bad_arguments", { capability: "open", ...send("!", { encoding: "base64" }), path: "/" }],
    ["exec", "not_an_exec_capability", { capability: "open", command: ["id"] }],
    ["end_session", "not_found", { session: "zzzzzz" }],
  ];
  for (const [tool, code, input] of refused) {
    const { content } = await agent.call(tool, { ...input });
    assert.equal(content.code, code);
    assert.match(String(content.next), /^[a-z].{10,}/u, code);
    assert.doesNotMatch(String(content.next), /janee (approve|grant)/u);
  }
  assert.deepEqual(on.upstream.seen, []);
  assert.ok(!("next" in (await agent.execute("open", "/v1/x")).content));
});

test(
  "the trail is whole, and no secret is in a file, an answer or a line of any of this",
  limit,
  async () => {
    assert.equal(faces.length * eras.length, 4);
    await scene.assertClean();
  },
);
