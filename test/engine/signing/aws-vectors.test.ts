// Published vectors of Signature Version 4: the test suite that AWS gave out, and the examples of its pages.
// https://github.com/awslabs/aws-c-auth/tree/main/tests/aws-signing-test-suite
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  authorization,
  canonicalPath,
  canonicalQuery,
  signingKey,
  timeText,
} from "../../../src/engine/credential/aws/canonical.ts";
import { digest } from "../../../src/host/digest.ts";
import { headerOf, made, signed } from "./made.ts";

const secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const day = "20150830";
const time = `${day}T123600Z`;

interface Vector {
  readonly name: string;
  readonly method?: string;
  /** As it stands in the canonical request of the suite: escaped once. */
  readonly path?: string;
  readonly query?: string;
  readonly fields?: readonly (readonly [string, string])[];
  readonly host?: string;
  readonly service?: string;
  readonly signature: string;
}

const suite: readonly Vector[] = [
  { name: "get-vanilla", signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
  {
    ...{ name: "post-vanilla", method: "POST" },
    signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
  },
  {
    ...{ name: "get-vanilla-query-order-key-case", query: "Param2=value2&Param1=value1" },
    signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
  },
  {
    ...{ name: "get-vanilla-utf8-query", query: "%E1%88%B4=bar" },
    signature: "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
  },
  {
    ...{ name: "get-space", path: "/example%20space/" },
    signature: "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
  },
  {
    ...{ name: "get-utf8", path: "/%E1%88%B4" },
    signature: "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
  },
  {
    ...{
      name: "get-unreserved",
      path: "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    },
    signature: "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
  },
  {
    ...{ name: "post-header-key-sort", method: "POST", fields: [["my-header1", "value1"]] },
    signature: "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
  },
  {
    name: "get-header-key-duplicate",
    fields: [
      ["my-header1", "value2"],
      ["my-header1", "value2"],
      ["my-header1", "value1"],
    ],
    signature: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
  },
  {
    ...{ name: "the example of the IAM user guide", host: "iam.amazonaws.com", service: "iam" },
    query: "Action=ListUsers&Version=2010-05-08",
    fields: [["content-type", "application/x-www-form-urlencoded; charset=utf-8"]],
    signature: "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
  },
];

for (const one of suite) {
  test(`test suite: ${one.name}`, () => {
    const scope = { region: "us-east-1", service: one.service ?? "service" };
    const fields = [["host", one.host ?? "example.amazonaws.com"] as const, ["x-amz-date", time] as const];
    const canonical = {
      method: one.method ?? "GET",
      path: canonicalPath(one.path ?? "/", "s3"),
      query: canonicalQuery(one.query),
      fields: [...(one.fields ?? []), ...fields],
      payload: empty,
    };
    const key = signingKey(secret, day, scope, digest);
    const value = authorization(canonical, scope, time, "AKIDEXAMPLE", key, digest);
    assert.equal(value.split("Signature=")[1], one.signature);
    assert.ok(
      value.startsWith(
        `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/${day}/us-east-1/${scope.service}/aws4_request, SignedHeaders=`,
      ),
    );
  });
}

test("a path is escaped twice but for object stores, whose names keep their slashes", () => {
  assert.equal(canonicalPath("/a%20b/(c)", "dynamodb"), "/a%2520b/%28c%29");
  assert.equal(canonicalPath("/a%20b/(c)", "s3"), "/a%20b/%28c%29");
  assert.equal(canonicalPath("/a%2Fb+c//d", "s3"), "/a/b%20c//d");
  assert.equal(canonicalPath("/a%2Fb//c", "lambda"), "/a%252Fb/c");
  assert.equal(canonicalQuery("b=2&a=%7e+x&a=&acl&b=10"), "a=&a=~%20x&acl=&b=10&b=2");
  assert.equal(canonicalQuery("a-b=1&a=2"), "a=2&a-b=1");
  assert.equal(canonicalQuery(""), "");
  assert.equal(timeText(Date.parse("2015-08-30T12:36:00.999Z")), time);
});

const objects = {
  auth: "{type: aws-sigv4, accessKeyId: AKIAIOSFODNN7EXAMPLE, secretAccessKey: env:S}",
  url: "https://examplebucket.s3.amazonaws.com",
  secrets: { secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" },
  now: Date.parse("2013-05-24T00:00:00Z"),
};

for (const [target, signature] of [
  ["/?lifecycle", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"],
  ["/?max-keys=2&prefix=J", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"],
] as const) {
  test(`the whole scheme signs the S3 example ${target}`, async () => {
    const one = await made(objects.auth, objects.url, objects.secrets);
    const placed = signed(one, { target, now: objects.now });
    assert.equal(
      headerOf(placed, "authorization"),
      `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=${signature}`,
    );
    assert.equal(headerOf(placed, "x-amz-date"), "20130524T000000Z");
    assert.equal(headerOf(placed, "x-amz-content-sha256"), empty);
    assert.deepEqual(placed.query, []);
  });
}
