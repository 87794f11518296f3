// What stands for a key: whose it is can be told, and where it strays is seen.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service } from "../../src/engine/config.ts";
import { Failure } from "../../src/engine/failure.ts";
import { checkPlaceholders, Placeholders } from "../../src/engine/placeholder.ts";
import { shapeOf } from "../../src/engine/placeholder-shape.ts";
import { readConfig } from "../../src/engine/read-config.ts";
import { knownServices } from "../../src/engine/services/index.ts";
import { looksLikeKey } from "../../src/engine/services/shape.ts";
import { digest } from "../../src/host/digest.ts";

const read = readConfig(
  `services:
  stripe: {baseUrl: https://api.stripe.com, auth: {type: bearer, key: env:K}}
  github: {baseUrl: https://api.github.com, auth: {type: bearer, key: env:K}}
  mine: {baseUrl: https://api.example.com, auth: {type: query, param: api_key, key: env:K}, placeholders: [path]}
`,
  "config.yaml",
);
if (read instanceof Failure) throw new Error(read.message);
const { services } = read.config;
function service(name: string): Service {
  const found = services.get(name);
  assert.ok(found);
  return found;
}

const placeholders = new Placeholders(digest, () => new Uint8Array(32).fill(7), shapeOf);
const own = placeholders.of("run:a", service("stripe"));

test("it has the vendor's shape, and is the same each time for the same owner and service", () => {
  assert.match(own, /^sk_test_[0-9A-Za-z]{99}$/);
  assert.match(placeholders.of("run:a", service("github")), /^github_pat_[0-9A-Za-z]{82}$/);
  assert.match(placeholders.of("run:a", service("mine")), /^[0-9A-Za-z]{32}$/);
  assert.equal(placeholders.of("run:a", service("stripe")), own);
  assert.notEqual(placeholders.of("run:b", service("stripe")), own);
  assert.notEqual(new Placeholders(digest, () => new Uint8Array(32)).of("run:a", service("stripe")), own);
});

test("any janee can tell that it is one, and takes no other text for one", () => {
  const elsewhere = new Placeholders(digest, () => new Uint8Array(32).fill(9));
  const served = new Placeholders(digest, () => new Uint8Array(32).fill(7));
  assert.ok(own.includes(served.of("run:a", service("stripe"))), "without the vendor's shape as well");
  assert.equal(elsewhere.in(`a ${own} b ${own}`).length, 2);
  for (const text of [
    "janee",
    "https://janee.dev/janeejaneejaneejaneejaneejaneejanee",
    own.slice(0, 30),
    own.replace(/janee./, "janee!"),
  ]) {
    assert.deepEqual(placeholders.in(text), [], text);
  }
});

function check(
  name: string,
  carried: { headers?: Record<string, string>; target?: string },
): string | undefined {
  const fields = Object.entries(carried.headers ?? {}).map(([header, value]) => ({
    name: header,
    key: header.toLowerCase(),
    value,
  }));
  const carrying = {
    owner: "run:a",
    service: service(name),
    services: services.values(),
    target: carried.target ?? "/",
    fields,
  };
  const strayed = checkPlaceholders(placeholders, carrying);
  return strayed && `${strayed.failure.code}${strayed.isAlarm ? " alarm" : ""}`;
}

test("it may stand where the credential goes, and where the service declares it", () => {
  assert.equal(check("stripe", { headers: { Authorization: `Bearer ${own}` } }), undefined);
  assert.equal(
    check("stripe", { headers: { Authorization: `Basic ${Buffer.from(`${own}:`).toString("base64")}` } }),
    undefined,
  );
  assert.equal(check("stripe", { headers: { "X-Other": own } }), undefined);
  assert.equal(check("stripe", { target: `/x?key=${own}` }), "placeholder_misplaced");
  assert.equal(check("stripe", { target: `/${own}` }), "placeholder_misplaced");
  const mine = placeholders.of("run:a", service("mine"));
  assert.equal(check("mine", { target: `/bot${mine}/x?api_key=${mine}` }), undefined);
  assert.equal(check("mine", { target: `/x?other=${mine}` }), "placeholder_misplaced");
  assert.equal(check("mine", { headers: { "X-Other": mine } }), "placeholder_misplaced");
});

test("another service's, another run's and another home's stray, wherever they stand", () => {
  for (const carried of [
    { headers: { Authorization: `Bearer ${own}` } },
    { headers: { Authorization: `Basic ${Buffer.from(`x:${own}`).toString("base64")}` } },
    { headers: { Cookie: `a=${own}` } },
    { target: `/x?key=${own}` },
  ]) {
    assert.equal(check("github", carried), "placeholder_misplaced alarm");
  }
  const foreign = placeholders.of("run:b", service("stripe"));
  assert.equal(
    check("stripe", { headers: { Authorization: `Bearer ${foreign}` } }),
    "placeholder_unknown alarm",
  );
});

test("every service of the directory that says how its keys look gets one that is known as a placeholder", () => {
  for (const [name, known] of knownServices) {
    const one: Service = { ...service("stripe"), name, base: undefined };
    const made = placeholders.of("run:a", one);
    assert.equal(placeholders.in(made).length, 1, `${name}: ${made}`);
    assert.doesNotMatch(made, /[{}]/, name);
    const roomy = known.key?.like.some((example) => /\{(?:3[2-9]|[4-9]\d|\d{3})\}/.test(example));
    if (known.key && roomy) assert.ok(looksLikeKey(known.key, made), `${name}: ${made}`);
  }
});
