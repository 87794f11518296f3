// HTTP Digest against the examples of RFC 7616, and what of a service's challenges is answered.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { Failure } from "../../../src/engine/failure.ts";
import type { HeaderField } from "../../../src/engine/ports.ts";
import { type Ask, headerOf, type Made, made, unsigned } from "./made.ts";

const auth = "{type: digest, username: Mufasa, password: env:P}";
const secrets = { password: "Circle of Life" };
const url = "http://www.example.org";
const cnonce = Buffer.from("f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "base64");

function mufasa(): Promise<Made> {
  return made(auth, url, secrets, cnonce, "allowCleartext: true");
}

function challenge(...values: string[]): HeaderField[] {
  return values.map((value) => ({ name: "WWW-Authenticate", key: "www-authenticate", value }));
}

/** What goes out: nothing yet, or the header, and whether a further challenge is answered. */
function sent(one: Made, ask: Ask): { header: string; challenged: (...values: string[]) => boolean } {
  const request = unsigned(one, ask);
  const placed = one.credential.sign(request);
  assert.ok(!(placed instanceof Failure));
  return {
    header: headerOf(placed, "authorization"),
    challenged: (...values) => one.credential.challenged?.(challenge(...values), request) === true,
  };
}

function parts(header: string): Map<string, string> {
  const found = [...header.matchAll(/([\w*]+)=(?:"([^"]*)"|([^", ]+))/g)];
  return new Map(found.map(([, name = "", quoted, plain]) => [name, quoted ?? plain ?? ""]));
}

const common =
  'realm="http-auth@example.org", qop="auth, auth-int", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';
const sha256 = `Digest ${common}, algorithm=SHA-256`;
const md5 = `Digest ${common}, algorithm=MD5`;
const page = { target: "/dir/index.html" };

for (const [name, value, response] of [
  ["MD5", md5, "8ca523f5e9506fed4657c9700eebdbec"],
  ["SHA-256", sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"],
] as const) {
  test(`RFC 7616 section 3.9.1, ${name}`, async () => {
    const one = await mufasa();
    const first = sent(one, page);
    assert.equal(first.header, "", "nothing is shown before the service asks");
    assert.ok(first.challenged(value));
    const { header } = sent(one, page);
    assert.deepEqual(
      parts(header),
      new Map([
        ["username", "Mufasa"],
        ["realm", "http-auth@example.org"],
        ["uri", "/dir/index.html"],
        ["algorithm", name],
        ["nonce", "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"],
        ["nc", "00000001"],
        ["cnonce", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"],
        ["qop", "auth"],
        ["response", response],
        ["opaque", "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"],
      ]),
    );
  });
}

test("RFC 7616 section 3.9.2 as its erratum 4897 has it: SHA-512/256 and a hashed user", async () => {
  const random = Buffer.from("NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v", "base64");
  const one = await made(
    "{type: digest, username: J\u00e4s\u00f8n Doe, password: env:P}",
    "https://api.example.org",
    { password: "Secret, or not?" },
    random,
  );
  const value =
    'Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", charset=UTF-8, userhash=true';
  assert.ok(sent(one, { target: "/doe.json" }).challenged(value));
  const answer = parts(sent(one, { target: "/doe.json" }).header);
  assert.equal(answer.get("username"), "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b");
  assert.equal(answer.get("response"), "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5");
  assert.equal(answer.get("userhash"), "true");

  assert.ok(
    sent(one, { target: "/doe.json" }).challenged(
      value.replace("userhash=true", "userhash=false, stale=true"),
    ),
  );
  assert.match(sent(one, { target: "/doe.json" }).header, /username\*=UTF-8''J%C3%A4s%C3%B8n%20Doe,/);
});

test("a nonce is used again, and counted; a stale one is replaced", async () => {
  const one = await mufasa();
  assert.ok(sent(one, page).challenged(sha256));
  const counts = [1, 2, 3].map(() => parts(sent(one, page).header).get("nc"));
  assert.deepEqual(counts, ["00000001", "00000002", "00000003"]);
  const stale = sha256.replace("7ypf", "NEW0");
  assert.ok(sent(one, page).challenged(`${stale}, stale=true`));
  const after = parts(sent(one, page).header);
  assert.deepEqual([after.get("nc"), after.get("nonce")?.slice(0, 4)], ["00000001", "NEW0"]);
});

test("an answer that is refused is not given twice, and the next request asks anew", async () => {
  const one = await mufasa();
  assert.ok(sent(one, page).challenged(sha256));
  const wrong = sent(one, page);
  assert.notEqual(wrong.header, "");
  assert.equal(wrong.challenged(sha256.replace("7ypf", "NEW0")), false);
  assert.equal(sent(one, page).header, "");
  assert.ok(sent(one, page).challenged(sha256));
});

test("the strongest is answered, in one field or several, and Basic never", async () => {
  for (const values of [
    [md5, sha256],
    [`Basic realm="x", ${md5}, ${sha256}`],
    [`${sha256}, Basic realm="http-auth@example.org"`],
    ["Negotiate", `Negotiate abc==, ${sha256}`],
  ]) {
    const one = await mufasa();
    assert.ok(sent(one, page).challenged(...values), values.join(" | "));
    assert.equal(parts(sent(one, page).header).get("algorithm"), "SHA-256");
  }
  for (const value of [
    ...[
      'Basic realm="http-auth@example.org"',
      "Bearer",
      "",
      "Digest",
      'Digest realm="r"',
      'Digest nonce="n"',
    ],
    ...[
      'Digest realm="r", nonce=""',
      `${sha256.replace("SHA-256", "SHA-1")}`,
      sha256.replace("auth, auth-int", "token"),
    ],
    ...[
      `${sha256}, nonce="another"`,
      `Digest realm="r", nonce="${"n".repeat(2000)}"`,
      `${sha256}${" ".repeat(9000)}`,
    ],
    ...[
      'Digest realm="r, nonce="n',
      'Digest realm="r\r\nX: y", nonce="n"',
      'Digest realm="r", nonce="n\u0000"',
    ],
  ]) {
    const one = await mufasa();
    assert.equal(sent(one, page).challenged(value), false, value.slice(0, 80));
    assert.equal(sent(one, page).header, "", value.slice(0, 80));
  }
});

test("a service that wanted more before is not answered with less", async () => {
  const one = await mufasa();
  assert.ok(sent(one, page).challenged(sha256));
  for (const weaker of [
    `${md5}, stale=true`,
    `${sha256.replace(/qop="[^"]*", /, "")}, stale=true`,
    'Basic realm="x"',
  ]) {
    assert.equal(sent(one, page).challenged(weaker), false, weaker);
  }
  assert.ok(sent(one, page).challenged(`${sha256}, stale=true`));
  const weak = await mufasa();
  assert.ok(sent(weak, page).challenged(md5), "its twin, which never wanted more, is answered");
});

test("no text of a service breaks out of the header that answers it", async () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "Digest ",
      "Basic ",
      'realm="r"',
      'nonce="n"',
      "qop=auth",
      ", ",
      "=",
      '"',
      "\\",
      "opaque=",
      "a",
    ),
    fc.string({ maxLength: 4 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
      const one = await mufasa();
      if (!sent(one, page).challenged(pieces.join(""))) return;
      const { header } = sent(one, page);
      const item = /(?:Digest )?[\w*]+=(?:"(?:[^"\\]|\\.)*"|[^\s",]+)/y;
      let at = 0;
      while (at < header.length) {
        item.lastIndex = at;
        assert.ok(item.exec(header), `${header} at ${at}`);
        at = item.lastIndex;
        if (at < header.length) assert.equal(header.slice(at, at + 2), ", ");
        at += 2;
      }
    }),
    { numRuns: 300 },
  );
});

test("only the realm that the config names is answered", async () => {
  const named = auth.replace("}", ", realm: http-auth@example.org}");
  const one = await made(named, url, secrets, cnonce, "allowCleartext: true");
  assert.equal(sent(one, page).challenged(sha256.replace("http-auth", "evil")), false);
  assert.ok(sent(one, page).challenged(sha256));
});

test("without qop, with -sess and with auth-int the hashes are those of the standard", async () => {
  const hash = (...texts: (string | Buffer)[]): string =>
    createHash("md5")
      .update(
        Buffer.concat(
          texts.flatMap((text, at) => [Buffer.from(at === 0 ? "" : ":"), Buffer.from(text as string)]),
        ),
      )
      .digest("hex");
  const a1 = hash("Mufasa", "r", "Circle of Life");
  const own = cnonce.toString("base64");
  const body = '{"a":1}';
  const ask = { method: "POST", target: "/x?y=1", body };
  for (const [value, response] of [
    ['Digest realm="r", nonce="n"', hash(a1, "n", hash("POST", "/x?y=1"))],
    [
      'Digest realm="r", nonce="n", qop="auth", algorithm=MD5-sess',
      hash(hash(a1, "n", own), "n", "00000001", own, "auth", hash("POST", "/x?y=1")),
    ],
    [
      'Digest realm="r", nonce="n", qop="auth-int"',
      hash(a1, "n", "00000001", own, "auth-int", hash("POST", "/x?y=1", hash(body))),
    ],
  ] as const) {
    const one = await mufasa();
    assert.ok(sent(one, ask).challenged(value));
    assert.equal(parts(sent(one, ask).header).get("response"), response, value);
  }
});
