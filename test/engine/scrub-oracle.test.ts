// What must not happen: an answer, a length or a delay that tells a right guess of a part from a wrong one,
// and a change to honest text.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { compileScrubber, REDACTED } from "../../src/engine/scrub.ts";

const KEY = "sk_live_JANEE_CANARY_0123456789abcdefABCDEF";
const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BOUNDARIES = ["none", "event", "line"] as const;
const seed = Number(process.env.JANEE_SEED ?? Date.now() % 2 ** 31);

const scrubber = compileScrubber([KEY, `Bearer ${KEY}`]);
const forms: Record<string, (text: string) => string> = {
  raw: (text) => text,
  base64: (text) => Buffer.from(text).toString("base64"),
  "base64, shifted": (text) => Buffer.from(`x${text}`).toString("base64"),
  "base64, shifted twice": (text) => Buffer.from(`xy${text}`).toString("base64url"),
  hex: (text) => Buffer.from(text).toString("hex"),
  "hex with colons": (text) =>
    Buffer.from(text)
      .toString("hex")
      .replace(/..(?=.)/g, "$&:"),
  percent: (text) => text.replace(/./g, (letter) => `%${letter.charCodeAt(0).toString(16)}`),
  unicode: (text) => text.replace(/./g, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`),
};

// Small and good enough to be the same on both runtimes: xorshift32.
function randomBytes(count: number, from: number, alphabet?: string): Buffer {
  const bytes = Buffer.alloc(count);
  let state = from | 1;
  for (let at = 0; at < count; at += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const value = state >>> 8;
    bytes[at] = alphabet === undefined ? value & 255 : alphabet.charCodeAt(value % alphabet.length);
  }
  return bytes;
}

test("guesses: no prefix of the key with any next character is changed or counted", () => {
  for (const [name, encode] of Object.entries(forms)) {
    for (let known = 0; known < KEY.length; known += 1) {
      for (const next of BASE62) {
        const guess = KEY.slice(0, known) + next;
        if (guess.toLowerCase() === KEY.toLowerCase()) continue;
        const body = Buffer.from(`{"echo":"${encode(guess)}"}`);
        const scrubbed = scrubber.whole(body);
        assert.ok(scrubbed.bytes === body && scrubbed.redactions === 0, `${name}: ${guess}`);
      }
    }
  }
});

test("guesses: a suffix, or the key less one character anywhere, is not redacted", () => {
  for (const [name, encode] of Object.entries(forms)) {
    for (let at = 0; at < KEY.length; at += 1) {
      for (const guess of [KEY.slice(at + 1), KEY.slice(0, at) + KEY.slice(at + 1)]) {
        assert.equal(scrubber.text(encode(guess)).redactions, 0, `${name}: ${guess}`);
      }
    }
  }
});

test("hold-back: as many bytes are out before a pause after a right prefix as after a wrong one", () => {
  const wrong = Buffer.from(randomBytes(KEY.length, 7, BASE62)).toString();
  for (const boundary of BOUNDARIES) {
    for (const encode of Object.values(forms)) {
      for (let known = 1; known < KEY.length; known += 1) {
        for (const lead of ["", "x".repeat(5000), `${"y".repeat(700)}\n`, `data: ${"z".repeat(300)}\n\n`]) {
          const counts = [KEY.slice(0, known), wrong.slice(0, known)].map((guess) => {
            const stream = scrubber.stream(boundary);
            const first = stream.push(Buffer.from(lead + encode(guess).slice(0, known)));
            const second = stream.push(Buffer.from("."));
            return [first.length, second.length, stream.redactions];
          });
          assert.deepEqual(counts[0], counts[1]);
        }
      }
    }
  }
});

test("an event, or a line, is passed on at once and whole", () => {
  for (const [boundary, newline] of [
    ["event", "\n\n"],
    ["event", "\r\n\r\n"],
    ["event", "\r\r"],
    ["line", "\n"],
  ] as const) {
    const stream = scrubber.stream(boundary);
    const event = `data: {"text":"${KEY}"}${newline}`;
    const expected = event.replace(KEY, REDACTED);
    for (let turn = 1; turn <= 3; turn += 1) {
      assert.equal(stream.push(Buffer.from(event)).toString(), expected);
      assert.equal(stream.redactions, turn);
    }
    assert.equal(stream.push(Buffer.from("data: half")).length, 0);
    assert.equal(stream.push(Buffer.from(` ${newline}data: next`)).toString(), `data: half ${newline}`);
    assert.equal(stream.end().toString(), "data: next");
  }
});

test("an event end that is split over chunks is seen", () => {
  for (const end of ["\n\n", "\r\n\r\n", "\r\r"]) {
    for (let split = 1; split < end.length; split += 1) {
      const stream = scrubber.stream("event");
      const first = stream.push(Buffer.from(`data: ${KEY}${end.slice(0, split)}`));
      const second = stream.push(Buffer.from(end.slice(split)));
      assert.equal(Buffer.concat([first, second]).toString(), `data: ${REDACTED}${end}`);
    }
  }
});

test("a key split over two events is a documented limit", () => {
  const stream = scrubber.stream("event");
  const halves = [`data: ${KEY.slice(0, 20)}\n\n`, `data: ${KEY.slice(20)}\n\n`];
  for (const half of halves) assert.equal(stream.push(Buffer.from(half)).toString(), half);
  assert.equal(stream.redactions, 0);
});

test(`false positives: 8 MiB of random bytes and of base62 come out as they went in, seed ${seed}`, () => {
  const short = compileScrubber(["p4ssw0rd", KEY]);
  for (const alphabet of [undefined, BASE62]) {
    const text = randomBytes(8 << 20, seed, alphabet);
    for (const one of [scrubber, short]) {
      assert.equal(one.whole(text).bytes, text);
      const stream = one.stream("none");
      let at = 0;
      for (let from = 0; from < text.length; from += 65536) {
        const out = stream.push(text.subarray(from, from + 65536));
        assert.ok(out.equals(text.subarray(at, at + out.length)));
        at += out.length;
      }
      assert.ok(stream.end().equals(text.subarray(at)));
      assert.equal(stream.redactions, 0);
    }
  }
});

test("honest text is passed as the same buffer", () => {
  for (const text of [
    "",
    REDACTED,
    "sk_live_",
    "a=1&amp;b=%20\r\n\\u0041 &#39;\\\\=\r\n",
    "%".repeat(99),
    "\\".repeat(9999),
  ]) {
    const body = Buffer.from(text);
    assert.equal(scrubber.whole(body).bytes, body);
    assert.equal(scrubber.text(text).text, text);
  }
});

test("the caller's buffers are not changed", () => {
  const body = Buffer.from(`a ${KEY} b ${encodeURIComponent(KEY)} c`);
  const copy = Buffer.from(body);
  scrubber.whole(body);
  const stream = scrubber.stream("line");
  stream.push(body);
  stream.end();
  assert.ok(body.equals(copy));
});

interface LeakCase {
  readonly id: string;
  readonly input: {
    readonly title: string;
    readonly key?: string;
    readonly upstream_response?: { readonly body?: unknown; readonly headers?: Record<string, string> };
  };
  readonly expect: { readonly outcome: unknown; readonly contains_key?: boolean; readonly note?: string };
}

test("corpus: bodies and headers that are text", () => {
  const lines = readFileSync(new URL("../corpus/leak.jsonl", import.meta.url), "utf8").split("\n");
  let ran = 0;
  for (const line of lines.filter((one) => one !== "")) {
    const { id, input, expect }: LeakCase = JSON.parse(line);
    const answer = input.upstream_response;
    const noted = /run with key=(\S+)/.exec(expect.note ?? "")?.[1];
    const key = noted ?? input.key;
    if (answer === undefined || key === undefined) continue;
    const texts = [answer.body, ...Object.values(answer.headers ?? {})].filter(
      (text) => typeof text === "string",
    );
    const one = compileScrubber([key, Buffer.from(`api:${key}`).toString("base64")]);
    for (const text of texts) {
      const scrubbed = one.text(text);
      if (expect.outcome === "undetectable" || expect.contains_key !== false) {
        assert.deepEqual(scrubbed, { text, redactions: 0 }, id);
      } else {
        assert.equal(scrubbed.text.includes(key), false, id);
      }
    }
    const body = answer.body;
    const echoes = typeof body === "string" && body !== "" && !body.startsWith("echo of");
    if (expect.outcome === "scrubbed" && expect.contains_key === false && echoes) {
      assert.ok(one.text(body).text.includes(REDACTED), `${id} ${input.title}`);
      ran += 1;
    }
  }
  assert.ok(ran >= 20, `only ${ran} cases ran`);
});
