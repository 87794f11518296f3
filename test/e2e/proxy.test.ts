// The reverse proxy from outside: raw bytes in, raw bytes out, an upstream that records both.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { type Client, requestBytes, withClient } from "../support/client.ts";
import { noise } from "../support/corpus.ts";
import { canary } from "../support/janee.ts";
import { type Stage, shared } from "../support/stage.ts";
import type { Exchange } from "../support/upstream.ts";
import { pause, until, within } from "../support/wait.ts";

const limit = { timeout: 30_000 };
const second = `${canary}_SECOND`;

const { stage, close } = shared({
  config: (origin) => `
services:
  bearer: { baseUrl: "${origin}", auth: { type: bearer, key: ${canary} } }
  basic: { baseUrl: "${origin}", auth: { type: basic, username: janee, password: ${canary} } }
  headers:
    baseUrl: "${origin}"
    auth: { type: headers, headers: { DD-Api-Key: ${canary}, DD-Application-Key: ${second} } }
  query: { baseUrl: "${origin}/base", auth: { type: query, param: api_key, key: ${canary} } }
  shut: { baseUrl: "http://127.0.0.1:1", auth: { type: bearer, key: ${canary} } }
capabilities:
  bearer: { service: bearer, autoApprove: true, rules: [{ deny: "* /secret*" }, { allow: "*" }] }
  other: { service: bearer, autoApprove: true }
  basic: { service: basic, autoApprove: true }
  headers: { service: headers, autoApprove: true }
  query: { service: query, autoApprove: true }
  shut: { service: shut, autoApprove: true }
`,
  grant: ["bearer", "other", "basic", "headers", "query", "shut"],
});
after(close);

async function connected<T>(on: Stage, work: (client: Client) => Promise<T>): Promise<T> {
  return withClient(on.port, work);
}

const basicOf = (text: string): string => `Basic ${Buffer.from(text).toString("base64")}`;

// A place that is read but not emptied would hand the session token to the upstream.
const places: readonly (readonly [
  name: string,
  capability: string,
  place: (token: string) => object,
  query?: string,
])[] = [
  ["Bearer", "bearer", (token) => ({ Authorization: `Bearer ${token}` })],
  ["bearer in lower case", "bearer", (token) => ({ authorization: `bearer ${token}` })],
  ["the user of Basic", "bearer", (token) => ({ Authorization: basicOf(`${token}:`) })],
  ["the password of Basic", "bearer", (token) => ({ Authorization: basicOf(`user:${token}`) })],
  ["X-Api-Key", "bearer", (token) => ({ "X-Api-Key": token })],
  ["Bearer of a service with Basic", "basic", (token) => ({ Authorization: `Bearer ${token}` })],
  ["the service's own header", "headers", (token) => ({ "dd-api-key": token })],
  ["the service's second header", "headers", (token) => ({ "DD-Application-Key": token })],
  ["the service's query parameter", "query", () => ({}), "api_key="],
];
for (const [name, capability, place, query] of places) {
  test(`a session token is taken from ${name}, and goes no further`, limit, async () => {
    const on = await stage();
    const seen = on.fresh();
    on.upstream.answer = (_, exchange) => exchange.send(200, {}, "fine");
    const token = on.token(capability);
    const headers = { Host: `127.0.0.1:${on.port}`, ...place(token) };
    const target = `/${capability}/v1/x${query ? `?a=1&${query}${token}&b=2` : ""}`;
    const answer = await connected(on, (client) =>
      client.write(requestBytes(on.port, { target, headers })).answer(),
    );
    assert.equal(answer.text, "fine");
    assert.equal(seen.length, 1);
    const received = Buffer.concat(on.upstream.received).toString("latin1");
    assert.ok(!received.includes("jns_"), received);
    assert.ok(!on.home.auditText().includes(token));
  });
}

// Two readings of who is asking: a broker that picks one of them can be led past the other.
test("two places that hold a token are refused", limit, async () => {
  const on = await stage();
  const seen = on.fresh();
  const token = on.token("bearer");
  const twice: readonly (readonly [string, object, string])[] = [
    ["bearer", { "X-Api-Key": token }, ""],
    ["bearer", { "X-Api-Key": on.token("other") }, ""],
    ["bearer", { Authorization: basicOf(`${token}:${token}`) }, ""],
    ["headers", { "DD-Api-Key": on.token("headers") }, ""],
    ["query", {}, `?api_key=${on.token("query")}`],
    ["query", {}, `?%61pi_key=${on.token("query")}`],
  ];
  for (const [capability, headers, query] of twice) {
    const answer = await on.ask(capability, `/v1/x${query}`, {
      headers: { ...headers } as Record<string, string>,
    });
    assert.equal(answer.status, 400, `${capability} ${answer.text}`);
    assert.equal(answer.error.code, "session_ambiguous");
  }
  assert.deepEqual(seen, []);
});

test("no token, an unknown one, another capability's and an expired one are refused", limit, async () => {
  const on = await stage();
  const seen = on.fresh();
  const short = await on.home.grant("bearer", "--ttl", "1s");
  const fails = async (status: number, code: string, token: string | undefined): Promise<void> => {
    const answer = await on.ask("bearer", "/v1/x", { token });
    assert.deepEqual([answer.status, answer.error.code], [status, code]);
  };
  await fails(401, "no_session", undefined);
  await fails(401, "no_session", "sk_live_something_else");
  await fails(401, "session_unknown", `jns_${"A".repeat(43)}`);
  await fails(401, "session_unknown", `${on.token("bearer")}A`);
  await fails(401, "session_unknown", "jns_");
  await fails(403, "session_wrong_capability", on.token("other"));
  assert.deepEqual(seen, []);
  await pause(1_100);
  await fails(403, "session_expired", short.token);
  assert.deepEqual(seen, []);
  const unknown = await on.ask("nothing-here", "/v1/x", { token: on.token("bearer") });
  assert.equal(unknown.status, 404);
});

test(
  "each auth type puts the credential where it belongs, once, whatever the agent sent",
  limit,
  async () => {
    const on = await stage();
    const seen = on.fresh();
    on.upstream.answer = (_, exchange) => exchange.send(200, {}, "ok");
    const own = { "X-Api-Key": "mine", "DD-Api-Key": "mine", dd_application_key: "mine", Cookie: "a=b" };
    await on.ask("bearer", "/v1/x?a=1", { headers: own });
    await on.ask("basic", "/v1/x", { headers: own });
    await on.ask("headers", "/v1/x", { headers: own });
    await on.ask("query", "/v1/x?api_key=mine&a=%20b&%61pi%5Fkey=mine&API_KEY=mine", { headers: own });
    await on.ask("query", "/v1/x");
    const [bearer, basic, headers, query, bare] = seen;
    assert.deepEqual(bearer?.values("authorization"), [`Bearer ${canary}`]);
    assert.equal(bearer?.target, "/v1/x?a=1");
    assert.deepEqual(basic?.values("authorization"), [basicOf(`janee:${canary}`)]);
    assert.deepEqual(headers?.values("dd-api-key"), [canary]);
    assert.deepEqual(headers?.values("dd-application-key"), [second]);
    assert.deepEqual(headers?.values("dd_application_key"), []);
    assert.deepEqual(headers?.values("authorization"), []);
    assert.equal(query?.target, `/base/v1/x?a=%20b&api_key=${canary}`);
    assert.equal(bare?.target, `/base/v1/x?api_key=${canary}`);
    for (const one of seen) {
      assert.deepEqual(one.values("host"), [`127.0.0.1:${on.upstream.port}`]);
      assert.deepEqual([...one.values("x-api-key"), ...one.values("cookie")], []);
      assert.equal(one.values("accept-encoding").length, 1);
    }
  },
);

test("a denied path is 403 with its rule, and the twin beside it passes", limit, async () => {
  const on = await stage();
  const seen = on.fresh();
  on.upstream.answer = (_, exchange) => exchange.send(200, {}, "ok");
  for (const target of ["/secret", "/secrets/1", "/SECRET", "/%2Fsecret", "/secret;x"]) {
    const answer = await on.ask("bearer", target);
    assert.ok(answer.status === 403 || answer.status === 400, `${target}: ${answer.status}`);
  }
  const denied = await on.ask("bearer", "/secret/a");
  assert.equal(denied.error.rule, "deny: * /secret*");
  assert.equal(denied.error.code, "rule_denied");
  assert.deepEqual(seen, []);
  assert.equal((await on.ask("bearer", "/v1/secret")).status, 200);
});

// A body that changes on its way, or a framing that is the agent's, is a second request in the making.
test("bodies go up as they are, framed by janee", limit, async () => {
  const on = await stage();
  const seen = on.fresh();
  on.upstream.answer = (one, exchange) => exchange.send(200, {}, String(one.body.length));
  const large = noise(3_000_000);
  assert.equal((await on.ask("bearer", "/v1/x", { method: "POST", body: large })).text, "3000000");
  assert.deepEqual(seen[0]?.values("content-length"), ["3000000"]);
  assert.ok(seen[0]?.body.equals(large));
  await connected(on, async (client) => {
    const head = on.bytes("bearer", "/v1/x", { method: "PUT", headers: { "Transfer-Encoding": "chunked" } });
    client.write(head).write("5\r\nhello\r\n");
    await pause(30);
    client.write("6;ext=1\r\n world\r\n0\r\nX-Trailer: 1\r\n\r\n");
    assert.equal((await client.answer()).text, "11");
  });
  assert.equal(seen[1]?.body.toString(), "hello world");
  assert.ok(!Buffer.concat(on.upstream.received).toString("latin1").includes("X-Trailer"));
  await on.ask("bearer", "/v1/x", { method: "POST" });
  assert.deepEqual(seen[2]?.values("content-length"), ["0"]);
  await on.ask("bearer", "/v1/x");
  assert.deepEqual(
    [...(seen[3]?.values("content-length") ?? []), ...(seen[3]?.values("transfer-encoding") ?? [])],
    [],
  );
});

test("bodies come down as they are: length, chunked, until close, and none", limit, async () => {
  const on = await stage();
  on.fresh();
  const large = noise(2_000_000);
  on.upstream.answer = (_, exchange) =>
    exchange.send(200, { "Content-Type": "application/octet-stream" }, large);
  assert.ok((await on.ask("bearer", "/v1/x")).body.equals(large));
  on.upstream.answer = (_, exchange) => {
    exchange.begin(200, { "Transfer-Encoding": "chunked" });
    for (let at = 0; at < large.length; at += 250_000) exchange.chunk(large.subarray(at, at + 250_000));
    exchange.write("0\r\nX-Trailer: 1\r\n\r\n");
  };
  const chunked = await on.ask("bearer", "/v1/x");
  assert.ok(chunked.body.equals(large) && chunked.complete);
  on.upstream.answer = (_, exchange) => {
    exchange.begin(200, { "Content-Type": "text/plain" });
    exchange.write("until the end");
    exchange.end();
  };
  const closing = await on.ask("bearer", "/v1/x");
  assert.ok(closing.complete);
  assert.equal(closing.text, "until the end");
  on.upstream.answer = (_, exchange) => exchange.begin(200, { "Content-Length": "1234", ETag: '"a"' });
  const head = await on.ask("bearer", "/v1/x", { method: "HEAD" });
  assert.deepEqual([head.status, head.header("content-length"), head.body.length], [200, "1234", 0]);
  for (const status of [204, 304]) {
    on.upstream.answer = (_, exchange) => exchange.begin(status, { ETag: '"a"' });
    const answer = await on.ask("bearer", "/v1/x");
    assert.deepEqual(
      [answer.status, answer.body.length, answer.header("transfer-encoding")],
      [status, 0, undefined],
    );
  }
});

test("interim answers of an upstream are dropped", limit, async () => {
  const on = await stage();
  on.fresh();
  on.upstream.answer = (_, exchange) => {
    exchange.write("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    exchange.send(200, {}, "real");
  };
  await connected(on, async (client) => {
    const answer = await client.write(on.bytes("bearer", "/v1/x")).answer();
    assert.deepEqual([answer.status, answer.text], [200, "real"]);
    assert.ok(!client.everything.includes("103"));
  });
});

// Held back until the next event, a stream would stall an agent for good.
const streams: readonly (readonly [string, string, (index: number) => string])[] = [
  ["an SSE event", "text/event-stream", (index) => `event: tick\ndata: {"n":${index}}\n\n`],
  ["an SSE event with CR LF", "text/event-stream; charset=utf-8", (index) => `data: ${index}\r\n\r\n`],
  ["a line of NDJSON", "application/x-ndjson", (index) => `{"n":${index}}\n`],
  ["a line of JSON Lines", "application/jsonl", (index) => `{"n":${index}}\n`],
];
for (const [name, type, event] of streams) {
  test(`${name} (${type}) is delivered before the next is sent`, limit, async () => {
    const on = await stage();
    on.fresh();
    let next: () => void = () => {};
    on.upstream.answer = async (_, exchange) => {
      exchange.begin(200, { "Content-Type": type, "Transfer-Encoding": "chunked" });
      for (let index = 0; index < 5; index++) {
        const shown = new Promise<void>((done) => {
          next = done;
        });
        exchange.chunk(event(index));
        await shown;
      }
      exchange.write("0\r\n\r\n");
    };
    await connected(on, async (client) => {
      client.write(on.bytes("bearer", "/v1/stream"));
      let expected = "";
      for (let index = 0; index < 5; index++) {
        expected += event(index);
        await until(5_000, `event ${index}`, () => client.content().toString() === expected);
        next();
      }
      const answer = await client.answer();
      assert.ok(answer.complete);
      assert.equal(answer.header("content-type"), type);
    });
  });
}

// An upstream that goes on working for nobody is paid for by the owner of the key.
test("a client that leaves while it waits ends the upstream's request", limit, async () => {
  const on = await stage();
  on.fresh();
  let waiting: Exchange | undefined;
  on.upstream.answer = (_, exchange) => {
    waiting = exchange;
  };
  for (const leave of ["destroy", "reset"] as const) {
    waiting = undefined;
    await connected(on, async (client) => {
      client.write(on.bytes("bearer", "/v1/never"));
      const exchange = await until(5_000, "the request at the upstream", () => waiting);
      client[leave]();
      await within(5_000, exchange.gone, "the end of the upstream's connection");
    });
  }
  const line = await until(5_000, "the audit line", () =>
    on.audit().findLast(({ event, path }) => event === "response" && path === "/v1/never"),
  );
  assert.deepEqual([line.outcome, line.code], ["failed", "client_closed"]);
});

test("a client that leaves in mid-stream ends the upstream's request", limit, async () => {
  const on = await stage();
  on.fresh();
  let streaming: Exchange | undefined;
  on.upstream.answer = async (_, exchange) => {
    streaming = exchange;
    exchange.begin(200, { "Content-Type": "text/event-stream", "Transfer-Encoding": "chunked" });
    for (let index = 0; index < 400 && !exchange.isGone; index++) {
      exchange.chunk(`data: ${index}\n\n`);
      await pause(20);
    }
  };
  await connected(on, async (client) => {
    client.write(on.bytes("bearer", "/v1/stream"));
    await client.shows("data: 1\n");
    const exchange = await until(5_000, "the request at the upstream", () => streaming);
    client.destroy();
    await within(5_000, exchange.gone, "the end of the upstream's connection");
  });
});

// A cut answer that ends cleanly is a wrong answer.
test("an upstream that is cut in mid-body breaks the client's connection", limit, async () => {
  const on = await stage();
  on.fresh();
  const cuts: readonly (readonly [string, Record<string, string>, "reset" | "end"])[] = [
    ["chunked, reset", { "Transfer-Encoding": "chunked" }, "reset"],
    ["chunked, closed", { "Transfer-Encoding": "chunked" }, "end"],
    ["length, reset", { "Content-Length": "1000000" }, "reset"],
    ["length, closed", { "Content-Length": "1000000" }, "end"],
  ];
  for (const [name, fields, how] of cuts) {
    on.upstream.answer = async (_, exchange) => {
      exchange.begin(200, { "Content-Type": "text/event-stream", ...fields });
      if (fields["Content-Length"]) exchange.write("data: 1\n\n");
      else exchange.chunk("data: 1\n\n");
      await pause(100);
      exchange[how]();
    };
    await connected(on, async (client) => {
      client.write(on.bytes("bearer", "/v1/cut"));
      await client.untilClosed();
      assert.match(client.everything.toString(), /^HTTP\/1\.1 200/);
      assert.ok(!client.everything.toString().endsWith("0\r\n\r\n"), name);
      assert.ok(!(await client.answer()).complete, name);
    });
  }
  const cut = on.audit().filter(({ event, path }) => event === "response" && path === "/v1/cut");
  assert.deepEqual(
    cut.map(({ outcome, code }) => `${outcome} ${code}`),
    cuts.map(() => "failed upstream_closed"),
  );
});

test("Expect: 100-continue is answered once the request is admitted, and not before", limit, async () => {
  const on = await stage();
  const seen = on.fresh();
  on.upstream.answer = (one, exchange) => exchange.send(200, {}, one.body);
  const headers = { Expect: "100-continue", "Content-Length": "5" };
  await connected(on, async (client) => {
    client.write(on.bytes("bearer", "/v1/x", { method: "POST", headers }));
    assert.equal((await client.answer()).status, 100);
    client.write("hello");
    assert.equal((await client.answer()).text, "hello");
  });
  assert.deepEqual(seen[0]?.values("expect"), []);
  await connected(on, async (client) => {
    client.write(on.bytes("bearer", "/secret", { method: "POST", headers }));
    assert.equal((await client.answer()).status, 403);
  });
  assert.equal(seen.length, 1);
});

test("one connection carries many requests, and two in one write are answered in order", limit, async () => {
  const on = await stage();
  const seen = on.fresh();
  on.upstream.answer = async (one, exchange) => {
    if (one.target.endsWith("1")) await pause(100);
    exchange.send(200, {}, one.target);
  };
  await connected(on, async (client) => {
    client.write(Buffer.concat([on.bytes("bearer", "/v1/1"), on.bytes("other", "/v1/2")]));
    assert.deepEqual([(await client.answer()).text, (await client.answer()).text], ["/v1/1", "/v1/2"]);
    client.write(on.bytes("bearer", "/secret"));
    assert.equal((await client.answer()).status, 403);
    const post = on.bytes("bearer", "/v1/3", { method: "POST", body: "x".repeat(10) });
    client.write(Buffer.concat([post, on.bytes("bearer", "/v1/4")]));
    assert.deepEqual([(await client.answer()).text, (await client.answer()).text], ["/v1/3", "/v1/4"]);
  });
  assert.equal(new Set(seen.map(({ connection }) => connection)).size, 1, "upstream connections are kept");
  const once = await connected(on, async (client) => {
    client.write(on.bytes("bearer", "/v1/5", { headers: { Connection: "close" } }));
    const answer = await client.answer();
    await client.untilClosed();
    return answer;
  });
  assert.equal(once.header("connection"), "close");
});

// A request that is sent twice may be done twice.
test("a kept connection that closes under a GET is replaced; a POST is never sent again", limit, async () => {
  const on = await stage();
  const seen = on.fresh();
  const used = new Set<number>();
  on.upstream.answer = (one, exchange) => {
    if (used.has(one.connection)) return exchange.end();
    used.add(one.connection);
    exchange.send(200, {}, "ok");
  };
  // What the pool still holds from before is spent first.
  for (let turn = 0; turn < 3; turn++) await on.ask("bearer", "/v1/warm");
  used.clear();
  await on.ask("bearer", "/v1/warm");
  const before = seen.length;
  const again = await on.ask("bearer", "/v1/again");
  assert.equal(again.status, 200);
  assert.equal(seen.length, before + 2, "sent again on a new connection");
  const post = await on.ask("bearer", "/v1/again", { method: "POST", body: "x" });
  assert.deepEqual([post.status, post.error.code], [502, "upstream_closed"]);
  assert.equal(seen.length, before + 3, "sent once");
});

test("an upstream that is not there is 502 with its reason", limit, async () => {
  const on = await stage();
  const answer = await on.ask("shut", "/v1/x");
  assert.deepEqual([answer.status, answer.error.code], [502, "upstream_unreachable"]);
  assert.ok(answer.error.next);
});

// An answer that two parsers read differently ends as another request's answer.
const nonsense: Readonly<Record<string, string>> = {
  "no HTTP": "HELLO THERE\r\n\r\n",
  "HTTP/2": "HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n",
  "no status": "HTTP/1.1 OK\r\nContent-Length: 0\r\n\r\n",
  "a status of two digits": "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
  "two lengths": "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
  "length and chunked": "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  "a negative length": "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
  "a length that overflows": "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551617\r\n\r\na",
  "an unknown transfer coding": "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc",
  "a header without colon": "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n",
  "a head without end": `HTTP/1.1 200 OK\r\nX-A: ${"a".repeat(300_000)}`,
  "a switch of protocols": "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
};
test("an upstream that answers nonsense is 502", limit, async () => {
  const on = await stage();
  on.fresh();
  for (const [name, bytes] of Object.entries(nonsense)) {
    on.upstream.answer = (_, exchange) => exchange.write(bytes);
    const answer = await on.ask("bearer", "/v1/x");
    assert.deepEqual([answer.status, answer.error.code], [502, "upstream_nonsense"], name);
  }
  on.upstream.answer = (_, exchange) =>
    exchange.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
  await connected(on, async (client) => {
    client.write(on.bytes("bearer", "/v1/x"));
    await client.untilClosed();
    assert.ok(!client.everything.toString().endsWith("0\r\n\r\n"), "bad chunks end in a broken connection");
  });
  on.upstream.answer = (_, exchange) => exchange.send(200, {}, "well again");
  assert.equal((await on.ask("bearer", "/v1/x")).text, "well again");
});

// What cannot be read cannot be scrubbed.
test("codings are undone before the scrub, and what cannot be undone is refused", limit, async () => {
  const on = await stage();
  on.fresh();
  const body = Buffer.from(`before ${canary} after`);
  const coded: readonly (readonly [string, Buffer])[] = [
    ["gzip", gzipSync(body)],
    ["GZIP", gzipSync(body)],
    ["deflate", deflateSync(body)],
    ["deflate", deflateRawSync(body)],
    ["br", brotliCompressSync(body)],
    ["identity", body],
  ];
  for (const [coding, bytes] of coded) {
    on.upstream.answer = (_, exchange) => exchange.send(200, { "Content-Encoding": coding }, bytes);
    const answer = await on.ask("bearer", "/v1/x");
    assert.equal(answer.text, "before [janee:redacted] after", coding);
    assert.equal(answer.header("content-encoding"), undefined);
  }
  for (const coding of ["zstd", "compress", "gzip, gzip", "unknown"]) {
    on.upstream.answer = (_, exchange) => exchange.send(200, { "Content-Encoding": coding }, body);
    const answer = await on.ask("bearer", "/v1/x");
    assert.deepEqual([answer.status, answer.error.code], [502, "response_unscannable"], coding);
  }
  const cut = gzipSync(noise(200_000)).subarray(0, 100_000);
  for (const bytes of [Buffer.from("no gzip at all"), cut]) {
    on.upstream.answer = (_, exchange) => exchange.send(200, { "Content-Encoding": "gzip" }, bytes);
    await connected(on, async (client) => {
      client.write(on.bytes("bearer", "/v1/x"));
      const answer = await client.answer();
      assert.ok(answer.status === 502 || !answer.complete, "a damaged answer looks whole");
    });
  }
});

test("a body shorter than its length is no answer; what follows a longer one is dropped", limit, async () => {
  const on = await stage();
  const seen = on.fresh();
  on.upstream.answer = (_, exchange) => {
    exchange.begin(200, { "Content-Length": "100" });
    exchange.write("short");
    exchange.end();
  };
  const short = await on.ask("bearer", "/v1/x");
  assert.deepEqual([short.status, short.error.code], [502, "upstream_closed"]);
  on.upstream.answer = (_, exchange) => {
    exchange.begin(200, { "Content-Length": "4" });
    exchange.write("longHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged");
  };
  const long = await on.ask("bearer", "/v1/x");
  assert.equal(long.text, "long");
  on.upstream.answer = (_, exchange) => exchange.send(200, {}, "own");
  assert.equal((await on.ask("bearer", "/v1/x")).text, "own");
  const [, second, third] = seen;
  assert.notEqual(
    second?.connection,
    third?.connection,
    "a connection with bytes left over is not used again",
  );
});

// Half a request that looks whole is an order that nobody gave.
test(
  "a request body that is cut short, or breaks its framing, is never whole at the upstream",
  limit,
  async () => {
    const on = await stage();
    const seen = on.fresh();
    on.upstream.answer = (_, exchange) => exchange.send(200, {}, "done");
    const cuts: readonly (readonly [string, Record<string, string>, string, "end" | "destroy" | "stay"])[] = [
      ["shorter than its length, closed", { "Content-Length": "10" }, "hello", "end"],
      ["shorter than its length, gone", { "Content-Length": "10" }, "hello", "destroy"],
      ["chunked, closed", { "Transfer-Encoding": "chunked" }, "5\r\nhello\r\n", "end"],
      ["chunked, gone", { "Transfer-Encoding": "chunked" }, "5\r\nhello\r\n", "destroy"],
      ["a chunk longer than it says", { "Transfer-Encoding": "chunked" }, "5\r\nhelloXX0\r\n\r\n", "stay"],
      [
        "a chunk size in hex notation",
        { "Transfer-Encoding": "chunked" },
        "5\r\nhello\r\n0x0\r\n\r\n",
        "stay",
      ],
      ["a bare LF", { "Transfer-Encoding": "chunked" }, "5\r\nhello\r\n0\n\n", "stay"],
      [
        "a request in the trailer",
        { "Transfer-Encoding": "chunked" },
        "5\r\nhello\r\n0\r\nGET /x HTTP/1.1\r\n\r\n",
        "stay",
      ],
    ];
    for (const [name, headers, body, how] of cuts) {
      await connected(on, async (client) => {
        client.write(on.bytes("bearer", "/v1/cut", { method: "POST", headers }));
        const known = seen.length;
        for (const byte of body) {
          client.write(byte);
          await pause(2);
        }
        if (how === "stay") await client.untilClosed();
        else client[how]();
        if (how === "end") await client.untilClosed();
        else await pause(150);
        const reached = seen.slice(known);
        assert.deepEqual(
          reached.filter(({ complete }) => complete).map(({ line }) => line),
          [],
          name,
        );
        assert.ok(!client.everything.includes("HTTP/1.1 200"), name);
      });
    }
    assert.ok(
      seen.every(({ target }) => target === "/v1/cut"),
      "a body was read as a request",
    );
  },
);

test(
  "an answer that comes before the request was sent is passed on, and its connection is not kept",
  limit,
  async () => {
    const on = await stage();
    const seen = on.fresh();
    on.upstream.eager = true;
    on.upstream.answer = (_, exchange) => exchange.send(413, {}, "too large");
    await connected(on, async (client) => {
      client.write(
        on.bytes("bearer", "/v1/early", { method: "POST", headers: { "Content-Length": "1000000" } }),
      );
      client.write("x".repeat(1000));
      assert.equal((await client.answer()).status, 413);
    });
    on.upstream.eager = false;
    on.upstream.answer = (_, exchange) => exchange.send(200, {}, "ok");
    assert.equal((await on.ask("bearer", "/v1/x")).text, "ok");
    assert.notEqual(seen[0]?.connection, seen[1]?.connection);
  },
);

test("an HTTP/1.0 client gets a body that ends with the connection", limit, async () => {
  const on = await stage();
  on.fresh();
  on.upstream.answer = (_, exchange) => {
    exchange.begin(200, { "Transfer-Encoding": "chunked" });
    exchange.chunk("plain");
    exchange.write("0\r\n\r\n");
  };
  await connected(on, async (client) => {
    const bytes = on.bytes("bearer", "/v1/x").toString("latin1").replace("HTTP/1.1", "HTTP/1.0");
    client.write(bytes);
    await client.untilClosed();
    const answer = await client.answer();
    assert.deepEqual([answer.header("transfer-encoding"), answer.text], [undefined, "plain"]);
  });
});

test(
  "health answers without a token, on the same port, and a foreign Host does not reach it",
  limit,
  async () => {
    const on = await stage();
    const fine = await withClient(on.port, (client) =>
      client.write(requestBytes(on.port, { target: "/_janee/health" })).answer(),
    );
    assert.equal(fine.status, 200);
    assert.equal((JSON.parse(fine.text) as { status: string }).status, "ok");
    const foreign = await withClient(on.port, (client) =>
      client
        .write(requestBytes(on.port, { target: "/_janee/health", headers: { Host: "evil.example" } }))
        .answer(),
    );
    assert.equal(foreign.status, 403);
    const missing = await withClient(on.port, (client) =>
      client.write(requestBytes(on.port, { target: "/_janee/nothing" })).answer(),
    );
    assert.equal(missing.status, 404);
  },
);
