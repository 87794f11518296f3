// What goes back to a client, read by the reader of responses that janee has for upstreams.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Reply } from "../../src/engine/call.ts";
import { Failure, FailureError } from "../../src/engine/failure.ts";
import { failureBytes, failureReply, type Manner, writeReply } from "../../src/surface/answer.ts";
import { statusOf } from "../../src/surface/http-status.ts";
import type { Connection } from "../../src/wire/connection.ts";
import { field } from "../../src/wire/http1.ts";

/** Keeps what was written; `full` until it is drained. */
class Recorder implements Connection {
  readonly peer = "test";
  readonly incoming: AsyncIterator<Buffer> = {
    next: () => Promise.resolve({ done: true, value: undefined }),
  };
  readonly written: Buffer[] = [];
  readonly calls: string[] = [];
  full = false;
  write(bytes: Buffer): boolean {
    this.written.push(Buffer.from(bytes));
    return !this.full;
  }
  async drained(): Promise<void> {
    this.calls.push(`drained after ${this.written.length}`);
  }
  onGone(): void {}
  within(): void {}
  async end(): Promise<void> {
    this.calls.push("end");
  }
  destroy(): void {
    this.calls.push("destroy");
  }
  get text(): string {
    return Buffer.concat(this.written).toString("latin1");
  }
}

const keep: Manner = { method: "GET", minor: 1, keepAlive: true };

function whole(text: string, status = 200): Reply {
  return { status, fields: [field("X-A", "1")], body: { kind: "whole", bytes: Buffer.from(text) } };
}

function stream(pieces: readonly string[], status = 200, error?: Error): Reply {
  async function* chunks(): AsyncGenerator<Buffer> {
    for (const piece of pieces) yield Buffer.from(piece);
    if (error) throw error;
  }
  return {
    status,
    fields: [field("X-A", "1")],
    body: { kind: "stream", length: undefined, chunks: chunks() },
  };
}

async function written(
  reply: Reply,
  manner: Manner,
): Promise<{ text: string; goesOn: boolean; calls: readonly string[] }> {
  const connection = new Recorder();
  const goesOn = await writeReply(connection, reply, manner);
  return { text: connection.text, goesOn, calls: connection.calls };
}

test("a whole body has its length, and the connection goes on or closes as it should", async () => {
  const kept = await written(whole("hello"), keep);
  assert.equal(kept.text, "HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 5\r\n\r\nhello");
  assert.ok(kept.goesOn);
  const closed = await written(whole("hello"), { ...keep, keepAlive: false });
  assert.equal(
    closed.text,
    "HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
  );
  assert.ok(!closed.goesOn);
  const old = await written(whole("hello"), { method: "GET", minor: 0, keepAlive: false });
  assert.equal(old.text, "HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 5\r\n\r\nhello");
  assert.ok(!old.goesOn);
});

test("no body is a length of nothing, and bytes are counted, not characters", async () => {
  const none = await written({ status: 200, fields: [], body: { kind: "empty" } }, keep);
  assert.equal(none.text, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  assert.match((await written(whole("\u00e9"), keep)).text, /Content-Length: 2\r\n/);
});

test("HEAD, 204 and 304 have no body, and only HEAD says how long it would be", async () => {
  const head = await written(whole("hello"), { ...keep, method: "HEAD" });
  assert.equal(head.text, "HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 5\r\n\r\n");
  for (const [status, reason] of [
    [204, "No Content"],
    [304, "Not Modified"],
  ] as const) {
    for (const reply of [whole("hello", status), stream(["hello"], status), { ...whole("", status) }]) {
      const { text, goesOn } = await written(reply, keep);
      assert.equal(text, `HTTP/1.1 ${status} ${reason}\r\nX-A: 1\r\n\r\n`);
      assert.ok(goesOn);
    }
  }
  const streamed = await written(stream(["hello"]), { ...keep, method: "HEAD" });
  assert.equal(streamed.text, "HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\n");
  // A length that the upstream named for a HEAD is passed on once.
  const named = { status: 200, fields: [field("Content-Length", "9")], body: { kind: "empty" } } as const;
  const passed = await written(named, { ...keep, method: "HEAD" });
  assert.equal(passed.text, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
});

test("a stream is chunked for 1.1, and until close for 1.0", async () => {
  const modern = await written(stream(["hello", "", " you"]), keep);
  assert.equal(
    modern.text,
    "HTTP/1.1 200 OK\r\nX-A: 1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n4\r\n you\r\n0\r\n\r\n",
  );
  assert.ok(modern.goesOn);
  const closing = await written(stream(["a"]), { ...keep, keepAlive: false });
  assert.match(closing.text, /Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n$/);
  assert.ok(!closing.goesOn);
  const old = await written(stream(["hello", " you"]), { method: "GET", minor: 0, keepAlive: true });
  assert.equal(old.text, "HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\nhello you");
  assert.ok(!old.goesOn, "only the close says where the body ends");
});

test("a stream that fails midway ends without its last chunk, on a broken connection", async () => {
  const failure = new FailureError(new Failure("upstream_closed", "gone"));
  for (const minor of [0, 1] as const) {
    const { text, goesOn, calls } = await written(stream(["hello"], 200, failure), { ...keep, minor });
    assert.ok(!text.includes("0\r\n\r\n"));
    assert.ok(!goesOn);
    assert.deepEqual(calls, ["destroy"]);
  }
  const bug = new Error("a bug");
  await assert.rejects(written(stream(["hello"], 200, bug), keep), /a bug/);
});

test("a slow client is waited for after each piece", async () => {
  const connection = new Recorder();
  connection.full = true;
  await writeReply(connection, stream(["a", "b"]), keep);
  assert.deepEqual(connection.calls, ["drained after 2", "drained after 3"]);
  const other = new Recorder();
  other.full = true;
  await writeReply(other, whole("a"), keep);
  assert.deepEqual(other.calls, ["drained after 1"]);
});

test("a refusal has the contract's form, and what is absent is left out", async () => {
  const full = new Failure("rule_denied", "no", { rule: "deny: *", next: "do without" });
  const reply = failureReply(full);
  assert.equal(reply.status, 403);
  assert.ok(reply.body.kind === "whole");
  assert.deepEqual(JSON.parse(reply.body.bytes.toString()), {
    error: { code: "rule_denied", message: "no", rule: "deny: *", next: "do without" },
  });
  const bare = failureReply(new Failure("unknown_capability", "none"));
  assert.ok(bare.body.kind === "whole");
  assert.deepEqual(JSON.parse(bare.body.bytes.toString()), {
    error: { code: "unknown_capability", message: "none" },
  });
  const { text } = await written(reply, keep);
  assert.match(
    text,
    /^HTTP\/1\.1 403 Forbidden\r\nContent-Type: application\/json\r\nCache-Control: no-store\r\n/,
  );
  const head = await written(reply, { ...keep, method: "HEAD" });
  assert.ok(head.text.endsWith("\r\n\r\n"));
});

test("401 says what is wanted, and a refusal for now says when to come back", () => {
  const names = (failure: Failure): string[] =>
    failureReply(failure).fields.map(({ name, value }) => `${name}: ${value}`);
  assert.ok(names(new Failure("no_session", "x")).includes('WWW-Authenticate: Bearer realm="janee"'));
  assert.ok(!names(new Failure("rule_denied", "x")).some((line) => line.startsWith("WWW")));
  assert.ok(names(new Failure("limit_reached", "x", { retryAfter: 7 })).includes("Retry-After: 7"));
  assert.ok(!names(new Failure("limit_reached", "x")).some((line) => line.startsWith("Retry")));
});

test("a refusal for a connection that closes is one whole answer", () => {
  const text = failureBytes(new Failure("too_busy", "later", { retryAfter: 1 })).toString();
  const [head = "", body = ""] = text.split("\r\n\r\n");
  assert.match(head, /^HTTP\/1\.1 503 /);
  assert.match(head, /\r\nConnection: close$/);
  assert.ok(head.includes(`Content-Length: ${body.length}`));
  assert.equal((JSON.parse(body) as { error: { code: string } }).error.code, "too_busy");
});

test("each code has the status that the contract gives it", () => {
  for (const [status, codes] of [
    [
      400,
      [
        "path_ambiguous",
        "path_control",
        "bad_request",
        "method_override",
        "session_ambiguous",
        "query_ambiguous",
      ],
    ],
    [401, ["no_session", "session_unknown"]],
    [403, ["rule_denied", "session_revoked", "session_expired", "session_ended", "session_wrong_capability"]],
    [403, ["approval_declined", "approval_pending", "approval_expired", "foreign_host", "foreign_origin"]],
    [404, ["unknown_capability"]],
    [413, ["body_too_large"]],
    [429, ["limit_reached", "too_many_sessions"]],
    [502, ["upstream_unreachable", "upstream_tls", "upstream_closed", "response_unscannable"]],
    [503, ["audit_unavailable", "too_busy"]],
    [504, ["upstream_timeout"]],
  ] as const) {
    for (const code of codes) assert.equal(statusOf[code], status, code);
  }
  for (const [code, status] of Object.entries(statusOf)) assert.ok(status >= 400 && status < 600, code);
});
