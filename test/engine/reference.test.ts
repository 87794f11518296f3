// What a reference looks like, kind by kind, and what is none.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  isReference,
  parseReference,
  type Reference,
  type ReferenceKind,
  referenceForms,
  refusedIn,
} from "../../src/engine/reference.ts";
import { lookByHand, storeCommand } from "../../src/engine/reference-command.ts";

function parsed(text: string): Reference {
  const reference = parseReference(text);
  assert.ok(reference && "kind" in reference, `${text}: ${JSON.stringify(reference)}`);
  return reference;
}

function problem(text: string): string {
  const reference = parseReference(text);
  assert.ok(reference && "problem" in reference, `${text}: ${JSON.stringify(reference)}`);
  return reference.problem;
}

test("each kind reads its own example", () => {
  for (const [kind, { example }] of Object.entries(referenceForms)) {
    assert.ok(isReference(example), example);
    assert.equal(parsed(example).kind, kind);
  }
});

test("what is read out of each form", () => {
  const table: readonly (readonly [string, object])[] = [
    ["env:A_1", { kind: "env", name: "A_1" }],
    ["file:/a/b c", { kind: "file", path: "/a/b c" }],
    ["file:~/a", { kind: "file", path: "~/a" }],
    ["file:C:\\a", { kind: "file", path: "C:\\a" }],
    ["cmd:pass  show x", { kind: "cmd", program: "pass", words: ["show", "x"] }],
    ["cmd: op read op://v/i/f", { kind: "cmd", program: "op", words: ["read", "op://v/i/f"] }],
    ["keychain:a/b/c", { kind: "keychain", service: "a", account: "b/c" }],
    ["op://v/i/f", { kind: "op", item: "op://v/i/f" }],
    ["op://v/My item/section/f", { kind: "op", item: "op://v/My item/section/f" }],
    ["vault:secret/a/b#k", { kind: "vault", mount: "secret", path: "a/b", field: "k" }],
    ["vault:kv/a#x#y", { kind: "vault", mount: "kv", path: "a", field: "x#y" }],
    ["aws-sm:prod/x", { kind: "aws-sm", secretId: "prod/x", field: undefined }],
    ["aws-sm:prod/x#a b", { kind: "aws-sm", secretId: "prod/x", field: "a b" }],
    ["gcp-sm:projects/p-1/secrets/s", { kind: "gcp-sm", project: "p-1", secret: "s", version: "latest" }],
    [
      "gcp-sm:projects/d.com:p/secrets/s/versions/7",
      { kind: "gcp-sm", project: "d.com:p", secret: "s", version: "7" },
    ],
    ["doppler:p/prd/N", { kind: "doppler", project: "p", config: "prd", name: "N" }],
    [
      "infisical:id/prod/N",
      { kind: "infisical", project: "id", environment: "prod", folder: "/", name: "N" },
    ],
    [
      "infisical:id/prod/a/b/N",
      { kind: "infisical", project: "id", environment: "prod", folder: "/a/b", name: "N" },
    ],
  ];
  for (const [text, expected] of table) assert.deepEqual(parsed(text), expected, text);
});

test("what is not of its form is refused, and nothing of it is repeated", () => {
  const wrong = [
    ...["env:", "env:1CANARY", "env:CANARY-A", "env: CANARY", "file:", "file:canary", "file:./canary"],
    ...["cmd:", "cmd:  ", "keychain:canary", "keychain:/canary", "keychain:canary/"],
    ...["op://", "op://canary", "op://canary/item", "op://canary//f", "op://a/b/c/d/canary"],
    ...["vault:", "vault:secret/canary", "vault:secret#canary", "vault:/canary#k", "vault:s/canary#"],
    ...["vault:s/../canary#k", "vault:s/a//canary#k", "vault:s/a?canary=1#k", "vault:../canary#k"],
    ...["aws-sm:", "aws-sm:--canary", "aws-sm:-canary", "aws-sm:a canary", "aws-sm:canary#"],
    ...["gcp-sm:canary", "gcp-sm:projects/--canary/secrets/s", "gcp-sm:projects/p/secrets/-canary"],
    ...["gcp-sm:projects/p/secrets/s/versions/-canary", "gcp-sm:projects/p/secrets/s/versions/"],
    ...[
      "doppler:canary",
      "doppler:a/canary",
      "doppler:a/b/--canary",
      "doppler:-a/b/canary",
      "doppler:a/b/c/canary",
    ],
    ...["infisical:canary", "infisical:a/canary", "infisical:a/b/--canary", "infisical:a/b/../canary"],
    ...["env:CANARY\n", "op://v/i/canary\u0007", "cmd:a\u0000canary", "vault:s/a\r#canary"],
  ];
  for (const text of wrong) {
    const said = problem(text);
    assert.match(said, /^expected a reference of the form /, text);
    assert.ok(!/canary/i.test(said), said);
  }
});

test("a credential that only begins like one is no reference", () => {
  for (const text of [
    "sk_live_x",
    "ENV:KEY",
    "op:password",
    "environment:x",
    "user:env:x",
    "vaults:x",
    "aws:x",
    "",
  ]) {
    assert.equal(isReference(text), false, text);
    assert.equal(parseReference(text), undefined, text);
  }
});

test("a config from elsewhere may read variables alone, and a store is not opened from a store", () => {
  const kinds = Object.keys(referenceForms) as ReferenceKind[];
  const allowed = (place: "home" | "elsewhere" | "store"): ReferenceKind[] =>
    kinds.filter((kind) => refusedIn(place, kind) === undefined);
  assert.deepEqual(allowed("home"), kinds);
  assert.deepEqual(allowed("elsewhere"), ["env"]);
  assert.deepEqual(allowed("store"), ["env", "file", "cmd", "keychain"]);
  assert.match(refusedIn("elsewhere", "cmd") ?? "", /expected env:$/);
});

test("what a vendor's program is told, word by word", () => {
  const command = (text: string): readonly string[] =>
    storeCommand(parsed(text) as Parameters<typeof storeCommand>[0]);
  assert.deepEqual(command("op://v/My item/f"), ["op", "read", "--no-newline", "op://v/My item/f"]);
  const aws = ["aws", "secretsmanager", "get-secret-value", "--secret-id"];
  assert.deepEqual(command("aws-sm:prod/x#key"), [...aws, "prod/x", "--output", "json"]);
  const arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:x-AbCdEf";
  assert.deepEqual(command(`aws-sm:${arn}`), [...aws, arn, "--output", "json", "--region", "eu-west-1"]);
  assert.deepEqual(command("gcp-sm:projects/p/secrets/s"), [
    ...["gcloud", "secrets", "versions", "access", "latest"],
    ...["--secret", "s", "--project", "p", "--quiet"],
  ]);
  assert.deepEqual(command("doppler:p/prd/N"), [
    ...["doppler", "secrets", "get", "N", "--plain", "--project", "p", "--config", "prd"],
  ]);
  assert.deepEqual(command("infisical:id/prod/a/N"), [
    ...[
      "infisical",
      "secrets",
      "get",
      "N",
      "--projectId=id",
      "--env=prod",
      "--path=/a",
      "--plain",
      "--silent",
    ],
  ]);
});

test("a person is told how to look at each kind by hand", () => {
  for (const { example } of Object.values(referenceForms)) assert.ok(lookByHand(parsed(example)).length > 10);
});
