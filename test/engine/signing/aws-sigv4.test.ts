// AWS: which region and service, what of a body is signed, what is taken off, and what is not signed at all.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseBaseUrl } from "../../../src/engine/base-url.ts";
import { AwsChunks } from "../../../src/engine/credential/aws/chunked.ts";
import { scopeOf } from "../../../src/engine/credential/aws/endpoint.ts";
import { Failure, FailureError } from "../../../src/engine/failure.ts";
import type { Body } from "../../../src/engine/ports.ts";
import { refused } from "../config-sample.ts";
import { bodyOf, fieldsOf, headerOf, type Made, made, serviceFor, signed } from "./made.ts";

const auth = "{type: aws-sigv4, accessKeyId: AKIAIOSFODNN7EXAMPLE, secretAccessKey: env:S}";
const named =
  "{type: aws-sigv4, accessKeyId: AKIAIOSFODNN7EXAMPLE, secretAccessKey: env:S, service: s3, region: us-east-1}";
const secrets = { secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" };
const bucket = (): Promise<Made> => made(auth, "https://bucket.s3.eu-west-1.amazonaws.com", secrets);

test("region and service are told by the host", () => {
  const told: Readonly<Record<string, string>> = {
    "s3.amazonaws.com": "s3 us-east-1",
    "bucket.s3.amazonaws.com": "s3 us-east-1",
    "s3.eu-west-1.amazonaws.com": "s3 eu-west-1",
    "my.bucket.s3.eu-west-1.amazonaws.com": "s3 eu-west-1",
    "bucket.s3.dualstack.eu-west-1.amazonaws.com": "s3 eu-west-1",
    "bucket.s3-eu-west-1.amazonaws.com": "s3 eu-west-1",
    "bucket.s3-accelerate.amazonaws.com": "s3 us-east-1",
    "bucket.s3-accelerate.dualstack.amazonaws.com": "s3 us-east-1",
    "s3-fips.us-gov-west-1.amazonaws.com": "s3 us-gov-west-1",
    "point-123.s3-accesspoint.eu-west-1.amazonaws.com": "s3 eu-west-1",
    "123.s3-control.eu-west-1.amazonaws.com": "s3 eu-west-1",
    "dynamodb.us-east-1.amazonaws.com": "dynamodb us-east-1",
    "dynamodb-fips.us-east-1.amazonaws.com": "dynamodb us-east-1",
    "dynamodb.eu-west-1.api.aws": "dynamodb eu-west-1",
    "streams.dynamodb.us-east-1.amazonaws.com": "dynamodb us-east-1",
    "sqs.cn-north-1.amazonaws.com.cn": "sqs cn-north-1",
    "bedrock-runtime.us-west-2.amazonaws.com": "bedrock us-west-2",
    "email.us-east-1.amazonaws.com": "ses us-east-1",
    "api.ecr.eu-west-1.amazonaws.com": "ecr eu-west-1",
    "abc.execute-api.ap-southeast-2.amazonaws.com": "execute-api ap-southeast-2",
    "search-x-abc.eu-west-1.es.amazonaws.com": "es eu-west-1",
    "abc.lambda-url.eu-west-1.on.aws": "lambda eu-west-1",
    "sts.amazonaws.com": "sts us-east-1",
    "sts.eu-west-1.amazonaws.com": "sts eu-west-1",
    "iam.amazonaws.com": "iam us-east-1",
    "route53.amazonaws.com": "route53 us-east-1",
    "cloudfront.amazonaws.com": "cloudfront us-east-1",
    "0123abcd.r2.cloudflarestorage.com": "s3 auto",
    "0123abcd.eu.r2.cloudflarestorage.com": "s3 auto",
    "s3.us-west-004.backblazeb2.com": "s3 us-west-004",
    "s3.amazonaws.com.evil.example": " ",
    "notamazonaws.com": " ",
    "minio.example": " ",
  };
  for (const [host, wanted] of Object.entries(told)) {
    const base = parseBaseUrl(`https://${host}`);
    assert.ok(!("problem" in base), host);
    const { service = "", region = "" } = scopeOf(new Map(), base);
    assert.equal(`${service} ${region}`, wanted, host);
  }
});

test("where the host tells nothing, the config says what is missing, and takes what it says", () => {
  const config = (block: string, url: string): string =>
    `services:\n  s: {baseUrl: "${url}", auth: ${block}}\n`;
  const bare = refused(config(auth, "https://minio.example"));
  assert.match(bare.message, /"service" and "region" cannot be told by the host/);
  assert.match(refused(config(auth, "https://kinesis.amazonaws.com")).message, /^"region" cannot be told/);
  assert.equal(serviceFor(named, "https://minio.example").auth.open.get("region"), "us-east-1");
  const temporary = auth.replace("AKIA", "ASIA");
  assert.match(refused(config(temporary, "https://sts.amazonaws.com")).message, /"sessionToken" is missing/);
  const slashed = auth.replace("AKIAIOSFODNN7EXAMPLE", "AKIA/x");
  assert.match(refused(config(slashed, "https://sts.amazonaws.com")).message, /expected an access key id/);
});

const stream: Body = { kind: "stream", length: 5, chunks: (async function* () {})() };

test("a stream goes to S3 unsigned over TLS and on this machine, and is read whole and signed otherwise", async () => {
  const reads = (block: string, url: string, ...more: string[]): boolean | undefined =>
    readsBody(serviceFor(block, url, ...more));
  const { scheme } = await bucket();
  function readsBody(service: Made["service"]): boolean | undefined {
    return scheme.readsBody?.(service, []);
  }
  assert.equal(reads(auth, "https://bucket.s3.eu-west-1.amazonaws.com"), false);
  assert.equal(reads(named, "http://127.0.0.1:9000"), false);
  assert.equal(reads(named, "http://minio.example:9000", "allowCleartext: true"), true);
  assert.equal(reads(auth, "https://dynamodb.eu-west-1.amazonaws.com"), true);

  const one = await bucket();
  const placed = signed(one, { method: "PUT", target: "/x", body: stream });
  assert.equal(headerOf(placed, "x-amz-content-sha256"), "UNSIGNED-PAYLOAD");
  const whole = signed(one, { method: "PUT", target: "/x", body: "hello" });
  assert.match(headerOf(whole, "x-amz-content-sha256"), /^2cf24dba5fb0a30e/);
  const far = await made(named, "http://minio.example:9000", secrets, 7, "allowCleartext: true");
  assert.throws(() => signed(far, { method: "PUT", target: "/x", body: stream }), /was not read/);
});

test("the key of a day is made once, and the next day has its own", async () => {
  const one = await bucket();
  const at = (now: number): string => headerOf(signed(one, { target: "/x", now }), "authorization");
  const day = 86_400_000;
  assert.equal(at(day), at(day));
  assert.notEqual(at(day), at(2 * day));
  const fresh = headerOf(signed(await bucket(), { target: "/x", now: 2 * day }), "authorization");
  assert.equal(at(2 * day), fresh);
});

test("a signature in the query is not signed again, however its name is written", async () => {
  const { scheme, service } = await bucket();
  const refusal = (query: string): string | undefined =>
    scheme.refuse?.(service, { path: "/", query }, [])?.code;
  for (const query of [
    ...[
      "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=604800",
      "X-Amz-Signature=0",
      "a=1&x-amz-credential=0",
    ],
    ...["X-Amz-Date=0", "X-Amz-Security-Token=0", "X-Amz-SignedHeaders=host", "X%2DAmz%2DSignature=0"],
    ...["x%252damz%252dsignature=0", "a=1;X-Amz-Signature=0", "+X-Amz-Signature=0", "X_Amz_Signature=0"],
    ...["AWSAccessKeyId=AKIA", "Signature=0", "Expires=1", "%53ignature=0", "X-Amz-Expires"],
  ]) {
    assert.equal(refusal(query), "presign_forbidden", query);
  }
  for (const query of [
    "list-type=2&prefix=signature",
    "x-id=GetObject",
    "response-expires=0",
    "Action=Expires",
    "",
  ]) {
    assert.equal(refusal(query), undefined, query);
  }
});

test("an API of a customer's own may have parameters that a signature of old had", async () => {
  const { scheme, service } = await made(
    auth,
    "https://abc.execute-api.eu-west-1.amazonaws.com/prod",
    secrets,
  );
  const refusal = (query: string): string | undefined =>
    scheme.refuse?.(service, { path: "/", query }, [])?.code;
  assert.equal(refusal("signature=x&expires=1"), undefined);
  assert.equal(refusal("X-Amz-Signature=x"), "presign_forbidden");
});

test("the agent's own part of a signature is janee's to set", async () => {
  const { scheme, service } = await bucket();
  for (const name of [
    "authorization",
    "date",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-content-sha256",
  ]) {
    assert.ok(scheme.headerNames(service.auth).includes(name), name);
  }
});

const signature = "ab".repeat(32);

interface Framing {
  readonly bytes: string;
  readonly length: string;
}

const good: Readonly<Record<string, Framing>> = {
  signed: {
    bytes: `5;chunk-signature=${signature}\r\nhello\r\n6;chunk-signature=${signature}\r\n world\r\n0;chunk-signature=${signature}\r\n\r\n`,
    length: "11",
  },
  trailer: { bytes: "b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n", length: "11" },
  "signed trailer": {
    bytes: `B;chunk-signature=${signature}\r\nhello world\r\n0;chunk-signature=${signature}\r\nx-amz-checksum-crc32:DUoRhQ==\r\nx-amz-trailer-signature:${signature}\r\n\r\n`,
    length: "11",
  },
  empty: { bytes: "0\r\n\r\n", length: "0" },
};

const bad: Readonly<Record<string, Framing>> = {
  "a size that lies": { bytes: "4\r\nhello\r\n0\r\n\r\n", length: "5" },
  "more than was said": { bytes: "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", length: "5" },
  "less than was said": { bytes: "5\r\nhello\r\n0\r\n\r\n", length: "6" },
  "no end": { bytes: "5\r\nhello\r\n", length: "5" },
  "no end of the trailers": { bytes: "5\r\nhello\r\n0\r\n", length: "5" },
  "bytes behind the end": { bytes: "5\r\nhello\r\n0\r\n\r\nGET", length: "5" },
  "a bare LF": { bytes: "5\nhello\r\n0\r\n\r\n", length: "5" },
  "a bare LF behind a chunk": { bytes: "5\r\nhello\n0\r\n\r\n", length: "5" },
  "a signed size": { bytes: "+5\r\nhello\r\n0\r\n\r\n", length: "5" },
  "a size in 0x": { bytes: "0x5\r\nhello\r\n0\r\n\r\n", length: "5" },
  "a space": { bytes: "5 \r\nhello\r\n0\r\n\r\n", length: "5" },
  "another extension": { bytes: "5;a=b\r\nhello\r\n0\r\n\r\n", length: "5" },
  "a trailer without a name": { bytes: "5\r\nhello\r\n0\r\n:x\r\n\r\n", length: "5" },
  "a line without end": { bytes: `5;chunk-signature=${"a".repeat(2000)}`, length: "5" },
  "a size beyond all": { bytes: "fffffffff\r\nhello\r\n0\r\n\r\n", length: "5" },
  "plain bytes": { bytes: "hello", length: "5" },
  "no length": { bytes: "5\r\nhello\r\n0\r\n\r\n", length: "" },
  "a length that is none": { bytes: "5\r\nhello\r\n0\r\n\r\n", length: "5x" },
};

function unwrapped(one: Made, framing: Framing, body: Body, more: Readonly<Record<string, string>> = {}) {
  const sent = {
    "Content-Encoding": "aws-chunked",
    ...(framing.length === "" ? {} : { "X-Amz-Decoded-Content-Length": framing.length }),
    "X-Amz-Trailer": "x-amz-checksum-crc32",
    "X-Amz-Sdk-Checksum-Algorithm": "CRC32",
    ...more,
  };
  const asked = fieldsOf({ ...sent, "X-Amz-Content-Sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER" });
  return one.scheme.unwrap?.({ auth: one.service.auth, asked, fields: fieldsOf(sent), body });
}

test("the framing of an SDK's signed chunks is taken off, byte by byte as well", async () => {
  const one = await bucket();
  for (const [name, framing] of Object.entries(good)) {
    const bare = unwrapped(one, framing, bodyOf(framing.bytes));
    assert.ok(bare && !(bare instanceof Failure), name);
    const bytes = bare.body.kind === "whole" ? bare.body.bytes.toString() : "";
    assert.equal(bytes, "hello world".slice(0, Number(framing.length)), name);
    assert.deepEqual(bare.fields, [], name);

    const pieces = (async function* () {
      for (const byte of Buffer.from(framing.bytes)) yield Buffer.from([byte]);
    })();
    const streamed = unwrapped(one, framing, { kind: "stream", length: undefined, chunks: pieces });
    assert.ok(streamed && !(streamed instanceof Failure) && streamed.body.kind === "stream");
    assert.equal(streamed.body.length, Number(framing.length));
    const content: Buffer[] = [];
    for await (const chunk of streamed.body.chunks) content.push(chunk);
    assert.equal(Buffer.concat(content).toString(), bytes, name);
  }
});

test("another coding stays, and so does a checksum that is a header", async () => {
  const one = await bucket();
  const framing = good.trailer as Framing;
  const bare = unwrapped(one, framing, bodyOf(framing.bytes), {
    "Content-Encoding": "aws-chunked,gzip",
    "X-Amz-Checksum-Crc32": "DUoRhQ==",
  });
  assert.ok(bare && !(bare instanceof Failure));
  assert.deepEqual(
    bare.fields.map(({ key, value }) => `${key}: ${value}`),
    ["content-encoding: gzip", "x-amz-sdk-checksum-algorithm: CRC32", "x-amz-checksum-crc32: DUoRhQ=="],
  );
  const plain = { auth: one.service.auth, asked: [], fields: [], body: bodyOf("5\r\nhello\r\n0\r\n\r\n") };
  assert.equal(one.scheme.unwrap?.(plain), undefined);
});

test("what is not exactly such a framing is refused, and never arrives whole", async () => {
  const one = await bucket();
  for (const [name, framing] of Object.entries(bad)) {
    const bare = unwrapped(one, framing, bodyOf(framing.bytes));
    assert.ok(bare instanceof Failure, name);
    assert.equal(bare.code, "bad_request", name);
    const pieces = (async function* () {
      yield Buffer.from(framing.bytes);
    })();
    const streamed = unwrapped(one, framing, { kind: "stream", length: undefined, chunks: pieces });
    if (streamed instanceof Failure) continue;
    assert.ok(streamed?.body.kind === "stream", name);
    let size = 0;
    await assert.rejects(
      async () => {
        for await (const chunk of (streamed.body as Extract<Body, { kind: "stream" }>).chunks)
          size += chunk.length;
      },
      (error) => error instanceof FailureError && error.failure.code === "bad_request",
      name,
    );
    assert.ok(size < Number(framing.length), `${name}: ${size} of ${framing.length} bytes went out`);
  }
});

test("however content is cut into chunks, and they into pieces, it comes out as it went in", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 10 }),
      fc.boolean(),
      (contents, cuts, isSigned) => {
        const extension = isSigned ? `;chunk-signature=${signature}` : "";
        const framed = contents.map((bytes) =>
          Buffer.concat([
            Buffer.from(`${bytes.length.toString(16)}${extension}\r\n`),
            bytes,
            Buffer.from("\r\n"),
          ]),
        );
        const all = Buffer.concat([...framed, Buffer.from(`0${extension}\r\n\r\n`)]);
        const whole = Buffer.concat(contents);
        const chunks = new AwsChunks(whole.length);
        const found: Buffer[] = [];
        for (let at = 0, turn = 0; at < all.length; turn++) {
          const cut = cuts[turn % cuts.length] ?? 1;
          const content = chunks.push(all.subarray(at, at + cut));
          assert.ok(typeof content !== "string", String(content));
          found.push(...content);
          at += cut;
        }
        assert.equal(chunks.end(), undefined);
        assert.ok(Buffer.concat(found).equals(whole));
      },
    ),
  );
});

test("chunks that never end their line take no more memory than a line", () => {
  const chunks = new AwsChunks(10);
  let problem: unknown;
  for (let round = 0; round < 5_000 && typeof problem !== "string"; round++)
    problem = chunks.push(Buffer.from("0"));
  assert.equal(problem, "a line is too long");
});
