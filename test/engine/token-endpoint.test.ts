// OAuth on the wire against the examples of its standards, and what is made of each answer.
import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { test } from "node:test";
import { authorization, codeIn, deviceLogin, type LoginParts } from "../../src/engine/credential/login.ts";
import { oauth2 } from "../../src/engine/credential/oauth2.ts";
import { clientRequest, formOf, grantIn, Refusal } from "../../src/engine/credential/token-endpoint.ts";
import { Failure } from "../../src/engine/failure.ts";
import { Secret } from "../../src/engine/secret.ts";
import { digest } from "../../src/host/digest.ts";
import { privateKeys } from "../../src/host/private-keys.ts";
import { toolsWith } from "../support/tools.ts";
import { read } from "./config-sample.ts";

const now = 1_700_000_000_000;

function answer(status: number, json: Readonly<Record<string, unknown>>) {
  return { status, json, text: JSON.stringify(json) };
}

// RFC 6749 section 4.4.2.
test("a client with a password: the example of the standard", () => {
  const client = { id: "s6BhdRkqt3", secret: "gX1fBat3bV", auth: "basic" } as const;
  const { headers, body } = clientRequest(client, [["grant_type", "client_credentials"]]);
  assert.ok(
    headers.some(
      ([name, value]) => name === "Authorization" && value === "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW",
    ),
  );
  assert.equal(body, "grant_type=client_credentials");
});

// RFC 6749 section 6, with the client in the form as in section 2.3.1.
test("a refresh token, with the client in the form: the example of the standard", () => {
  const client = { id: "s6BhdRkqt3", secret: "7Fjfp0ZBr1KtDRbnfVdmIw", auth: "post" } as const;
  const { headers, body } = clientRequest(client, [
    ["grant_type", "refresh_token"],
    ["refresh_token", "tGzv3JOkF0XG5Qx2TlKWIA"],
  ]);
  assert.equal(
    body,
    "grant_type=refresh_token&refresh_token=tGzv3JOkF0XG5Qx2TlKWIA&client_id=s6BhdRkqt3&client_secret=7Fjfp0ZBr1KtDRbnfVdmIw",
  );
  assert.ok(!headers.some(([name]) => name === "Authorization"));
});

// RFC 7523 section 2.1: the form, and the grant's name in it.
test("an assertion goes alone, its grant named as the standard names it", () => {
  const { body } = clientRequest(undefined, [
    ["grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"],
    ["assertion", "PHNhbWxwOl.ZT"],
  ]);
  assert.equal(
    body,
    "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=PHNhbWxwOl.ZT",
  );
});

test("an id or a password with a colon, a blank or a percent sign is encoded before it is paired", () => {
  const { headers } = clientRequest({ id: "a:b c", secret: "p%q+é", auth: "basic" }, []);
  const pair = headers.find(([name]) => name === "Authorization")?.[1].replace("Basic ", "") ?? "";
  assert.equal(Buffer.from(pair, "base64").toString(), "a%3Ab+c:p%25q%2B%C3%A9");
  assert.equal(
    formOf([
      ["a", undefined],
      ["b", "x y&z"],
    ]),
    "b=x+y%26z",
  );
});

// RFC 6749 section 5.1.
test("the answer of the standard is a grant", () => {
  const grant = grantIn(
    answer(200, {
      access_token: "2YotnFZFEjr1zCsicMWpAA",
      token_type: "example",
      expires_in: 3600,
      refresh_token: "tGzv3JOkF0XG5Qx2TlKWIA",
    }),
    "s",
    now,
  );
  assert.ok(grant instanceof Failure, "a type that is not understood is not used (section 7.1)");
  const bearer = grantIn(
    answer(200, { access_token: "2Yotn", token_type: "bEARER", expires_in: 3600, refresh_token: "tGzv" }),
    "s",
    now,
  );
  assert.ok(!(bearer instanceof Failure));
  assert.equal(bearer.access.reveal(), "2Yotn");
  assert.equal(bearer.refresh?.reveal(), "tGzv");
  assert.equal(bearer.expiresAt, now + 3_600_000);
});

test("how long a token lives: said as number or text, or not at all, or nonsense", () => {
  for (const [said, seconds] of [
    [60, 60],
    ["3599", 3599],
    [undefined, 300],
    [null, 300],
    ["", 300],
    ["soon", 300],
    [-1, 300],
    [0, 0],
    [1e20, 366 * 86_400],
  ] as const) {
    const grant = grantIn(answer(200, { access_token: "a", expires_in: said }), "s", now);
    assert.ok(!(grant instanceof Failure));
    assert.equal(grant.expiresAt, now + seconds * 1000, String(said));
  }
});

test("each error of the standards has its advice, and nothing else of an answer is repeated", () => {
  const words = "SECRET-words";
  for (const error of [
    ...[
      "invalid_request",
      "invalid_client",
      "invalid_grant",
      "unauthorized_client",
      "unsupported_grant_type",
    ],
    ...[
      "invalid_scope",
      "invalid_target",
      "access_denied",
      "server_error",
      "temporarily_unavailable",
      "slow_down",
    ],
  ]) {
    const refusal = grantIn(answer(400, { error, error_description: words, error_uri: words }), "s", now);
    assert.ok(refusal instanceof Refusal && refusal.error === error);
    assert.ok(refusal.message.includes(error) && (refusal.next ?? "") !== "");
    assert.ok(!JSON.stringify(refusal).includes(words));
  }
  for (const error of [words, "constructor", "__proto__", 7, { error: words }]) {
    const refusal = grantIn(answer(400, { error }), "s", now);
    assert.ok(refusal instanceof Refusal && refusal.error === undefined, String(error));
    assert.ok(!JSON.stringify(refusal).includes(words));
  }
});

test("a token that no header can hold, and a refresh token that the config would read as something else", () => {
  for (const json of [
    { access_token: "a\r\nb" },
    { access_token: "a b" },
    { access_token: "é" },
    { access_token: 7 },
    { access_token: "" },
    { access_token: "a", refresh_token: "cmd:touch /tmp/x" },
    { access_token: "a", refresh_token: "ENV:HOME" },
    { access_token: "a", refresh_token: "sealed:v1:x" },
  ]) {
    assert.ok(grantIn(answer(200, json), "s", now) instanceof Failure, JSON.stringify(json));
  }
  assert.ok(
    !(grantIn(answer(200, { access_token: "a", refresh_token: "1//0x:y" }), "s", now) instanceof Failure),
  );
});

function loginParts(auth: string): LoginParts {
  const service = read(
    `services:\n  s: {baseUrl: "https://api.example.com", auth: {type: oauth2, ${auth}}}\n`,
  ).config.services.get("s");
  assert.ok(service);
  return {
    ...{ service, opened: new Map(), tools: toolsWith({ now: () => now }), deadline: now + 60_000 },
    wait: async () => {},
  };
}

const common = 'tokenUrl: "https://i.example.com/token", clientId: "s6BhdRkqt3"';

// RFC 7636 appendix B.
test("PKCE: the verifier of the standard has the challenge of the standard", () => {
  assert.equal(
    digest.sha256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
    "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
  );
  const { service, tools } = loginParts(
    `${common}, authorizeUrl: "https://i.example.com/a?x=1", scope: [b, a]`,
  );
  const one = authorization(service, "http://127.0.0.1:1/callback", tools);
  const url = new URL(one.url);
  assert.equal(url.searchParams.get("code_challenge"), digest.sha256(one.verifier));
  assert.match(one.verifier, /^[A-Za-z0-9_-]{43}$/);
  assert.equal(url.searchParams.get("x"), "1");
  assert.equal(url.searchParams.get("scope"), "a b");
  const two = authorization(service, "http://127.0.0.1:1/callback", tools);
  assert.notEqual(one.state, two.state);
  assert.notEqual(one.verifier, two.verifier);
  const answerOf = (text: string) => codeIn(new URLSearchParams(text), one, service);
  assert.deepEqual(answerOf(`code=c&state=${one.state}`), { code: "c" });
  assert.equal(answerOf(`code=c&state=${two.state}`), undefined);
  assert.equal(answerOf("code=c"), undefined);
  assert.ok(answerOf(`error=server_error&code=c&state=${one.state}`) instanceof Failure);
  assert.ok(answerOf(`state=${one.state}`) instanceof Failure);
});

test("the device flow waits as long as it is told, and no longer than it may", async () => {
  const parts = loginParts(`${common}, deviceUrl: "https://i.example.com/device"`);
  const waits: number[] = [];
  let time = now;
  const answers = [
    answer(200, {
      device_code: "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS",
      user_code: "WDJB-MJHT",
      verification_uri: "https://example.com/device",
      verification_uri_complete: "javascript:alert(1)",
      expires_in: 1800,
      interval: 5,
    }),
    answer(400, { error: "authorization_pending" }),
    answer(400, { error: "slow_down" }),
    new Failure("credential_failed", "unreachable"),
    answer(400, { error: "authorization_pending" }),
  ];
  const asked: string[] = [];
  const endpoint = {
    ask: async (_service: unknown, { url, body }: { url: string; body: string }) => {
      asked.push(`${url} ${body}`);
      return answers.shift() ?? answer(400, { error: "authorization_pending" });
    },
  };
  const shown: unknown[] = [];
  const tools = {
    ...parts.tools,
    now: () => time,
    endpoint: endpoint as unknown as LoginParts["tools"]["endpoint"],
  };
  const wait = async (milliseconds: number): Promise<void> => {
    waits.push(milliseconds / 1000);
    time += milliseconds;
  };
  const late = await deviceLogin({ ...parts, tools, wait, deadline: now + 80_000 }, (prompt) =>
    shown.push(prompt),
  );
  assert.ok(late instanceof Failure && late.code === "login_required");
  assert.deepEqual(waits, [5, 5, 10, 15, 15, 15]);
  assert.deepEqual(shown, [{ address: "https://example.com/device", code: "WDJB-MJHT", direct: undefined }]);
  assert.equal(asked[0], "https://i.example.com/device client_id=s6BhdRkqt3");
  assert.match(
    asked[1] ?? "",
    /^https:\/\/i\.example\.com\/token grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code=GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS&client_id=s6BhdRkqt3$/,
  );
});

test("which fields go together", () => {
  for (const [auth, problem] of [
    [`${common}, grant: client_credentials`, /"clientSecret" is missing/],
    [`${common}, grant: password`, /expected client_credentials or refresh_token/],
    [`${common}, clientSecret: x, refreshToken: y, grant: client_credentials`, /does not go with/],
    [`${common}, scope: ["a b"]`, /one word/],
    ['clientId: x, tokenUrl: "nowhere"', /expected a whole URL/],
    ["clientId: x", /"tokenUrl" is missing/],
  ] as const) {
    const text = `services:\n  s: {baseUrl: "https://api.example.com", auth: {type: oauth2, ${auth}}}\n`;
    assert.throws(() => read(text), problem, auth);
  }
  assert.equal(oauth2.yieldsToken, true);
});

// RFC 7515 appendix A.2: RS256 gives one signature, so that the key as it was read must give this one.
test("RS256: the key and the signature of the standard", async () => {
  const jwk = {
    kty: "RSA",
    n: "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
    e: "AQAB",
    d: "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ",
    p: "4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc",
    q: "uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc",
    dp: "BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0",
    dq: "h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnwgjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU",
    qi: "IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U",
  };
  const pem = createPrivateKey({ key: jwk, format: "jwk" })
    .export({ type: "pkcs1", format: "pem" })
    .toString();
  const key = await privateKeys.rsa(new Secret(pem));
  assert.ok(!(key instanceof Failure));
  const input =
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
  const signature = await crypto.subtle.sign("RSASSA-PKCS1-v1_5", key, Buffer.from(input));
  assert.equal(
    Buffer.from(signature).toString("base64url"),
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
  );
});
