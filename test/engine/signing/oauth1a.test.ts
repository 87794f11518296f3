// OAuth 1.0a against the examples of RFC 5849, and against a library that signs for clients.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import OAuth from "oauth-1.0a";
import { baseString, signatureOf } from "../../../src/engine/credential/oauth1a.ts";
import { Failure } from "../../../src/engine/failure.ts";
import { digest } from "../../../src/host/digest.ts";
import { refused } from "../config-sample.ts";
import { bodyOf, fieldsOf, headerOf, type Made, made, signed, unsigned } from "./made.ts";

const auth = "{type: oauth1a, consumerKey: env:A, consumerSecret: env:B, token: env:C, tokenSecret: env:D}";
const form = { "Content-Type": "application/x-www-form-urlencoded" };

test("the base string of RFC 5849 section 3.4.1.1", async () => {
  const one = await example("http://example.com");
  const request = unsigned(one, {
    ...{ method: "POST", target: "/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b" },
    ...{ headers: form, body: "c2&a3=2+q" },
  });
  const text = baseString(request, [
    ["oauth_consumer_key", "9djdj82h48djs9d2"],
    ["oauth_token", "kkk9d7dh3k39sjv7"],
    ["oauth_signature_method", "HMAC-SHA1"],
    ["oauth_timestamp", "137131201"],
    ["oauth_nonce", "7d8f3e4a"],
  ]);
  assert.equal(
    text,
    "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7",
  );
});

test("the signatures of RFC 5849 section 1.2", async () => {
  const common = (timestamp: string, nonce: string): [string, string][] => [
    ["oauth_consumer_key", "dpf43f3p2l4k3l03"],
    ["oauth_signature_method", "HMAC-SHA1"],
    ["oauth_timestamp", timestamp],
    ["oauth_nonce", nonce],
  ];
  const steps = [
    {
      ...{ url: "https://photos.example.net", method: "POST", target: "/initiate", secret: "" },
      parameters: [
        ...common("137131200", "wIjqoS"),
        ["oauth_callback", "http://printer.example.com/ready"] as [string, string],
      ],
      signature: "74KNZJeDHnMBp0EMJ9ZHt/XKycU=",
    },
    {
      ...{ url: "https://photos.example.net", method: "POST", target: "/token", secret: "hdhd0244k9j7ao03" },
      parameters: [
        ...common("137131201", "walatlh"),
        ["oauth_token", "hh5s93j4hdidpola"] as [string, string],
        ["oauth_verifier", "hfdp7dh39dks9884"] as [string, string],
      ],
      signature: "gKgrFCywp7rO0OXSjdot/IHF7IU=",
    },
    {
      ...{ url: "http://photos.example.net", method: "GET", secret: "pfkkdhi9sl3r4s00" },
      target: "/photos?file=vacation.jpg&size=original",
      parameters: [...common("137131202", "chapoH"), ["oauth_token", "nnch734d00sl2jdk"] as [string, string]],
      signature: "MdpQcU8iPSUjWoN/UDMsK2sui9I=",
    },
  ];
  for (const { url, method, target, secret, parameters, signature } of steps) {
    const text = baseString(unsigned(await example(url), { method, target }), parameters);
    assert.equal(signatureOf("sha1", `kd94hf93k423kf44&${secret}`, text, digest), signature, target);
  }
});

function example(url: string): Promise<Made> {
  return made(
    auth,
    url,
    { consumerKey: "k", consumerSecret: "s", token: "t", tokenSecret: "u" },
    7,
    cleartext(url),
  );
}

function cleartext(url: string): string {
  return `allowCleartext: ${url.startsWith("http://")}`;
}

const secret = fc.stringMatching(/^[A-Za-z0-9%&+/=!~*'() -]{1,20}$/).filter((text) => text.trim() === text);
const word = fc.stringMatching(/^[A-Za-z0-9 \u00e9\u4e2d!*'()~&=+/%:;,.-]{0,8}$/);
const parameters = fc.uniqueArray(fc.tuple(fc.stringMatching(/^[a-z][a-z0-9 \u00e9[\]-]{0,6}$/), word), {
  selector: ([name]) => name,
  maxLength: 4,
});
const escaped = (pairs: readonly (readonly [string, string])[]): string =>
  pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join("&");

test("oauth-1.0a signs the same", { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        // The judge leaves names in a query as they are escaped: they hold nothing that is.
        query: fc.uniqueArray(fc.tuple(fc.stringMatching(/^[a-z][a-z0-9_.~-]{0,6}$/), word), {
          selector: ([name]) => name,
          maxLength: 4,
        }),
        ...{ fields: parameters, consumer: secret, account: secret },
        key: fc.stringMatching(/^[A-Za-z0-9-]{1,12}$/),
        method: fc.constantFrom("GET", "POST", "PUT"),
        algorithm: fc.constantFrom("HMAC-SHA1", "HMAC-SHA256"),
        path: fc.constantFrom("/1.1/statuses/update.json", "/a%20b/(c)", "/"),
        url: fc.constantFrom(
          "https://api.example.com",
          "http://127.0.0.1:8080/v2",
          "https://api.example.com:8443",
        ),
        hasToken: fc.boolean(),
        now: fc.integer({ min: 0, max: 4_000_000_000_000 }),
      }),
      async ({ query, fields, consumer, account, key, method, algorithm, path, url, hasToken, now }) => {
        const ofToken = hasToken ? ", token: env:C, tokenSecret: env:D" : "";
        const one = await made(
          `{type: oauth1a, consumerKey: env:A, consumerSecret: env:B${ofToken}, signatureMethod: ${algorithm}}`,
          url,
          {
            ...{ consumerKey: key, consumerSecret: consumer },
            ...(hasToken ? { token: `${key}-t`, tokenSecret: account } : {}),
          },
        );
        // The judge takes each parameter once, so those of the form have names of their own.
        const own = fields.map(([name, value]): [string, string] => [`f${name}`, value]);
        const isForm = method !== "GET" && own.length > 0;
        const body = escaped(own).replaceAll("%20", "+");
        const target = query.length === 0 ? path : `${path}?${escaped(query)}`;
        const placed = signed(one, {
          ...{ method, target, now },
          ...(isForm ? { headers: form, body } : {}),
        });
        const judge = new OAuth({
          consumer: { key, secret: consumer },
          signature_method: algorithm,
          hash_function: (text, by) =>
            createHmac(algorithm === "HMAC-SHA1" ? "sha1" : "sha256", by)
              .update(text)
              .digest("base64"),
        });
        judge.getNonce = () => "07".repeat(16);
        judge.getTimeStamp = () => Math.floor(now / 1000);
        const request = {
          url: `${url}${target}`,
          method,
          data: isForm ? Object.fromEntries(own) : undefined,
        };
        const token = hasToken ? { key: `${key}-t`, secret: account } : undefined;
        const header = judge.toHeader(judge.authorize(request, token)).Authorization;
        const sorted = (text: string): string[] => text.replace("OAuth ", "").split(", ").sort();
        assert.deepEqual(sorted(headerOf(placed, "authorization")), sorted(header));
      },
    ),
    { numRuns: 300 },
  );
});

test("a realm is shown and not signed; a JSON body is not signed and may be a stream", async () => {
  const secrets = { consumerKey: "k", consumerSecret: "s", token: "t", tokenSecret: "u" };
  const plain = await made(auth, "https://api.example.com", secrets);
  const realm = await made(auth.replace("}", ', realm: "123_SB1"}'), "https://api.example.com", secrets);
  const [one, other] = [plain, realm].map((each) =>
    headerOf(signed(each, { target: "/x" }), "authorization"),
  );
  assert.equal(other, one?.replace("OAuth ", 'OAuth realm="123_SB1", '));
  assert.equal(
    plain.scheme.readsBody?.(plain.service, fieldsOf({ "Content-Type": "application/json" })),
    false,
  );
  assert.equal(plain.scheme.readsBody?.(plain.service, fieldsOf(form)), true);
});

test("the agent's own signature does not go out in a query or a form; what belongs to a login does", async () => {
  const one = await example("https://api.example.com");
  const fields = fieldsOf(form);
  const body = bodyOf("status=hi&oauth_signature=x&oauth%5Ftoken=y&oauth_verifier=z");
  const bare = one.scheme.unwrap?.({ auth: one.service.auth, asked: fields, fields, body });
  assert.ok(bare && !(bare instanceof Failure) && bare.body.kind === "whole");
  assert.equal(bare.body.bytes.toString(), "status=hi&oauth_verifier=z");
  const names = one.scheme.queryNames(one.service.auth);
  for (const name of ["oauth_signature", "oauth_nonce", "oauth_token"]) assert.ok(names.includes(name), name);
  const half =
    "services:\n  s: {baseUrl: https://a.example, auth: {type: oauth1a, consumerKey: env:A, consumerSecret: env:B, token: env:C}}\n";
  assert.match(refused(half).message, /"token" and "tokenSecret" go together/);
});
