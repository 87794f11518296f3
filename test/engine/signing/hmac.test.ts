// The template of HMAC signatures, and its presets against the examples of the exchanges.
import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { test } from "node:test";
import { Failure } from "../../../src/engine/failure.ts";
import { targetText, withParameters } from "../../../src/engine/target.ts";
import { refused } from "../config-sample.ts";
import { bodyOf, fieldsOf, headerOf, type Made, made, signed, unsigned } from "./made.ts";

function by(secret: string | Buffer, text: string, encoding: "hex" | "base64"): string {
  return createHmac("sha256", secret).update(text).digest(encoding);
}

/** The query as it goes out, what the scheme appends included. */
function sentTarget(one: Made, ask: Parameters<typeof signed>[1]): string {
  return targetText(withParameters(unsigned(one, ask).target, signed(one, ask).query));
}

test("Binance: the example of its page, and the one whose symbol is no ASCII", async () => {
  // https://developers.binance.com/docs/binance-spot-api-docs/rest-api/request-security
  const apiKey = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A";
  const secret = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";
  const one = await made(
    "{type: hmac, preset: binance, apiKey: env:K, secret: env:S}",
    "https://api.binance.com",
    {
      apiKey,
      secret,
    },
  );
  const rest = "&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1";
  const own = "&recvWindow=5000&timestamp=1499827319559&signature=";
  for (const [symbol, signature] of [
    ["LTCBTC", "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"],
    [
      "%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96",
      "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3",
    ],
  ] as const) {
    const target = `/api/v3/order?symbol=${symbol}${rest}`;
    const ask = { method: "POST", target, now: 1499827319559 };
    assert.equal(sentTarget(one, ask), `${target}${own}${signature}`);
    assert.equal(headerOf(signed(one, ask), "x-mbx-apikey"), apiKey);
  }
});

test("MEXC: the example of its page, and query and body signed as one text", async () => {
  // https://www.mexc.com/api-docs/spot-v3/general-info
  const secrets = { apiKey: "mx0aBYs33eIilxBWC5", secret: "45d0b3c26f2644f19bfb98b07741b2f5" };
  const one = await made(
    "{type: hmac, preset: mexc, apiKey: env:K, secret: env:S}",
    "https://api.mexc.com",
    secrets,
  );
  const query = "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=11";
  const ask = { method: "POST", target: `/api/v3/order?${query}`, now: 1644489390087 };
  assert.equal(
    sentTarget(one, ask),
    `/api/v3/order?${query}&recvWindow=5000&timestamp=1644489390087&signature=fd3e4e8543c5188531eb7279d68ae7d26a573d0fc5ab0d18eb692451654d837a`,
  );
  assert.equal(headerOf(signed(one, ask), "x-mexc-apikey"), secrets.apiKey);
  const form = { ...ask, target: "/api/v3/order?symbol=BTCUSDT", body: "quantity=1" };
  const text = "symbol=BTCUSDT&recvWindow=5000&timestamp=1644489390087quantity=1";
  assert.ok(sentTarget(one, form).endsWith(`&signature=${by(secrets.secret, text, "hex")}`));
});

test("Bybit: the texts of its page for GET and POST", async () => {
  // https://bybit-exchange.github.io/docs/v5/guide#create-a-request
  const secrets = { apiKey: "XXXXXXXXXX", secret: "fake-secret-of-bybit" };
  const one = await made(
    "{type: hmac, preset: bybit, apiKey: env:K, secret: env:S}",
    "https://api.bybit.com",
    secrets,
  );
  const get = signed(one, {
    target: "/v5/order/realtime?category=option&symbol=BTC-29JUL22-25000-C",
    now: 1658384314791,
  });
  const read = "1658384314791XXXXXXXXXX5000category=option&symbol=BTC-29JUL22-25000-C";
  assert.equal(headerOf(get, "x-bapi-sign"), by(secrets.secret, read, "hex"));
  assert.deepEqual(
    [headerOf(get, "x-bapi-timestamp"), headerOf(get, "x-bapi-recv-window"), headerOf(get, "x-bapi-api-key")],
    ["1658384314791", "5000", "XXXXXXXXXX"],
  );
  assert.deepEqual(get.query, []);
  const body = '{\n"category": "option"\n}';
  const post = signed(one, { method: "POST", target: "/v5/order/create", body, now: 1658385579423 });
  assert.equal(
    headerOf(post, "x-bapi-sign"),
    by(secrets.secret, `1658385579423XXXXXXXXXX5000${body}`, "hex"),
  );
});

test("OKX: time in ISO, method, path with query and body, in base64", async () => {
  // https://www.okx.com/docs-v5/en/#overview-rest-authentication-signature
  const secrets = { apiKey: "okx-key", secret: "fake-secret-of-okx", passphrase: "fake pass" };
  const one = await made(
    "{type: hmac, preset: okx, apiKey: env:K, secret: env:S, passphrase: env:P}",
    "https://www.okx.com",
    secrets,
  );
  const time = "2020-12-08T09:08:57.715Z";
  const get = signed(one, { target: "/api/v5/account/balance?ccy=BTC", now: Date.parse(time) });
  assert.equal(
    headerOf(get, "ok-access-sign"),
    by(secrets.secret, `${time}GET/api/v5/account/balance?ccy=BTC`, "base64"),
  );
  assert.equal(headerOf(get, "ok-access-timestamp"), time);
  assert.equal(headerOf(get, "ok-access-passphrase"), "fake pass");
  const body = '{"instId":"BTC-USDT","lever":"5","mgnMode":"isolated"}';
  const target = "/api/v5/account/set-leverage";
  const post = signed(one, { method: "POST", target, body, now: Date.parse(time) });
  assert.equal(headerOf(post, "ok-access-sign"), by(secrets.secret, `${time}POST${target}${body}`, "base64"));
});

test("Coinbase Exchange: the secret is base64, the time in seconds", async () => {
  // https://docs.cdp.coinbase.com/exchange/rest-api/authentication
  const bytes = Buffer.from("a secret of sixty-four bytes, which is only here for the tests!!");
  const secrets = { apiKey: "cb-key", secret: bytes.toString("base64"), passphrase: "pass" };
  const auth = "{type: hmac, preset: coinbase, apiKey: env:K, secret: env:S, passphrase: env:P}";
  const one = await made(auth, "https://api.exchange.coinbase.com", secrets);
  const body = '{"price":"1.0","size":"1.0","side":"buy","product_id":"BTC-USD"}';
  const placed = signed(one, { method: "POST", target: "/orders", body, now: 1_700_000_000_999 });
  assert.equal(headerOf(placed, "cb-access-timestamp"), "1700000000");
  assert.equal(headerOf(placed, "cb-access-sign"), by(bytes, `1700000000POST/orders${body}`, "base64"));
  await assert.rejects(
    made(auth, "https://api.exchange.coinbase.com", { ...secrets, secret: "not base64!" }),
    (error: Error) =>
      error.message.includes("not written in base64") && !error.message.includes("not base64!"),
  );
});

const template = `{${[
  ...["type: hmac", "apiKey: env:K", "secret: env:S", "algorithm: sha512", "encoding: base64"],
  ...["secretEncoding: hex", "timestamp: s"],
  "sign: '{method}\\n{host}\\n{target}\\n{timestamp}\\n{nonce}\\n{bodyHash}'",
  'sendHeaders: {Authorization: "HMAC {key}:{signature}", X-Time: "{timestamp}", X-Nonce: "{nonce}"}',
].join(", ")}}`;

test("a template of one's own says what is signed, how, and where it goes", async () => {
  const one = await made(template, "https://api.example.com/v2", { apiKey: "k1", secret: "00ff10" });
  const placed = signed(one, {
    method: "PUT",
    target: "/a?b=c",
    body: Buffer.from([0, 255, 10]),
    now: 5_999,
  });
  const nonce = "07".repeat(16);
  const bodyHash = createHash("sha512")
    .update(Buffer.from([0, 255, 10]))
    .digest("hex");
  const text = `PUT\napi.example.com\n/v2/a?b=c\n5\n${nonce}\n${bodyHash}`;
  const wanted = createHmac("sha512", Buffer.from("00ff10", "hex")).update(text).digest("base64");
  assert.equal(headerOf(placed, "authorization"), `HMAC k1:${wanted}`);
  assert.deepEqual([headerOf(placed, "x-time"), headerOf(placed, "x-nonce")], ["5", nonce]);
  assert.deepEqual(one.scheme.headerNames(one.service.auth).toSorted(), [
    "authorization",
    "x-nonce",
    "x-time",
  ]);
  assert.equal(one.scheme.readsBody?.(one.service, []), true);
  assert.ok(
    one.scheme.place(one.service.auth).includes("{method}\\n{host}"),
    "what is signed is bound to the seal",
  );
});

test("a body of bytes is signed byte for byte", async () => {
  const one = await made(
    '{type: hmac, secret: env:S, sign: "{timestamp}.{body}", sendHeaders: {X-Sign: "t={timestamp};v1={signature}"}}',
    "https://api.example.com",
    { secret: "s" },
  );
  const body = Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x28]);
  const placed = signed(one, { method: "POST", target: "/", body, now: 42 });
  const wanted = createHmac("sha256", "s").update("42.").update(body).digest("hex");
  assert.equal(headerOf(placed, "x-sign"), `t=42;v1=${wanted}`);
});

test("time, nonce and signature are janee's: the agent's own do not go out, in the query or in a form", async () => {
  const one = await made(
    "{type: hmac, preset: binance, apiKey: env:K, secret: env:S}",
    "https://api.binance.com",
    {
      apiKey: "k",
      secret: "s",
    },
  );
  const { auth } = one.service;
  assert.deepEqual(one.scheme.queryNames(auth), ["recvWindow", "timestamp", "signature"]);
  assert.deepEqual(one.scheme.headerNames(auth), ["x-mbx-apikey"]);
  const fields = fieldsOf({ "Content-Type": "application/x-www-form-urlencoded" });
  const body = bodyOf("symbol=A&timestamp=1&%73ignature=ff&quantity=2&RecvWindow=60000");
  const bare = one.scheme.unwrap?.({ auth, asked: fields, fields, body });
  assert.ok(bare && !(bare instanceof Failure));
  assert.equal(bare.body.kind === "whole" && bare.body.bytes.toString(), "symbol=A&quantity=2");
  const json = fieldsOf({ "Content-Type": "application/json" });
  assert.equal(one.scheme.unwrap?.({ auth, asked: json, fields: json, body }), undefined);
  const clean = { auth, asked: fields, fields, body: bodyOf("symbol=A") };
  assert.equal(one.scheme.unwrap?.(clean), undefined);
});

test("what does not go together is said where it stands", () => {
  const config = (block: string): string =>
    `services:\n  s: {baseUrl: "https://api.example.com", auth: ${block}}\n`;
  const send = 'sendHeaders: {X-Sign: "{signature}", X-Time: "{timestamp}"}';
  for (const [block, message] of [
    ["{type: hmac, secret: env:S}", /expected "preset", or "sign"/],
    ["{type: hmac, preset: kraken, secret: env:S}", /expected one of bybit, okx, binance, mexc, coinbase/],
    ["{type: hmac, preset: okx, secret: env:S, apiKey: env:K}", /"passphrase" is missing/],
    ["{type: hmac, preset: bybit, secret: env:S}", /"apiKey" is missing/],
    [
      "{type: hmac, preset: bybit, secret: env:S, apiKey: env:K, passphrase: env:P}",
      /"passphrase" is sent nowhere/,
    ],
    [
      "{type: hmac, preset: bybit, secret: env:S, apiKey: env:K, encoding: hex}",
      /"encoding" does not go with a preset/,
    ],
    [`{type: hmac, secret: env:S, sign: "{body}", sendHeaders: {X-Sign: "{signature}"}}`, /good for ever/],
    [`{type: hmac, secret: env:S, sign: "{secret}", ${send}}`, /expected pieces of/],
    [`{type: hmac, secret: env:S, sign: "{body", ${send}}`, /expected pieces of/],
    [
      `{type: hmac, secret: env:S, sign: "{timestamp}", sendHeaders: {X-Time: "{timestamp}"}}`,
      /no header and no parameter/,
    ],
    [
      `{type: hmac, secret: env:S, sign: "{timestamp}", sendHeaders: {Host: "{signature}"}}`,
      /cannot go into this header/,
    ],
    [`{type: hmac, secret: env:S, sign: "{timestamp}", sendHeaders: {X-S: "{body}"}}`, /expected pieces of/],
    [`{type: hmac, secret: env:S, sign: "{timestamp}{recvWindow}", ${send}}`, /"recvWindow" is missing/],
  ] as const) {
    assert.match(refused(config(block)).message, message, block);
  }
});
