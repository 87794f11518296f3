import assert from "node:assert/strict";
import type { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  defaultHeadLimits,
  field,
  Malformed,
  readResponseHead,
  writeRequestHead,
} from "../../src/wire/http1.ts";
import { bytes, eachByte, type Reading, readRequests, readResponses, splitAt } from "./connection.ts";
import { type Pair, requestPairs, responsePairs } from "./vectors.ts";

interface Case {
  readonly id: string;
  readonly input: {
    readonly raw?: string;
    readonly headers?: Readonly<Record<string, string | { readonly $repeat: readonly [string, number] }>>;
  };
  readonly expect: { readonly outcome: string; readonly code?: string };
}

function corpus(name: string): Case[] {
  const text = readFileSync(new URL(`../corpus/${name}.jsonl`, import.meta.url), "utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line): Case => JSON.parse(line));
}

function rawRequests(): { id: string; whole: Buffer; code: string | undefined }[] {
  return [...corpus("smuggling"), ...corpus("path-wire")].flatMap(({ id, input, expect }) => {
    if (input.raw === undefined || input.raw.startsWith("(upstream)")) return [];
    assert.equal(expect.outcome, "error", id);
    const whole = bytes(input.raw.replaceAll("PORT", "8080").replaceAll("SESSION", "token"));
    return [{ id, whole, code: expect.code }];
  });
}

const requests =
  ({ limits }: Pair) =>
  (parts: readonly Buffer[]) =>
    readRequests(parts, limits ?? defaultHeadLimits);
const responses =
  ({ limits }: Pair) =>
  (parts: readonly Buffer[]) =>
    readResponses(parts, "GET", limits ?? defaultHeadLimits);

for (const one of requestPairs) {
  test(`request refused: ${one.what}`, () => {
    const read = requests(one);
    assert.deepEqual(read([bytes(one.refused)]), { messages: [], ended: one.code });
    const twin = read([bytes(one.twin)]);
    assert.ok(twin.ended === "open" || twin.ended === "last", `the twin was refused: ${twin.ended}`);
    assert.notEqual(twin.messages.length, 0);
  });
}

for (const one of responsePairs) {
  test(`response refused: ${one.what}`, () => {
    const read = responses(one);
    assert.deepEqual(read([bytes(one.refused)]), { messages: [], ended: one.code });
    const twin = read([bytes(one.twin)]);
    assert.ok(twin.ended === "open" || twin.ended === "last", `the twin was refused: ${twin.ended}`);
    assert.equal(twin.messages.length, 1);
  });
}

test("every raw request of the corpus is refused before anything is read", () => {
  const cases = rawRequests();
  assert.ok(cases.length >= 22);
  for (const { id, whole, code } of cases) {
    const { messages, ended } = readRequests([whole]);
    assert.equal(messages.length, 0, id);
    assert.ok(ended !== "open" && ended !== "last" && ended !== "incomplete", `${id}: ${ended}`);
    if (code !== undefined) assert.equal(ended, code, id);
  }
});

test("header cases of the corpus that are the wire's to refuse", () => {
  const codes = ["bad_header_name", "bad_header_value", "headers_too_large"];
  const cases = corpus("headers").filter(({ expect }) => codes.includes(expect.code ?? ""));
  assert.ok(cases.length >= 9);
  for (const { id, input, expect } of cases) {
    const fields = Object.entries(input.headers ?? {}).map(([name, value]) =>
      field(name, typeof value === "string" ? value : value.$repeat[0].repeat(value.$repeat[1])),
    );
    const lines = fields.map(({ name, value }) => `${name}: ${value}\r\n`).join("");
    if (expect.code !== "headers_too_large") {
      assert.throws(() => writeRequestHead("GET", "/v1/x", fields), TypeError, id);
    }
    // A char above 255 has no byte on the wire, and CR LF there makes two good lines: only the writer meets them.
    if (fields.some(({ value }) => /[^\x00-\xff]|\r\n/.test(value))) continue;
    const { ended } = readRequests([bytes(`GET /v1/x HTTP/1.1\r\nHost: h\r\n${lines}\r\n`)]);
    assert.equal(ended, expect.code, id);
  }
});

test("responses of the corpus: a 101 is only a head, and a value is never decoded", () => {
  const raw = bytes("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n\x00\x01");
  const head = readResponseHead(raw, "GET", defaultHeadLimits);
  assert.ok(head !== undefined && !(head instanceof Malformed));
  assert.deepEqual([head.status, head.framing, head.size], [101, { kind: "none" }, raw.length - 2]);
  const { messages } = readResponses(
    [bytes("HTTP/1.1 302 Found\r\nLocation: /a%0d%0aSet-Cookie:x\r\nContent-Length: 0\r\n\r\n")],
    "GET",
  );
  assert.deepEqual(messages[0]?.raw, ["Location", "/a%0d%0aSet-Cookie:x", "Content-Length", "0"]);
});

function sameWhereverSplit(what: string, whole: Buffer, read: (parts: readonly Buffer[]) => Reading): void {
  const expected = read([whole]);
  assert.deepEqual(read(eachByte(whole)), expected, `${what}: byte by byte`);
  for (let at = 0; at <= whole.length; at += 1) {
    assert.deepEqual(read(splitAt(whole, at)), expected, `${what}: split at ${at}`);
  }
}

test("a request reads the same wherever its bytes are split", { timeout: 60_000 }, () => {
  for (const one of requestPairs) {
    if (one.refused.length > 1000) continue;
    sameWhereverSplit(one.what, bytes(one.refused), requests(one));
    sameWhereverSplit(one.what, bytes(one.twin), requests(one));
  }
  for (const { id, whole } of rawRequests()) sameWhereverSplit(id, whole, (parts) => readRequests(parts));
});

test("a response reads the same wherever its bytes are split", { timeout: 60_000 }, () => {
  for (const one of responsePairs) {
    sameWhereverSplit(one.what, bytes(one.refused), responses(one));
    sameWhereverSplit(one.what, bytes(one.twin), responses(one));
  }
});
