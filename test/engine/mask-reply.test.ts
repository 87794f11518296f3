// A service hands out a credential in another shape than JSON of the right type: the agent gets a placeholder all the same.
import assert from "node:assert/strict";
import { test } from "node:test";
import { wholeBody } from "../../src/engine/bodies.ts";
import { Failure } from "../../src/engine/failure.ts";
import { maskReply } from "../../src/engine/issued/mask-reply.ts";
import { fieldPattern, usualFields } from "../../src/engine/issued/pattern.ts";
import type { HeaderField } from "../../src/engine/ports.ts";

const fresh = "at-FAKE-2f9d1c7b55aa40e2-issued";
const placeholder = `jnc_${"a".repeat(48)}`;

async function masked(headers: readonly (readonly [string, string])[], body: string | Buffer, status = 200) {
  const fields: HeaderField[] = headers.map(([name, value]) => ({ name, key: name.toLowerCase(), value }));
  const patterns = [...usualFields, "data.*.secret"].map((text) => fieldPattern(text) ?? assert.fail());
  const kept: string[] = [];
  const reply = await maskReply(
    { status, fields, body: wholeBody(Buffer.from(body)) },
    patterns,
    { decode: () => undefined },
    (value) => {
      kept.push(value);
      return placeholder;
    },
  );
  if (reply instanceof Failure) return { code: reply.code, kept };
  const text = reply.body.kind === "whole" ? reply.body.bytes.toString() : "";
  const head = reply.fields.map(({ name, value }) => `${name}: ${value}\n`).join("");
  return { code: "passes", kept, text, head };
}

const json = `{"access_token":"${fresh}","n":1.50}`;

test("a credential is found whatever the answer says that it is", async () => {
  const shapes: readonly (readonly [string | undefined, string])[] = [
    ["application/json", json],
    ["application/vnd.x.v3+json; charset=utf-8", json],
    ["text/json", json],
    ["text/plain", json],
    ["text/html; charset=utf-8", json],
    [undefined, json],
    ["", json],
    ["application/x-ndjson", `${json}\n{"x":1}\n${json}\n`],
    ["application/jsonl", `${json}\n${json}`],
    ["application/javascript", `callback(${json});`],
    ["text/javascript", `/**/ x({ access_token: '${fresh}' })`],
    ["application/xml", `<OAuth><access_token>${fresh}</access_token></OAuth>`],
    ["text/xml", `<a:access_token b="c"><![CDATA[${fresh}]]></a:access_token>`],
    ["text/plain", `access_token=${fresh}&scope=a`],
    ["text/html", `<script>var s = ${JSON.stringify(JSON.stringify({ Access_Token: fresh }))}</script>`],
    ["text/plain", `refresh_token: ${fresh}\n`],
    ["multipart/mixed; boundary=b", `--b\r\nContent-Type: application/json\r\n\r\n${json}\r\n--b--`],
    ["application/yaml", `data:\n  - secret: ${fresh}\n`],
  ];
  for (const [type, body] of shapes) {
    const found = await masked(type === undefined ? [] : [["Content-Type", type]], body);
    assert.equal(found.code, "passes", body);
    assert.ok(found.text?.includes(placeholder), `${type} ${body}`);
    assert.equal(found.text?.split(fresh).length, 1, `${type} ${body}`);
    assert.deepEqual([...new Set(found.kept)], [fresh]);
  }
  const twice = [
    ["Content-Type", "text/plain"],
    ["Content-Type", "application/json"],
  ] as const;
  assert.deepEqual((await masked(twice, json)).kept, [fresh], "either type may be the one that counts");
});

test("what is no credential stays as it is, byte for byte", async () => {
  const shapes: readonly (readonly [string, string | Buffer])[] = [
    ["text/plain", "The access_token: it is what you get. refresh_token=short"],
    ["text/html", "<p>client_secret</p><p>a text that is long enough to be a secret</p>"],
    ["text/plain; charset=iso-8859-1", Buffer.from([0x61, 0xe9, 0xff, 0x62])],
    ["application/octet-stream", json],
    ["text/event-stream", `data: ${json}\n\n`],
    ["image/png", Buffer.from([0x89, 0x50, 0xff, 0])],
  ];
  for (const [type, body] of shapes) {
    const found = await masked([["Content-Type", type]], body);
    assert.deepEqual([found.code, found.kept], ["passes", []]);
    if (typeof body === "string") assert.equal(found.text, body);
  }
  const large = await masked([["Content-Type", "application/zip"]], Buffer.alloc(2 * 1024 * 1024));
  assert.equal(large.code, "passes");
});

test("an answer in a charset that hides them is not passed on", async () => {
  for (const type of [
    "application/json; charset=utf-16",
    'text/plain; charset="UTF-16LE"',
    "text/xml;charset=utf-7",
  ]) {
    const found = await masked([["Content-Type", type]], Buffer.from(json, "utf16le"));
    assert.equal(found.code, "response_unscannable", type);
  }
  const unsaid = await masked([["Content-Type", "application/json"]], Buffer.from(json, "utf16le"));
  assert.equal(unsaid.code, "response_unscannable");
});

test("an address that holds one is masked, and leads to the same place", async () => {
  const found = await masked(
    [
      [
        "Location",
        `https://app.example/cb?x=1&refresh_token=r%2B1#state=s&access_token=${fresh}&token_type=bearer`,
      ],
      ["Link", `<https://api.example/next?access_token=${fresh}&page=2>; rel="next"`],
      ["X-Other", "a=b"],
    ],
    "",
  );
  assert.deepEqual(found.kept, ["r+1", fresh, fresh]);
  assert.equal(
    found.head,
    `Location: https://app.example/cb?x=1&refresh_token=${placeholder}#state=s&access_token=${placeholder}&token_type=bearer\n` +
      `Link: <https://api.example/next?access_token=${placeholder}&page=2>; rel="next"\nX-Other: a=b\n`,
  );
  const plain = await masked([["Location", "/cb?my_access_token_hint=1&code=c#access_tokens"]], "");
  assert.equal(plain.head, "Location: /cb?my_access_token_hint=1&code=c#access_tokens\n");
  assert.equal((await masked([["Location", "/cb?access_token=%zz"]], "")).code, "response_unscannable");
});

test("a part of an answer, which could be the value without its name, is not passed on", async () => {
  const code = async (type: string, body: string, status: number) =>
    (await masked([["Content-Type", type]], body, status)).code;
  assert.equal(await code("application/json", `"${fresh}"`, 206), "response_unscannable");
  assert.equal(await code("text/plain", fresh, 206), "response_unscannable");
  assert.equal(await code("multipart/byteranges; boundary=b", fresh, 206), "response_unscannable");
  assert.equal(await code("video/mp4", "0123", 206), "passes");
  assert.equal(await code("application/json", '"text"', 200), "passes");
});
