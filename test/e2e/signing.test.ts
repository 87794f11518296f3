// Services that check each signature let janee's requests in, through the proxy and MCP; a twin with a wrong secret and
// what was changed on its way stay outside.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, test } from "node:test";
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { AwsClient } from "aws4fetch";
import type { Answer } from "../support/client.ts";
import { root } from "../support/janee.ts";
import { Agent, verdict } from "../support/mcp.ts";
import { type Stage, shared } from "../support/stage.ts";
import { startTampering, type Tampering } from "../support/tamper.ts";
import type { Seen } from "../support/upstream.ts";
import {
  DigestService,
  type OauthKey,
  problemInAws,
  problemInBinance,
  problemInOauth,
  problemInOkx,
} from "../support/verify.ts";

const limit = { timeout: 60_000 };

const aws = {
  accessKeyId: "AKIAFAKEFAKEFAKE0001",
  secretAccessKey: "fakeSecret/of+aws0123456789abcdefghij0123",
};
const table = { ...aws, region: "eu-west-1", service: "dynamodb" };
const bucket = {
  ...aws,
  region: "us-east-1",
  service: "s3",
  sessionToken: "FakeSessionToken//of+aws0123456789==",
};
const binance = { key: "fakeBinanceKey0123456789", secret: "fakeBinanceSecret0123456789" };
const okx = {
  key: "fake-okx-key-0123456789",
  secret: "FAKEOKXSECRET0123456789",
  passphrase: "fake Okx passphrase",
};
const oauth: OauthKey = {
  ...{ key: "fakeConsumerKey0123", secret: "fakeConsumerSecret0123456789" },
  ...{ token: "1234-fakeAccessToken0123456789", tokenSecret: "fakeTokenSecret0123456789" },
};
const shelf = { user: "reader", password: "fake Digest password 0123456789" };
const secrets = [
  ...[aws.secretAccessKey, bucket.sessionToken, binance.key, binance.secret, okx.key, okx.secret],
  ...[okx.passphrase, oauth.key, oauth.secret, oauth.token, oauth.tokenSecret, shelf.password],
];
const wrong = "wrongSecretOfTheTwin0123456789";

const named = ["table", "bucket", "binance", "okx", "oauth", "shelf"] as const;
type Name = (typeof named)[number];

/** What is given to `janee add`; `secret` stands where the twin has another. */
const flags: Readonly<Record<Name, (secret: string | undefined) => string[]>> = {
  table: (secret = aws.secretAccessKey) => [
    ...["--aws-sigv4", "--access-key-id", aws.accessKeyId, "--secret-access-key", secret],
    ...["--region", table.region, "--signing-service", table.service],
  ],
  bucket: (secret = aws.secretAccessKey) => [
    ...["--aws-sigv4", "--access-key-id", aws.accessKeyId, "--secret-access-key", secret],
    ...["--session-token", bucket.sessionToken, "--region", bucket.region, "--signing-service", "s3"],
  ],
  binance: (secret = binance.secret) => [
    ...["--hmac", "--preset", "binance", "--api-key", binance.key, "--secret", secret],
  ],
  okx: (secret = okx.secret) => [
    ...[
      "--hmac",
      "--preset",
      "okx",
      "--api-key",
      okx.key,
      "--secret",
      secret,
      "--passphrase",
      okx.passphrase,
    ],
  ],
  oauth: (secret = oauth.tokenSecret) => [
    ...["--oauth1a", "--consumer-key", oauth.key, "--consumer-secret", oauth.secret],
    ...["--token", oauth.token, "--token-secret", secret],
  ],
  shelf: (secret = shelf.password) => ["--digest", "--username", shelf.user, "--password", secret],
};

const digest = new DigestService(shelf.user, shelf.password, 3);
/** Behind `/shelf-way`. */
const patient = new DigestService(shelf.user, shelf.password, 1_000);
const nonces = new Set<string>();

/** Which service a request is for is told by its prefix: `/table`, and `/table-twin` for the one with a wrong secret. */
async function problemIn(seen: Seen): Promise<string | undefined> {
  const [, prefix = ""] = seen.target.split("/");
  switch (prefix.replace(/-.*/, "")) {
    case "table":
      return problemInAws(seen, table);
    case "bucket":
      return problemInAws(seen, bucket);
    case "binance":
      return problemInBinance(seen, binance);
    case "okx":
      return problemInOkx(seen, okx);
    case "oauth":
      return problemInOauth(seen, oauth, nonces);
    default:
      return "no such service";
  }
}

const held = shared({ config: () => "services: {}\n", grant: [] });
let opened: Promise<{ stage: Stage; way: Tampering; tokens: Map<string, string>; agent: Agent }> | undefined;

function open() {
  opened ??= (async () => {
    const stage = await held.stage();
    const { home, upstream } = stage;
    upstream.answer = async (seen, exchange) => {
      if (seen.target.startsWith("/shelf")) {
        const challenge = (seen.target.startsWith("/shelf-way") ? patient : digest).check(seen);
        if (challenge === undefined) exchange.send(200, {}, `read ${seen.body.toString()}`);
        else exchange.send(401, { "WWW-Authenticate": challenge }, "who is it");
        return;
      }
      const problem = await problemIn(seen);
      exchange.send(problem === undefined ? 200 : 403, { "Content-Type": "text/plain" }, problem ?? "let in");
    };
    const way = await startTampering(upstream.port);
    const tokens = new Map<string, string>();
    for (const name of named) {
      for (const [capability, secret, port] of [
        [name, undefined, upstream.port],
        [`${name}-twin`, wrong, upstream.port],
        [`${name}-way`, undefined, way.port],
      ] as const) {
        const place = ["-u", `http://127.0.0.1:${port}/${capability}`, "--allow", "*", "--auto-approve"];
        await home.do(["add", capability, ...place, ...flags[name](secret)]);
        tokens.set(capability, (await home.grant(capability)).token);
      }
    }
    const agent = await Agent.stdio(home, { era: "modern" });
    return { stage, way, tokens, agent };
  })();
  return opened;
}

after(async () => {
  const all = await opened?.catch(() => undefined);
  await all?.agent.close();
  await all?.way.stop();
  await held.close();
});

interface Ask {
  readonly method: string;
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** One request of each, with what their signatures have to cope with. */
const asks: Readonly<Record<Name, readonly Ask[]>> = {
  table: [
    {
      ...{ method: "POST", target: "/", body: '{"TableName":"amount=1"}' },
      headers: { "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.GetItem" },
    },
    { method: "GET", target: "/a%20b/(c)?z=1&a=%2F&amount=1&empty" },
  ],
  bucket: [
    {
      method: "PUT",
      target: "/photos/a%20b+c.txt?amount=1",
      body: "amount=1",
      headers: { "X-Amz-Acl": "private" },
    },
    { method: "GET", target: "/photos?list-type=2&prefix=a%2Fb&amount=1" },
    { method: "DELETE", target: "/photos/x%2Fy?amount=1" },
  ],
  binance: [
    { method: "GET", target: "/api/v3/account?amount=1" },
    {
      ...{
        method: "POST",
        target: "/api/v3/order?symbol=A&amount=1",
        body: "quantity=1&timestamp=5&signature=0",
      },
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
    },
  ],
  okx: [
    { method: "GET", target: "/api/v5/account/balance?ccy=BTC&amount=1" },
    {
      method: "POST",
      target: "/api/v5/trade/order",
      body: '{"amount=1":"1"}',
      headers: { "Content-Type": "application/json" },
    },
  ],
  oauth: [
    { method: "GET", target: "/1.1/statuses/home_timeline.json?count=2&q=a%20b&amount=1" },
    {
      ...{
        method: "POST",
        target: "/1.1/statuses/update.json?amount=1",
        body: "status=hello+w%C3%B6rld&oauth_token=mine",
      },
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
    },
  ],
  shelf: [
    { method: "GET", target: "/book?amount=1" },
    { method: "POST", target: "/book", body: "one" },
  ],
};

async function overProxy(capability: string, ask: Ask): Promise<Answer> {
  const { stage, tokens } = await open();
  return stage.ask(capability, ask.target, { ...ask, token: tokens.get(capability) ?? "" });
}

for (const name of named) {
  test(
    `${name}: signed by the secret, over the proxy and MCP; the twin with another is refused`,
    limit,
    async () => {
      const { agent } = await open();
      const refusal = name === "shelf" ? 401 : 403;
      for (const ask of asks[name]) {
        for (const _ of [1, 2]) {
          const answer = await overProxy(name, ask);
          assert.equal(answer.status, 200, `${ask.method} ${ask.target}: ${answer.text}`);
          const { method, target: path, headers, body } = ask;
          const told = await agent.execute(name, path, {
            ...{ method, ...(headers ? { headers } : {}), ...(body ? { body } : {}) },
          });
          assert.equal(verdict(told), "200", told.text);
        }
        assert.equal((await overProxy(`${name}-twin`, ask)).status, refusal, `${ask.method} ${ask.target}`);
        const told = await agent.execute(`${name}-twin`, ask.target, { method: ask.method });
        assert.equal(verdict(told), String(refusal));
      }
    },
  );
}

test("what was changed on its way is refused, and what was not is let in", limit, async () => {
  const { way } = await open();
  for (const name of named) {
    if (name === "shelf") continue;
    for (const ask of asks[name]) {
      way.change = (text) => text;
      const fine = await overProxy(`${name}-way`, ask);
      assert.equal(fine.status, 200, `${name} ${ask.target}: ${fine.text}`);
      way.change = (text) => text.replace("amount=1", "amount=9");
      const changed = await overProxy(`${name}-way`, ask);
      assert.equal(changed.status, 403, `${name} ${ask.target}: ${changed.text}`);
    }
  }
});

test(
  "Digest: one nonce serves many requests, a stale one is replaced, and a body is sent again",
  limit,
  async () => {
    const before = digest.challenges;
    for (let round = 0; round < 7; round++) {
      const answer = await overProxy("shelf", {
        method: "POST",
        target: `/book?n=${round}`,
        body: `round ${round}`,
      });
      assert.equal(`${answer.status} ${answer.text}`, `200 read round ${round}`);
    }
    const challenges = digest.challenges - before;
    assert.ok(challenges >= 2 && challenges <= 4, `${challenges} challenges for 7 requests, 3 a nonce`);
  },
);

test("Digest: many at once that nobody has asked yet are all let in", limit, async () => {
  const ask = { method: "GET", target: "/book" };
  const answers = await Promise.all(Array.from({ length: 40 }, () => overProxy("shelf-way", ask)));
  assert.deepEqual(
    answers.map(({ status }) => status),
    Array.from({ length: 40 }, () => 200),
  );
});

test("janee test asks as an agent would, and says so of the twin", limit, async () => {
  const { stage } = await open();
  for (const name of named) {
    const good = await stage.home.run(["test", name, "--path", asks[name][0]?.target ?? "/", "--json"]);
    if (name === "table" || name === "bucket" || name === "okx" || name === "oauth" || name === "shelf") {
      assert.equal(good.status, 0, `${name}: ${good.stdout}${good.stderr}`);
    }
    const bad = await stage.home.run(["test", `${name}-twin`, "--json"]);
    assert.notEqual(bad.status, 0, name);
  }
});

test("the agent's own signature is dropped and replaced", limit, async () => {
  const { stage } = await open();
  for (const [name, headers, target] of [
    [
      "table",
      {
        ...{ "X-Amz-Date": "20200101T000000Z", "X-Amz-Security-Token": "mine", "X-Amz-Content-Sha256": "0" },
        ...{ Date: "Wed, 01 Jan 2020 00:00:00 GMT", Host: `127.0.0.1:${stage.port}` },
      },
      "/",
    ],
    [
      "binance",
      { "X-Mbx-Apikey": "mine" },
      "/api?timestamp=1&recvWindow=60000&signature=00&%74imestamp=2&a=1",
    ],
    ["okx", { "OK-ACCESS-TIMESTAMP": "attacker", Ok_Access_Sign: "mine" }, "/api"],
    ["oauth", {}, "/x?oauth_nonce=mine&oauth_timestamp=1&a=1"],
  ] as const) {
    const seen = stage.fresh();
    const answer = await overProxy(name, { method: "GET", target, headers: { ...headers } });
    assert.equal(answer.status, 200, `${name}: ${answer.text}`);
    assert.ok(!/mine|attacker|2020/.test(seen.at(-1)?.head ?? "mine"), seen.at(-1)?.head ?? "");
  }
});

test("a signature in the query is refused, and that is written down", limit, async () => {
  const { stage, agent } = await open();
  for (const query of [
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=604800",
    "AWSAccessKeyId=A&Expires=1&Signature=x",
  ]) {
    const seen = stage.fresh();
    const answer = await overProxy("bucket", { method: "GET", target: `/photos/x?${query}` });
    assert.deepEqual([answer.status, answer.error.code], [400, "presign_forbidden"]);
    assert.equal(
      verdict(
        await agent.execute("bucket", "/photos/x", { query: Object.fromEntries(new URLSearchParams(query)) }),
      ),
      "presign_forbidden",
    );
    assert.equal(seen.length, 0);
  }
  const lines = stage.audit().filter((line) => Object.values(line).includes("presign_forbidden"));
  assert.ok(lines.length >= 2, `${lines.length} lines of it`);
});

test(
  "the chunks that an SDK has signed are taken off, and the rest is signed and let in",
  limit,
  async () => {
    const { stage } = await open();
    const content = Buffer.from("the content of the object, amount=1");
    const signature = "ab".repeat(32);
    const body = `${content.length.toString(16)};chunk-signature=${signature}\r\n${content}\r\n0;chunk-signature=${signature}\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n`;
    const headers = {
      "Content-Encoding": "aws-chunked,gzip",
      "X-Amz-Content-Sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
      "X-Amz-Decoded-Content-Length": String(content.length),
      "X-Amz-Trailer": "x-amz-checksum-crc32",
      "X-Amz-Sdk-Checksum-Algorithm": "CRC32",
    };
    const seen = stage.fresh();
    const answer = await overProxy("bucket", { method: "PUT", target: "/photos/x", headers, body });
    assert.equal(answer.status, 200, answer.text);
    const [came] = seen;
    assert.equal(came?.body.toString(), content.toString());
    assert.deepEqual(came?.values("content-encoding"), ["gzip"]);
    for (const name of ["x-amz-decoded-content-length", "x-amz-trailer", "x-amz-sdk-checksum-algorithm"]) {
      assert.deepEqual(came?.values(name), [], name);
    }
    const cut = body.replace(`${content.length.toString(16)};`, "5;");
    const refused = await overProxy("bucket", { method: "PUT", target: "/photos/x", headers, body: cut });
    assert.equal(refused.status, 400, refused.text);
    assert.equal(refused.error.code, "bad_request");
  },
);

test("a client that signs for AWS needs only the session's token as its access key", limit, async () => {
  const { stage, tokens } = await open();
  for (const capability of ["bucket", "table"] as const) {
    const client = new AwsClient({
      ...{ accessKeyId: tokens.get(capability) ?? "", secretAccessKey: "anything" },
      ...{ region: "us-east-1", service: capability === "bucket" ? "s3" : "dynamodb", retries: 0 },
    });
    const response = await client.fetch(`http://127.0.0.1:${stage.port}/${capability}/x?a=1`, {
      ...{ method: "PUT", body: "hello", headers: { "Content-Type": "text/plain" } },
    });
    assert.equal(`${response.status} ${await response.text()}`, "200 let in");
  }
});

test(
  "the AWS SDK stores whole objects and streams of unknown checksum, reads and deletes",
  limit,
  async () => {
    const { stage, tokens } = await open();
    const client = new S3Client({
      ...{ endpoint: `http://127.0.0.1:${stage.port}/bucket`, forcePathStyle: true, region: "us-west-2" },
      ...{
        maxAttempts: 1,
        credentials: { accessKeyId: tokens.get("bucket") ?? "", secretAccessKey: "anything" },
      },
    });
    const Bucket = "photos";
    const piece = Buffer.alloc(100_000, "y");
    const stream = Readable.from(Array.from({ length: 100 }, () => piece));
    const seen = stage.fresh();
    try {
      await client.send(new PutObjectCommand({ Bucket, Key: "a b+c/(d)\u00e9.txt", Body: "hello" }));
      await client.send(
        new PutObjectCommand({ Bucket, Key: "stream", Body: stream, ContentLength: 10_000_000 }),
      );
      await client.send(
        new PutObjectCommand({
          ...{ Bucket, Key: "packed", Body: Readable.from([piece]), ContentLength: piece.length },
          ...{ ContentEncoding: "gzip", ChecksumAlgorithm: "SHA256" },
        }),
      );
      const got = await client.send(
        new GetObjectCommand({ Bucket, Key: "a b", ResponseCacheControl: "no-store, x=1" }),
      );
      assert.equal(await got.Body?.transformToString(), "let in");
      await client.send(new DeleteObjectCommand({ Bucket, Key: "x//y" })).then(
        () => assert.fail("an empty segment went out"),
        (error: { $metadata?: { httpStatusCode?: number } }) =>
          assert.equal(error.$metadata?.httpStatusCode, 400),
      );
      await client.send(new DeleteObjectCommand({ Bucket, Key: "x/y" }));
    } finally {
      client.destroy();
    }
    assert.deepEqual(
      seen.map(({ method, body }) => `${method} ${body.length}`),
      ["PUT 5", "PUT 10000000", "PUT 100000", "GET 0", "DELETE 0"],
    );
    assert.ok(seen[1]?.body.equals(Buffer.alloc(10_000_000, "y")));
    assert.deepEqual(seen[1]?.values("x-amz-content-sha256"), ["UNSIGNED-PAYLOAD"]);
    assert.deepEqual(seen[2]?.values("content-encoding"), ["gzip"]);
    for (const { fields } of seen) assert.ok(!fields.some(([, value]) => /aws-chunked|jns_/.test(value)));
  },
);

interface Case {
  readonly id: string;
  readonly input: {
    readonly headers?: Record<string, string>;
    readonly query?: string;
    readonly path?: string;
  };
  readonly expect: { readonly outcome: string; readonly status?: number; readonly code?: string };
}

/** Of GitHub Apps, whose tokens are fetched. */
const ofTokens = ["SIGN-007", "SIGN-008", "SIGN-009", "SIGN-011"];

test("the corpus of signing", limit, async () => {
  const { stage } = await open();
  const text = readFileSync(join(root, "test/corpus/signing.jsonl"), "utf8");
  const cases = text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Case);
  assert.ok(cases.length > 0);
  for (const one of cases.filter(({ id }) => !ofTokens.includes(id))) {
    const { headers = {}, query, path = "/x" } = one.input;
    const target = query === undefined ? path : `${path}?${query}`;
    // Over HTTP a foreign Host is refused before anything else is looked at; a tool call has none that counts.
    const { agent } = await open();
    const capability = one.id === "SIGN-012" ? "okx" : "table";
    stage.fresh();
    const told = await agent.execute(capability, target, { headers });
    if (one.expect.outcome === "allowed") assert.equal(verdict(told), "200", `${one.id}: ${told.text}`);
    else assert.equal(told.code, one.expect.code, one.id);
    const host = stage.upstream.seen.at(-1)?.values("host") ?? [];
    if (one.expect.outcome === "allowed") assert.deepEqual(host, [`127.0.0.1:${stage.upstream.port}`]);
    else assert.deepEqual(host, []);
  }
});

test("no secret is in what janee has printed, written down or answered", limit, async () => {
  const { stage, agent } = await open();
  const { home, serving } = stage;
  await home.do(["logs", "verify"]);
  const texts = [
    home.printed,
    home.auditText(),
    home.readConfig(),
    agent.heard,
    serving.stdout(),
    serving.stderr(),
  ];
  for (const text of texts) for (const secret of secrets) assert.ok(!text.includes(secret));
});
