// The quick look at names says what the whole reader says, or nothing.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { namesInPlainLayout } from "../../src/engine/config-names.ts";
import { Failure } from "../../src/engine/failure.ts";
import { readConfig } from "../../src/engine/read-config.ts";

const limit = { timeout: 60_000 };

const plain = `# a comment
services: # another
  stripe:
    baseUrl: https://api.stripe.example
    auth: { type: bearer, key: env:KEY }

  github: { baseUrl: "https://api.github.example", auth: { type: bearer, key: env:KEY } }
capabilities:
  # of stripe
  stripe-readonly:
    service: stripe
    description: >
      of several
      lines
    rules:
      - allow: GET /v1/*
  issues: { service: github }
network:
  noProxy: [.corp]
`;

function whole(text: string): object | undefined {
  const read = readConfig(text, "config.yaml");
  if (read instanceof Failure) return undefined;
  const { services, capabilities } = read.config;
  return { services: [...services.keys()], capabilities: [...capabilities.keys()] };
}

test("names of the layout that janee writes are found without the reader", () => {
  const wanted = { services: ["stripe", "github"], capabilities: ["stripe-readonly", "issues"] };
  assert.deepEqual(namesInPlainLayout(plain), wanted);
  assert.deepEqual(namesInPlainLayout(plain.replaceAll("\n", "\r\n")), wanted);
  assert.deepEqual(whole(plain), wanted);
  assert.deepEqual(namesInPlainLayout("services: {}\ncapabilities: {}\n"), {
    services: [],
    capabilities: [],
  });
});

test("of other layouts nothing is said", () => {
  for (const text of [
    "services: { a: { baseUrl: https://a.example } }\n",
    '"services":\n  a: {}\n',
    'services:\n  "a": {}\n',
    "services:\n  ? a\n  : {}\n",
    "services:\n\ta: {}\n",
    "services:\n    a: {}\n  b: {}\n",
    "---\nservices:\n  a: {}\n",
    "services:\n  a: {}\nservices:\n  b: {}\n",
    "services: {}\n  a: {}\n",
    "  services:\n    a: {}\n",
    "{ services: {} }\n",
  ]) {
    assert.equal(namesInPlainLayout(text), undefined, text);
  }
});

test("whatever the layout: the same names as the whole reader's, or none", limit, () => {
  const lines = [
    ...plain.split("\n"),
    ...["services:", "capabilities:", "services: {}", "capabilities: {}", "  a:", "  a: {", "  }", "   b:"],
    ...[
      "    baseUrl: https://a.example",
      "    auth: { type: bearer, key: env:A }",
      "    service: a",
      "    ttl: 1h",
    ],
    ...[
      "    description: |",
      "      x:",
      "  y:",
      '    description: "x',
      '  z: y"',
      "network:",
      "  'q':",
      "\tt:",
      "",
    ],
  ];
  let compared = 0;
  const judged = (text: string): void => {
    const found = namesInPlainLayout(text);
    const sound = whole(text);
    if (!found || !sound) return;
    compared += 1;
    assert.deepEqual(found, sound, text);
  };
  const start = plain.split("\n");
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(start.length), fc.constantFrom(...lines)), { maxLength: 4 }),
      (edits) => {
        const changed = [...start];
        for (const [at, line] of edits) changed.splice(at, line.length % 2, line);
        judged(changed.join("\n"));
      },
    ),
    { numRuns: 2_000 },
  );
  assert.ok(compared > 100, `${compared} layouts were compared`);
});
