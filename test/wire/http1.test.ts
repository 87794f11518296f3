import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import fc from "fast-check";
import {
  BodyReader,
  chunk,
  connectionTokens,
  defaultHeadLimits,
  field,
  lastChunk,
  Malformed,
  type RequestHead,
  type ResponseHead,
  readRequestHead,
  readResponseHead,
  writeRequestHead,
  writeResponseHead,
} from "../../src/wire/http1.ts";
import { bytes } from "./connection.ts";

function request(text: string): RequestHead {
  const head = readRequestHead(bytes(text), defaultHeadLimits);
  assert.ok(head !== undefined && !(head instanceof Malformed), `refused: ${JSON.stringify(head)}`);
  return head;
}

function response(text: string, method = "GET"): ResponseHead {
  const head = readResponseHead(bytes(text), method, defaultHeadLimits);
  assert.ok(head !== undefined && !(head instanceof Malformed), `refused: ${JSON.stringify(head)}`);
  return head;
}

const code = (step: unknown) => (step instanceof Malformed ? step.code : step);

test("a request head in full", () => {
  const text =
    "POST /v1/x?a=b HTTP/1.1\r\nHOST: [::1]:80\r\nX-Own:  a\xe9 \t\r\nContent-Length: 12\r\nExpect: 100-continue\r\n\r\n";
  assert.deepEqual(request(`${text}body and more`), {
    method: "POST",
    target: "/v1/x?a=b",
    form: "origin",
    authority: undefined,
    minor: 1,
    fields: [
      { name: "HOST", key: "host", value: "[::1]:80" },
      { name: "X-Own", key: "x-own", value: "a\xe9" },
      { name: "Content-Length", key: "content-length", value: "12" },
      { name: "Expect", key: "expect", value: "100-continue" },
    ],
    host: "[::1]:80",
    framing: { kind: "length", length: 12 },
    keepAlive: true,
    expectContinue: true,
    size: text.length,
  });
});

test("a request keeps the connection on 1.1 only, and only when nothing closes it", () => {
  const kept = (version: string, fields: string) =>
    request(`GET / HTTP/${version}\r\nHost: h\r\n${fields}\r\n`).keepAlive;
  assert.equal(kept("1.1", ""), true);
  assert.equal(kept("1.1", "Connection: keep-alive, x-close\r\n"), true);
  assert.equal(kept("1.1", "Connection: Close\r\n"), false);
  assert.equal(kept("1.1", "Connection: x\r\nConnection: a ,\tclose\r\n"), false);
  assert.equal(kept("1.1", "Proxy-Connection: close\r\n"), false);
  assert.equal(kept("1.1", "Connection: Upgrade\r\nUpgrade: h2c\r\n"), false);
  assert.equal(kept("1.0", "Connection: keep-alive\r\n"), false);
});

test("an expectation counts on 1.1 only", () => {
  assert.equal(request("POST / HTTP/1.0\r\nHost: h\r\nExpect: 100-continue\r\n\r\n").expectContinue, false);
  assert.equal(request("POST / HTTP/1.1\r\nHost: h\r\n\r\n").expectContinue, false);
});

test("a name that is an object's own is a name like any other", () => {
  const { fields } = request("GET / HTTP/1.1\r\nHost: h\r\n__proto__: x\r\nConstructor: y\r\n\r\n");
  assert.deepEqual(
    fields.map(({ key }) => key),
    ["host", "__proto__", "constructor"],
  );
});

test("keys are the lower case of names, listed or not", () => {
  const names = [
    "Content-Type",
    "CONTENT-TYPE",
    "content-typE",
    "Content-Typo",
    "X-Content-Type",
    "Etag",
    "ETAG",
  ];
  for (const name of names) {
    const [, read] = request(`GET / HTTP/1.1\r\nHost: h\r\n${name}: x\r\n\r\n`).fields;
    assert.deepEqual(read, { name, key: name.toLowerCase(), value: "x" });
  }
});

test("how the end of a response body is known", () => {
  const kind = (head: string, method?: string) => {
    const { framing, keepAlive } = response(head, method);
    return [framing.kind, keepAlive];
  };
  const five = "Content-Length: 5\r\n\r\n";
  assert.deepEqual(kind(`HTTP/1.1 200 OK\r\n${five}`), ["length", true]);
  assert.deepEqual(kind(`HTTP/1.0 200 OK\r\n${five}`), ["length", false]);
  assert.deepEqual(kind(`HTTP/1.1 200 OK\r\nConnection: close\r\n${five}`), ["length", false]);
  assert.deepEqual(kind("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"), ["chunked", true]);
  assert.deepEqual(kind("HTTP/1.1 200 OK\r\n\r\n"), ["close", false]);
  assert.deepEqual(kind(`HTTP/1.1 200 OK\r\n${five}`, "HEAD"), ["none", true]);
  for (const status of [100, 103, 204, 304]) {
    assert.deepEqual(kind(`HTTP/1.1 ${status} X\r\n${five}`), ["none", true]);
  }
  assert.deepEqual(kind(`HTTP/1.1 205 X\r\n${five}`), ["length", true]);
});

test("a body of known length gives back what is beyond it", () => {
  const body = new BodyReader({ kind: "length", length: 5 }, "strict");
  assert.deepEqual(body.push(bytes("he")), { pieces: [bytes("he")], done: false, rest: undefined });
  assert.equal(body.done, false);
  assert.deepEqual(body.push(bytes("lloGET")), { pieces: [bytes("llo")], done: true, rest: bytes("GET") });
  assert.equal(body.done, true);
  assert.equal(body.end(), undefined);
});

test("no body is done at once", () => {
  const body = new BodyReader({ kind: "none" }, "strict");
  assert.equal(body.done, true);
  assert.deepEqual(body.push(bytes("GET")), { pieces: [], done: true, rest: bytes("GET") });
  assert.deepEqual(new BodyReader({ kind: "length", length: 0 }, "strict").done, true);
});

test("pieces are views of what was pushed", () => {
  const pushed = bytes("5\r\nhello\r\n0\r\n\r\n");
  const step = new BodyReader({ kind: "chunked" }, "strict").push(pushed);
  assert.ok(!(step instanceof Malformed));
  assert.equal(step.pieces[0]?.buffer, pushed.buffer);
});

test("a connection that ends ends a body framed by it, and cuts any other short", () => {
  const close = new BodyReader({ kind: "close" }, "lenient");
  assert.deepEqual(close.push(bytes("hello")), { pieces: [bytes("hello")], done: false, rest: undefined });
  assert.equal(close.end(), undefined);
  assert.equal(close.done, true);
  const length = new BodyReader({ kind: "length", length: 6 }, "lenient");
  length.push(bytes("hello"));
  assert.equal(code(length.end()), "bad_body");
  const chunked = new BodyReader({ kind: "chunked" }, "lenient");
  chunked.push(bytes("5\r\nhello\r\n0\r\n"));
  assert.equal(code(chunked.end()), "bad_body");
  chunked.push(bytes("\r\n"));
  assert.equal(chunked.done, false, "nothing mends a body that was refused");
});

test("a body that was refused stays refused", () => {
  const body = new BodyReader({ kind: "chunked" }, "strict");
  assert.equal(code(body.push(bytes("x"))), "bad_chunk");
  assert.equal(code(body.push(bytes("5\r\nhello\r\n0\r\n\r\n"))), "bad_chunk");
  assert.equal(code(body.end()), "bad_chunk");
});

test("the names that Connection lists", () => {
  const { fields } = request(
    "GET / HTTP/1.1\r\nHost: h\r\nConnection: close, X-A ,\tAuthorization\r\nconnection: ,x-b,\r\n\r\n",
  );
  assert.deepEqual([...connectionTokens(fields)], ["close", "x-a", "authorization", "x-b"]);
});

test("what could break a head is never written", () => {
  const bad = ["\r", "\n", "\0", "\u010d", "\u010a", "\u{1f511}"];
  for (const char of bad) {
    const broken = `a${char}b`;
    assert.throws(() => writeRequestHead("GET", "/", [field("X-A", broken)]), TypeError);
    assert.throws(() => writeRequestHead("GET", "/", [field(broken, "x")]), TypeError);
    assert.throws(() => writeRequestHead("GET", `/${broken}`, []), TypeError);
    assert.throws(() => writeRequestHead(broken, "/", []), TypeError);
    assert.throws(() => writeResponseHead(200, [field("X-A", broken)]), TypeError);
    assert.throws(() => writeResponseHead(200, [field(broken, "x")]), TypeError);
  }
  for (const name of ["", "X A", "X:", "X\xe9"]) {
    assert.throws(() => writeRequestHead("GET", "/", [field(name, "x")]), TypeError);
  }
  for (const target of ["", "/a b", "/\xe9"])
    assert.throws(() => writeRequestHead("GET", target, []), TypeError);
  for (const status of [99, 1000, 200.5, Number.NaN])
    assert.throws(() => writeResponseHead(status, []), TypeError);
  assert.throws(
    () => writeRequestHead("GET", "/", [field("Authorization", "sekret\n")]),
    (error: Error) => {
      return !error.message.includes("sekret");
    },
  );
});

test("a head as written", () => {
  assert.equal(
    writeRequestHead("GET", "/a?b", [field("Host", "h"), field("X-A", "\xe9\t")]).toString("latin1"),
    "GET /a?b HTTP/1.1\r\nHost: h\r\nX-A: \xe9\t\r\n\r\n",
  );
  assert.equal(writeResponseHead(404, []).toString("latin1"), "HTTP/1.1 404 Not Found\r\n\r\n");
  assert.equal(writeResponseHead(299, []).toString("latin1"), "HTTP/1.1 299 \r\n\r\n");
});

const tokenChars = [..."!#$%&'*+-.^_`|~09AZaz"];
const name = fc.string({ unit: fc.constantFrom(...tokenChars), minLength: 1, maxLength: 20 });
const codes = Array.from({ length: 256 }, (_, at) => at).filter((at) => at === 9 || (at > 31 && at !== 127));
const value = fc
  .string({ unit: fc.constantFrom(...codes.map((at) => String.fromCharCode(at))), maxLength: 60 })
  .map((text) => text.replace(/^[ \t]+|[ \t]+$/g, ""));
const fieldList = fc.array(
  fc.tuple(name, value).map(([left, right]) => field(`X-${left}`, right)),
  { maxLength: 20 },
);

test("what is written is read back the same", () => {
  fc.assert(
    fc.property(fieldList, fc.integer({ min: 200, max: 999 }), (fields, status) => {
      const all = [field("Host", "h:80"), ...fields, field("Content-Length", "7")];
      const written = writeRequestHead("PUT", "/x", all);
      const read = readRequestHead(written, defaultHeadLimits);
      assert.ok(read !== undefined && !(read instanceof Malformed));
      assert.deepEqual([read.fields, read.size], [all, written.length]);
      const answer = readResponseHead(writeResponseHead(status, all), "GET", defaultHeadLimits);
      assert.ok(answer !== undefined && !(answer instanceof Malformed));
      assert.deepEqual([answer.fields, answer.status], [all, status]);
    }),
  );
});

test("chunks that are written are read back, whatever the pushes", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 300 })),
      fc.integer({ min: 1, max: 50 }),
      (parts, size) => {
        const written = Buffer.concat([...parts.map((part) => chunk(Buffer.from(part))), lastChunk]);
        for (const mode of ["strict", "lenient"] as const) {
          const body = new BodyReader({ kind: "chunked" }, mode);
          const pieces: Buffer[] = [];
          for (let at = 0; at < written.length; at += size) {
            const step = body.push(written.subarray(at, at + size));
            assert.ok(!(step instanceof Malformed));
            pieces.push(...step.pieces);
          }
          assert.equal(body.done, true);
          assert.deepEqual(Buffer.concat(pieces), Buffer.concat(parts));
        }
      },
    ),
  );
});

test("an empty chunk is no bytes: it would end the body", () => {
  assert.equal(chunk(Buffer.alloc(0)).length, 0);
});
