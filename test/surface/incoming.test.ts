// Requests read from one connection, one after the other, however their bytes arrive.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FailureError } from "../../src/engine/failure.ts";
import type { Body } from "../../src/engine/ports.ts";
import { Incoming } from "../../src/surface/incoming.ts";
import type { Connection } from "../../src/wire/connection.ts";
import { Flow } from "../../src/wire/flow.ts";
import { defaultHeadLimits, Malformed, type RequestHead } from "../../src/wire/http1.ts";

/** A peer in the hand of the test: what it sends, what it is sent, and how long it is waited for. */
class Peer implements Connection {
  readonly peer = "test";
  readonly incoming = new Flow({ setFlowing: () => {}, stopped: () => {} });
  readonly patience: (number | undefined)[] = [];
  text = "";
  write(bytes: Buffer): boolean {
    this.text += bytes.toString("latin1");
    return true;
  }
  async drained(): Promise<void> {}
  onGone(): void {}
  within(milliseconds: number | undefined): void {
    this.patience.push(milliseconds);
  }
  async end(): Promise<void> {}
  destroy(): void {}
  send(text: string): void {
    this.incoming.push(Buffer.from(text, "latin1"));
  }
}

const patience = { idle: 1000, head: 100, body: 10 };

function make(...sent: string[]): { peer: Peer; incoming: Incoming } {
  const peer = new Peer();
  for (const text of sent) peer.send(text);
  return { peer, incoming: new Incoming(peer, defaultHeadLimits, patience) };
}

async function head(incoming: Incoming): Promise<RequestHead> {
  const read = await incoming.head();
  if (read === undefined || read instanceof Malformed) assert.fail(`no head: ${read?.message}`);
  return read;
}

async function text(body: Body | Malformed): Promise<string> {
  if (body instanceof Malformed) return body.code;
  if (body.kind === "empty") return "";
  if (body.kind === "whole") return body.bytes.toString("latin1");
  let all = "";
  for await (const chunk of body.chunks) all += chunk.toString("latin1");
  return all;
}

const get = (target: string): string => `GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`;
const post = (target: string, body: string): string =>
  `POST ${target} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const chunkedHead = (target: string): string =>
  `POST ${target} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`;

test("pipelined requests come one after the other, bodies and all, however they are cut", async () => {
  const all = `${get("/1")}${post("/2", "two")}${chunkedHead("/3")}2\r\nth\r\n3\r\nree\r\n0\r\n\r\n${get("/4")}`;
  for (const size of [1, 2, 7, 50, all.length]) {
    const { peer, incoming } = make();
    for (let at = 0; at < all.length; at += size) peer.send(all.slice(at, at + size));
    peer.incoming.end();
    const seen: string[] = [];
    for (let turn = 0; turn < 4; turn++) {
      const request = await head(incoming);
      seen.push(`${request.method} ${request.target} ${await text(incoming.body(request))}`);
      assert.ok(incoming.readToEnd);
    }
    assert.deepEqual(seen, ["GET /1 ", "POST /2 two", "POST /3 three", "GET /4 "], `by ${size}`);
    assert.equal(await incoming.head(), undefined);
  }
});

test("a body that has arrived is whole, one that has not is a stream, and nothing is empty", async () => {
  const whole = make(post("/", "body"));
  const wholeBody = whole.incoming.body(await head(whole.incoming));
  assert.ok(!(wholeBody instanceof Malformed) && wholeBody.kind === "whole");
  const partial = make(post("/", "body").slice(0, -2));
  const body = partial.incoming.body(await head(partial.incoming));
  assert.ok(!(body instanceof Malformed) && body.kind === "stream");
  assert.equal(body.length, 4);
  assert.ok(!partial.incoming.readToEnd);
  partial.peer.send("dy");
  assert.equal(await text(body), "body");
  assert.ok(partial.incoming.readToEnd);
  const chunked = make(chunkedHead("/"));
  const stream = chunked.incoming.body(await head(chunked.incoming));
  assert.ok(!(stream instanceof Malformed) && stream.kind === "stream");
  assert.equal(stream.length, undefined);
  for (const nothing of [get("/"), post("/", ""), `${chunkedHead("/")}0\r\n\r\n`]) {
    const { incoming } = make(nothing);
    const none = incoming.body(await head(incoming));
    assert.ok(!(none instanceof Malformed) && none.kind === "empty", nothing);
  }
});

test("a slow head is waited for by one clock, from its first byte to its last", async () => {
  const { peer, incoming } = make();
  const reading = incoming.head();
  for (const letter of get("/slow")) {
    peer.send(letter);
    await Promise.resolve();
  }
  const read = await reading;
  assert.ok(read && !(read instanceof Malformed));
  assert.deepEqual(peer.patience, [1000, 100, undefined]);
  const next = make(get("/1") + get("/2"));
  await head(next.incoming);
  await head(next.incoming);
  assert.deepEqual(next.peer.patience, [1000, 100, undefined, 100, undefined]);
});

test("each wait for bytes of a body has its own clock", async () => {
  const { peer, incoming } = make(post("/", "body").slice(0, -2));
  const body = incoming.body(await head(incoming));
  peer.patience.length = 0;
  const reading = text(body);
  for (const letter of "dy") {
    await new Promise((done) => setImmediate(done));
    peer.send(letter);
  }
  assert.equal(await reading, "body");
  assert.deepEqual(peer.patience, [10, undefined, 10, undefined]);
});

test("the end of a connection between requests is an end, within a head or a body it is not", async () => {
  const ended = make();
  ended.peer.incoming.end();
  assert.equal(await ended.incoming.head(), undefined);
  const cut = make("GET / HT");
  cut.peer.incoming.end();
  const read = await cut.incoming.head();
  assert.ok(read instanceof Malformed);
  for (const partial of [
    post("/", "body").slice(0, -1),
    `${chunkedHead("/")}2\r\nab\r\n`,
    `${chunkedHead("/")}2\r\na`,
  ]) {
    const { peer, incoming } = make(partial);
    const body = incoming.body(await head(incoming));
    peer.incoming.end();
    await assert.rejects(
      text(body),
      (error) => error instanceof FailureError && error.failure.code === "bad_request",
    );
    assert.ok(!incoming.readToEnd);
  }
});

test("a bad chunk is refused, at once or when it comes", async () => {
  const first = make(`${chunkedHead("/")}zz\r\n`);
  assert.equal(await text(first.incoming.body(await head(first.incoming))), "bad_chunk");
  const later = make(`${chunkedHead("/")}2\r\nab\r\n`);
  const body = later.incoming.body(await head(later.incoming));
  later.peer.send("-1\r\n");
  await assert.rejects(
    text(body),
    (error) => error instanceof FailureError && error.failure.code === "bad_request",
  );
  assert.ok(!later.incoming.readToEnd, "what follows is not read as a request");
});

test("a head too large and a head that is none are refused", async () => {
  const large = make(`GET / HTTP/1.1\r\nHost: x\r\nX: ${"a".repeat(33 * 1024)}`);
  const read = await large.incoming.head();
  assert.ok(read instanceof Malformed && read.code === "headers_too_large");
  const none = await make("\x16\x03\x01\x02\x00\r\n\r\n").incoming.head();
  assert.ok(none instanceof Malformed);
});

test("100 Continue is sent when the body is wanted, and only to one who waits for it", async () => {
  const wanting = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n";
  const { peer, incoming } = make(wanting);
  const body = incoming.body(await head(incoming));
  assert.equal(peer.text, "", "not before anyone reads");
  const reading = text(body);
  await new Promise((done) => setImmediate(done));
  assert.equal(peer.text, "HTTP/1.1 100 Continue\r\n\r\n");
  peer.send("body");
  assert.equal(await reading, "body");
  const sent = make(`${wanting}body`);
  assert.equal(await text(sent.incoming.body(await head(sent.incoming))), "body");
  assert.equal(sent.peer.text, "");
  const begun = make(`${wanting}bo`);
  const rest = text(begun.incoming.body(await head(begun.incoming)));
  begun.peer.send("dy");
  assert.equal(await rest, "body");
  assert.equal(begun.peer.text, "", "it has begun to send without waiting");
  const old = make(`${wanting.replace("HTTP/1.1", "HTTP/1.0")}`);
  const oldBody = text(old.incoming.body(await head(old.incoming)));
  old.peer.send("body");
  assert.equal(await oldBody, "body");
  assert.equal(old.peer.text, "");
});

test("a body that nobody read is not taken for the next request", async () => {
  const { peer, incoming } = make(post("/", get("/smuggled")).slice(0, -1));
  const body = incoming.body(await head(incoming));
  assert.ok(!(body instanceof Malformed) && body.kind === "stream");
  peer.send("\n");
  assert.ok(!incoming.readToEnd);
  assert.equal(await text(body), get("/smuggled"));
  assert.ok(incoming.readToEnd);
});
