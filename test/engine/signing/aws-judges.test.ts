// What two libraries of others sign for the same input is what janee signs.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { timeText } from "../../../src/engine/credential/aws/canonical.ts";
import { Failure } from "../../../src/engine/failure.ts";
import { readTarget, targetText } from "../../../src/engine/target.ts";
import { byAws4fetch, bySmithy } from "../../support/aws.ts";
import { headerOf, made, signed, unsigned } from "./made.ts";

const limit = { timeout: 120_000 };

const escapes = fc.constantFrom("%20", "%C3%A9", "%25", "%7B", "%3D", "%26", "%2B", "%22");
const plain = fc.stringMatching(/^[A-Za-z0-9_~!$'()*,=:@-]{1,8}$/);
const segment = fc
  .array(fc.oneof(plain, escapes), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join(""));
const path = fc
  .array(segment, { maxLength: 4 })
  .map((segments) => `/${segments.join("/")}`)
  .filter((text) => !(readTarget(text) instanceof Failure));
const word = fc
  .array(fc.oneof(fc.stringMatching(/^[A-Za-z0-9_~!$'()*,:@.-]{1,6}$/), escapes), {
    minLength: 1,
    maxLength: 2,
  })
  .map((parts) => parts.join(""));
const query = fc
  .uniqueArray(fc.tuple(word, fc.option(word, { nil: undefined })), {
    selector: ([name]) => decodeURIComponent(name),
    maxLength: 4,
  })
  .map((pairs) => pairs.map(([name, value]) => (value === undefined ? name : `${name}=${value}`)).join("&"));
const value = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/);
const headers = fc.record(
  {
    "content-type": fc.constantFrom(
      "application/json",
      "application/x-amz-json-1.0",
      "text/plain; charset=utf-8",
    ),
    "x-amz-target": value,
    "x-amz-meta-note": value,
    "x-amz-acl": fc.constantFrom("private", "bucket-owner-full-control"),
  },
  { requiredKeys: [] },
);
const request = fc.record({
  ...{ path, query, headers },
  method: fc.constantFrom("GET", "POST", "PUT", "DELETE", "HEAD"),
  body: fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
  now: fc.integer({ min: 0, max: 4_000_000_000_000 }),
  place: fc.constantFrom(
    ["https://dynamodb.eu-west-1.amazonaws.com", "dynamodb", "eu-west-1"],
    ["https://abc123.execute-api.us-east-2.amazonaws.com/prod", "execute-api", "us-east-2"],
    ["https://bucket.s3.eu-central-1.amazonaws.com", "s3", "eu-central-1"],
    ["https://acct.r2.cloudflarestorage.com", "s3", "auto"],
    ["https://s3.cn-north-1.amazonaws.com.cn:8443", "s3", "cn-north-1"],
    ["http://127.0.0.1:9000/minio", "s3", "us-west-1"],
  ),
  temporary: fc.boolean(),
});

test("aws4fetch and the signer of the AWS SDK sign the same", limit, async () => {
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(request, async ({ place: [url, service, region], temporary, ...one }) => {
      const fields = ["type: aws-sigv4", "accessKeyId: AKIAIOSFODNN7EXAMPLE", "secretAccessKey: env:S"];
      if (temporary) fields.push("sessionToken: env:T");
      if (url.startsWith("http://")) fields.push(`service: ${service}`, `region: ${region}`);
      const token = temporary ? "FwoGZXIvYXdzEXAMPLE/+=" : undefined;
      const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
      const credential = await made(`{${fields.join(", ")}}`, url, {
        secretAccessKey: secret,
        ...(token === undefined ? {} : { sessionToken: token }),
      });
      const ask = {
        ...{
          method: one.method,
          headers: one.headers as Record<string, string>,
          body: one.body,
          now: one.now,
        },
        target: one.query === "" ? one.path : `${one.path}?${one.query}`,
      };
      const placed = signed(credential, ask);
      const { base, target } = unsigned(credential, ask);
      const signable = {
        ...{
          method: one.method,
          url: `${base.scheme}://${base.authority}${targetText(target)}`,
          body: one.body,
        },
        headers: { ...ask.headers, "x-amz-content-sha256": headerOf(placed, "x-amz-content-sha256") },
        ...{
          region,
          service,
          accessKeyId: "AKIAIOSFODNN7EXAMPLE",
          secretAccessKey: secret,
          sessionToken: token,
        },
        time: timeText(one.now),
      };
      // URLs escape the apostrophe in a query, which is signed escaped in any case.
      const [before = "", after] = signable.url.split("?");
      const shown = after === undefined ? before : `${before}?${after.replaceAll("'", "%27")}`;
      assert.equal(new URL(signable.url).href, shown, "the judge would sign another address");
      const ours = headerOf(placed, "authorization");
      assert.equal(ours, await byAws4fetch(signable), "aws4fetch");
      // It takes the path of an object store as its caller has escaped it: all but what is unreserved.
      const isPlain = service !== "s3" || /^(?:[A-Za-z0-9\-._~/]|%[0-9A-F]{2})*$/.test(target.path);
      if (isPlain) assert.equal(ours, await bySmithy(signable), "@smithy/signature-v4");
      if (isPlain) compared += 1;
    }),
    { numRuns: 400 },
  );
  assert.ok(compared > 100, `only ${compared} were put to both`);
});
