import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compileScrubber, REDACTED } from "../../src/engine/scrub.ts";

const KEY = "sk_live_JANEE_CANARY_0123456789abcdefABCDEF";
const SLASHED = "ab/cdSECRET/x1234567";
const ODD = `p"a\\ss wörd/+<&>'=%41~9Zq`;
const SHORT = "q7$xZ";

type Encode = (secret: string) => Buffer | string;

const bytesOf = (text: string) => Array.from(Buffer.from(text, "utf8"));
const hexOf = (text: string) => bytesOf(text).map((byte) => byte.toString(16).padStart(2, "0"));
const letters = (text: string) => Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));
const every = (period: number, phase: number, one: (letter: number) => string) => (secret: string) =>
  letters(secret)
    .map((letter, at) => {
      const plain = String.fromCharCode(letter);
      // An encoder that leaves these would not be undone by its own decoder.
      const must = letter > 127 || plain === "\\" || plain === "%" || plain === "&";
      return must || at % period === phase ? one(letter) : plain;
    })
    .join("");
const percent = (letter: number) =>
  encodeURIComponent(String.fromCharCode(letter)).replace(
    /^[^%]$/,
    (c) => `%${c.charCodeAt(0).toString(16)}`,
  );
const unicode = (letter: number) => `\\u${letter.toString(16).padStart(4, "0")}`;
const wrap = (text: string, column: number, newline: string) =>
  (text.match(new RegExp(`.{1,${column}}`, "g")) ?? []).join(newline);
const base64 = (secret: string, before: string, after: string) =>
  Buffer.from(before + secret + after).toString("base64");
const utf16 = (secret: string) => Buffer.from(secret, "utf16le");

// Forms of any secret.
const escaped: Record<string, Encode> = {
  "as it stands": (secret) => secret,
  "upper case": (secret) => secret.replace(/[a-z]/g, (letter) => letter.toUpperCase()),
  "percent, all": every(1, 0, percent),
  "percent, some": every(3, 1, percent),
  encodeURIComponent: (secret) => encodeURIComponent(secret),
  form: (secret) => new URLSearchParams({ k: secret }).toString().slice(2),
  "double percent": (secret) => every(1, 0, percent)(secret).replaceAll("%", "%25"),
  "double encodeURIComponent": (secret) => encodeURIComponent(encodeURIComponent(secret)),
  JSON: (secret) => JSON.stringify(secret).slice(1, -1),
  "JSON in JSON": (secret) => JSON.stringify(JSON.stringify(secret)).slice(3, -3),
  "JSON with escaped slashes": (secret) => JSON.stringify(secret).slice(1, -1).replaceAll("/", "\\/"),
  "\\u, all": every(1, 0, unicode),
  "\\u, first": every(999, 0, unicode),
  "\\u, some": every(4, 3, unicode),
  "\\u, doubled": (secret) => every(1, 0, unicode)(secret).replaceAll("\\", "\\\\"),
  "\\u{}": every(2, 0, (letter) => `\\u{${letter.toString(16)}}`),
  "HTML decimal": every(1, 0, (letter) => `&#${letter};`),
  "HTML hex": every(1, 0, (letter) => `&#x${letter.toString(16)};`),
  "HTML hex, upper case": every(1, 0, (letter) => `&#X${letter.toString(16).toUpperCase()};`),
  "HTML padded": every(1, 0, (letter) => `&#x${letter.toString(16).padStart(8, "0")};`),
  "HTML, some": every(5, 2, (letter) => `&#0${letter};`),
  "HTML twice": every(2, 1, (letter) => `&amp;#${letter};`),
  "percent-encoded entities": every(3, 0, (letter) => encodeURIComponent(`&#${letter};`)),
  "percent, \\u and HTML in turn": (secret) =>
    letters(secret)
      .map((letter, at) => [percent, unicode, (code: number) => `&#${code};`][at % 3]?.(letter))
      .join(""),
  Markdown: (secret) =>
    secret
      .replace(/[_\\<>&"'%=/+]/g, "\\$&")
      .replaceAll("\\%", "%")
      .replaceAll("\\&", "&"),
};
const ofAscii: Record<string, Encode> = {
  "\\x": every(1, 0, (letter) => `\\x${letter.toString(16)}`),
  "quoted-printable, all": every(1, 0, (letter) => `=${letter.toString(16).toUpperCase().padStart(2, "0")}`),
};
// Forms of a secret with at least eight characters.
const encoded: Record<string, Encode> = {
  "UTF-16LE": (secret) => utf16(secret),
  "UTF-16BE": (secret) => utf16(secret).swap16(),
  "quoted-printable soft break": (secret) => `${secret.slice(0, 7)}=\r\n${secret.slice(7)}`,
  "quoted-printable soft break, LF": (secret) => `${secret.slice(0, 3)}=\n${secret.slice(3)}`,
  "base64 in UTF-16": (secret) => utf16(base64(secret, "", "")),
};
for (const [name, separator] of Object.entries({
  plain: "",
  space: " ",
  colon: ":",
  dash: "-",
  comma: ",",
  "comma space": ", ",
  newline: "\n",
  CRLF: "\r\n",
  "\\x": "\\x",
  "0x": "0x",
  "comma 0x": ", 0x",
  "\\\\x": "\\\\x",
  "JSON list": '", "',
})) {
  encoded[`hex, ${name}`] = (secret) => hexOf(secret).join(separator);
  encoded[`HEX, ${name}`] = (secret) =>
    hexOf(secret)
      .map((pair) => pair.toUpperCase())
      .join(separator);
}
for (const column of [2, 5, 16, 60])
  encoded[`hex in lines of ${column}`] = (secret) => wrap(hexOf(secret).join(""), column, "\n");
encoded["hex in words"] = (secret) => wrap(hexOf(secret).join(""), 4, " ");
encoded["hex in long words"] = (secret) => wrap(hexOf(secret).join(""), 8, " ");
encoded["hex of openssl"] = (secret) => wrap(hexOf(secret).join(":"), 24, "\n    ");
encoded["hex of a C array"] = (secret) =>
  wrap(
    hexOf(secret)
      .map((pair) => `0x${pair},`)
      .join(""),
    40,
    "\n  ",
  );
for (const [before, after] of [
  ["", ""],
  ["x", ""],
  ["xy", ""],
  ["", "z"],
  ["x", "zz"],
  ["api:", "tail!!"],
] as const) {
  const name = `base64 (${before}, ${after})`;
  encoded[name] = (secret) => base64(secret, before, after);
  encoded[`${name} for URLs`] = (secret) => Buffer.from(before + secret + after).toString("base64url");
  encoded[`${name} percent`] = (secret) => encodeURIComponent(base64(secret, before, after));
  encoded[`${name} JSON`] = (secret) => base64(secret, before, after).replaceAll("/", "\\/");
  for (const column of [1, 4, 7, 19, 64]) {
    for (const [kind, newline] of Object.entries({
      LF: "\n",
      CRLF: "\r\n",
      "\\n": "\\n",
      "\\r\\n": "\\r\\n",
      "\\\\n": "\\\\n",
    })) {
      encoded[`${name} at ${column}, ${kind}`] = (secret) =>
        wrap(base64(secret, before, after), column, newline);
    }
  }
}

const cases: { readonly name: string; readonly secret: string; readonly encode: Encode }[] = [];
for (const secret of [KEY, SLASHED, ODD, SHORT]) {
  const ascii = /^[\0-\x7f]*$/.test(secret);
  for (const forms of [escaped, ascii ? ofAscii : {}, secret === SHORT ? {} : encoded]) {
    for (const [name, encode] of Object.entries(forms))
      cases.push({ name: `${name} of ${secret}`, secret, encode });
  }
}
const formOf = (encode: Encode, secret: string) => Buffer.from(encode(secret));
const framed = (form: Buffer) => Buffer.concat([Buffer.from('{"a": "<'), form, Buffer.from('>", "b": 1}\n')]);
const compiled = new Map([KEY, SLASHED, ODD, SHORT].map((secret) => [secret, compileScrubber([secret])]));
const scrubberOf = (secret: string) => compiled.get(secret) ?? compileScrubber([secret]);
// A letter that no form can show as the other one, in either case or as a space.
const other = (secret: string, at: number) =>
  secret.slice(0, at) + (secret[at] === "k" || secret[at] === "K" ? "w" : "k") + secret.slice(at + 1);

test("every form is redacted once, alone and in a text", () => {
  for (const { name, secret, encode } of cases) {
    const form = formOf(encode, secret);
    for (const body of [form, framed(form)]) {
      const scrubbed = scrubberOf(secret).whole(body);
      assert.equal(scrubbed.redactions, 1, `${name}: ${body}`);
      assert.ok(scrubbed.bytes.includes(REDACTED), name);
    }
    const { bytes } = scrubberOf(secret).whole(framed(form));
    if (!/base64|UTF-16|C array/.test(name))
      assert.equal(bytes.toString("latin1"), framed(Buffer.from(REDACTED)).toString("latin1"), name);
  }
});

test("a twin that is one character off passes as the same buffer", () => {
  for (const { name, secret, encode } of cases) {
    for (const at of [0, 1, secret.length >> 1, secret.length - 2, secret.length - 1]) {
      const body = framed(formOf(encode, other(secret, at)));
      const scrubbed = scrubberOf(secret).whole(body);
      assert.equal(scrubbed.redactions, 0, `${name}, character ${at}: ${body}`);
      assert.equal(scrubbed.bytes, body, name);
    }
  }
});

test("every split point, and byte by byte, gives what the whole gives", () => {
  for (const { name, secret, encode } of cases) {
    const scrubber = scrubberOf(secret);
    const body = framed(formOf(encode, secret));
    const whole = scrubber.whole(body);
    for (let split = 0; split <= body.length; split += 1) {
      const stream = scrubber.stream("none");
      const got = Buffer.concat([
        stream.push(body.subarray(0, split)),
        stream.push(body.subarray(split)),
        stream.end(),
      ]);
      assert.ok(got.equals(whole.bytes) && stream.redactions === 1, `${name}, split at ${split}`);
    }
    const stream = scrubber.stream("none");
    const pieces = Array.from(body, (_, at) => stream.push(body.subarray(at, at + 1)));
    assert.ok(Buffer.concat([...pieces, stream.end()]).equals(whole.bytes), `${name}, byte by byte`);
    assert.equal(stream.redactions, 1);
  }
});

const seed = Number(process.env.JANEE_SEED ?? Date.now() % 2 ** 31);

test(`base64 with any text before and after, seed ${seed}`, () => {
  const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme-ascii", minLength: 8, maxLength: 60 }),
      bytes,
      bytes,
      (secret, before, after) => {
        const inside = Buffer.concat([before, Buffer.from(secret), after]);
        const scrubber = compileScrubber([secret]);
        for (const alphabet of ["base64", "base64url"] as const) {
          const body = Buffer.from(inside.toString(alphabet));
          const scrubbed = scrubber.whole(body);
          assert.equal(scrubbed.redactions > 0, true, body.toString());
          // Not one digit that holds a bit of the secret is left.
          const pieces = scrubbed.bytes.toString().split(REDACTED);
          assert.ok((pieces[0] ?? "").length <= Math.floor((8 * before.length) / 6), body.toString());
          const end = Math.ceil((8 * (before.length + secret.length)) / 6);
          assert.ok((pieces.at(-1) ?? "").length <= body.length - end, body.toString());
        }
      },
    ),
    { seed, numRuns: 2000 },
  );
});

const spellings = [
  (letter: number) => String.fromCharCode(letter),
  percent,
  (letter: number) => percent(letter).replace("%", "%25"),
  unicode,
  (letter: number) => `\\${unicode(letter)}`,
  (letter: number) => `\\u{${letter.toString(16)}}`,
  (letter: number) => `\\x${letter.toString(16)}`,
  (letter: number) => `&#${letter};`,
  (letter: number) => `&amp;#x${letter.toString(16)};`,
] as const;

test(`any mixture of escapes, seed ${seed}`, () => {
  const spelling = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(spellings.length - 1));
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme-ascii", minLength: 5, maxLength: 40 }),
      fc.array(spelling, { minLength: 40, maxLength: 40 }),
      (secret, choices) => {
        const form = letters(secret).map((letter, at) => {
          const bare = /[\\%&]/.test(String.fromCharCode(letter));
          return (spellings[choices[at] || (bare ? 3 : 0)] ?? unicode)(letter);
        });
        const body = framed(Buffer.from(form.join("")));
        assert.ok(compileScrubber([secret]).whole(body).redactions > 0, body.toString());
      },
    ),
    { seed, numRuns: 3000 },
  );
});

test(`base64 and hex broken anywhere, seed ${seed}`, () => {
  const newline = fc.constantFrom("\n", "\r\n", "\\n", "\\r\\n", "\n  ", "%0A", "&#10;");
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme-ascii", minLength: 8, maxLength: 40 }),
      fc.string({ maxLength: 4 }),
      newline,
      fc.array(fc.nat(90), { minLength: 1, maxLength: 12 }),
      (secret, before, separator, breaks) => {
        for (const text of [base64(secret, before, "z"), hexOf(secret).join("")]) {
          const broken = Array.from(text, (digit, at) =>
            breaks.includes(at) && at > 0 ? separator + digit : digit,
          );
          const body = framed(Buffer.from(broken.join("")));
          assert.equal(compileScrubber([secret]).whole(body).redactions, 1, body.toString());
        }
      },
    ),
    { seed, numRuns: 1500 },
  );
});

test("the edge digits of base64 go with it", () => {
  const body = Buffer.from(base64(KEY, "x", "zz"));
  const first = Math.floor(8 / 6);
  const after = Math.ceil((8 * (1 + KEY.length)) / 6);
  const expected = body.toString().slice(0, first) + REDACTED + body.toString().slice(after);
  assert.equal(compileScrubber([KEY]).whole(body).bytes.toString(), expected);
});

test(`many secrets, any chunks: stream and whole agree, seed ${seed}`, () => {
  const secrets = [KEY, `Bearer ${KEY}`, `api:${KEY}`, "abababab", "babababa99"];
  const scrubber = compileScrubber(secrets);
  const part = fc.oneof(
    fc.constantFrom(
      ...secrets,
      "abab",
      "ab",
      "\n\n",
      "\\",
      "%",
      "&#x",
      base64(KEY, "x", ""),
      hexOf(KEY).join(":"),
    ),
    fc.constantFrom(
      ...cases.filter((one) => one.secret === KEY).map((one) => formOf(one.encode, KEY).toString("latin1")),
    ),
    fc.string({ maxLength: 30 }).map((text) => `${text} `),
  );
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1 }),
      (parts, sizes) => {
        const body = Buffer.from(parts.join(""), "latin1");
        const whole = scrubber.whole(body);
        const stream = scrubber.stream("none");
        const pieces: Buffer[] = [];
        for (let at = 0, turn = 0; at < body.length; turn += 1) {
          const end = at + (sizes[turn % sizes.length] as number);
          const chunk = Buffer.from(body.subarray(at, end));
          pieces.push(Buffer.from(stream.push(chunk)));
          chunk.fill(0x21);
          at = end;
        }
        const got = Buffer.concat([...pieces, stream.end()]);
        assert.equal(got.toString("latin1"), whole.bytes.toString("latin1"));
        assert.equal(stream.redactions, whole.redactions);
      },
    ),
    { seed, numRuns: 1500 },
  );
});

test("short secrets, empty lists, repeated and overlapping values", () => {
  assert.deepEqual(compileScrubber([]).text("anything"), { text: "anything", redactions: 0 });
  assert.deepEqual(compileScrubber(["", ""]).text(""), { text: "", redactions: 0 });
  assert.deepEqual(compileScrubber(["z", "z"]).text("az%7AZ"), {
    text: `a${REDACTED}${REDACTED}${REDACTED}`,
    redactions: 3,
  });
  assert.deepEqual(compileScrubber(["k1"]).text("k1 k2"), { text: `${REDACTED} k2`, redactions: 1 });
  assert.deepEqual(compileScrubber([KEY, `Bearer ${KEY}`]).text(`Bearer ${KEY}.`), {
    text: `${REDACTED}.`,
    redactions: 1,
  });
  assert.deepEqual(compileScrubber(["aaaa"]).text("baaaaaaaab"), { text: `b${REDACTED}b`, redactions: 1 });
  assert.deepEqual(compileScrubber([KEY]).text(KEY + KEY), { text: REDACTED + REDACTED, redactions: 2 });
  // A short secret's base64 and hex are too common to redact.
  for (const form of [Buffer.from("q7$").toString("base64"), "713724"])
    assert.equal(compileScrubber(["q7$"]).text(form).text, form);
});

test("a header value that holds UTF-8 read as Latin-1", () => {
  const latin = Buffer.from("pässwörd-1234", "utf8").toString("latin1");
  const scrubber = compileScrubber(["pässwörd-1234"]);
  assert.equal(scrubber.text(`ü ${latin}`).text, `ü ${REDACTED}`);
  assert.equal(scrubber.text("pässwörd-1234").text, REDACTED);
  assert.equal(scrubber.text("pässwörd-1235").text, "pässwörd-1235");
});

test("a PEM key of 3 KB, raw, escaped, in base64, and with CRLF chunks", () => {
  const line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n";
  const pem = `-----BEGIN PRIVATE KEY-----\n${line.repeat(46)}-----END PRIVATE KEY-----\n`;
  const scrubber = compileScrubber([pem]);
  for (const form of [
    pem,
    JSON.stringify(pem).slice(1, -1),
    encodeURIComponent(pem),
    wrap(base64(pem, "", ""), 76, "\r\n"),
  ]) {
    const body = framed(Buffer.from(form));
    assert.equal(scrubber.whole(body).redactions, 1, form.slice(0, 60));
    const stream = scrubber.stream("none");
    const pieces: Buffer[] = [];
    for (let at = 0; at < body.length; at += 97) pieces.push(stream.push(body.subarray(at, at + 97)));
    const got = Buffer.concat([...pieces, stream.end()]);
    assert.ok(got.equals(scrubber.whole(body).bytes));
  }
});
