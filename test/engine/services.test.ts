// The directory of services: plain data, held to a schema and to the project's own readers.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as v from "valibot";
import { parseBaseUrl } from "../../src/engine/base-url.ts";
import { schemeTypes } from "../../src/engine/credential/index.ts";
import { Failure } from "../../src/engine/failure.ts";
import { lintConfig } from "../../src/engine/lint-config.ts";
import { plainKeys } from "../../src/engine/plain-key.ts";
import { effects, parseRule, type Rule, RuleList } from "../../src/engine/rule.ts";
import { fields, knownAt, knownServices, ownerOf, policiesOf } from "../../src/engine/services/index.ts";
import { describeAuth, laterScheme, whyLater } from "../../src/engine/services/later.ts";
import {
  describeShape,
  fillExample,
  genericPolicies,
  type KnownService,
  looksLikeKey,
  splitRule,
} from "../../src/engine/services/shape.ts";
import { readTarget } from "../../src/engine/target.ts";
import { capability, read } from "./config-sample.ts";

const all = fields.flatMap(({ services }) => services);

const text = v.pipe(v.string(), v.minLength(1), v.regex(/^[\x20-\x7e]+$/));
const url = v.pipe(text, v.url(), v.startsWith("https://"));
const variable = v.pipe(v.string(), v.regex(/^[A-Z][A-Z0-9_]*[A-Z0-9]$/));
const fieldName = v.pipe(v.string(), v.regex(/^[A-Za-z][A-Za-z0-9_-]*$/));
const oneOrMore = v.union([fieldName, v.pipe(v.array(fieldName), v.minLength(2))]);
const name = v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9_-]{0,63}$/));
const rules = v.pipe(v.array(v.pipe(text, v.regex(/^(?:allow|deny|ask): \S/))), v.minLength(2));
const schema = v.strictObject({
  name,
  title: text,
  vendor: v.optional(name),
  baseUrl: url,
  ownHost: v.optional(v.literal(true)),
  auth: v.union([
    v.picklist(["bearer", "basic"]),
    v.strictObject({ username: fieldName }),
    // What follows the last space is what is scrubbed from answers, so a prefix ends in one.
    v.strictObject({ header: oneOrMore, prefix: v.optional(v.pipe(text, v.regex(/^\S+ $/))) }),
    v.strictObject({ param: oneOrMore }),
    v.strictObject({ scheme: name, flags: v.optional(v.record(name, text)) }),
  ]),
  keyPage: url,
  docs: url,
  source: url,
  key: v.optional(
    v.strictObject({
      own: v.optional(text),
      shape: v.optional(text),
      like: v.pipe(v.array(text), v.minLength(1)),
    }),
  ),
  variables: v.array(variable),
  test: v.pipe(text, v.startsWith("/")),
  testHeaders: v.optional(v.record(fieldName, text)),
  policies: v.record(name, rules),
});

const each = (check: (service: KnownService) => void): void => {
  for (const service of all) {
    try {
      check(service);
    } catch (error) {
      if (error instanceof Error) error.message = `${service.name}: ${error.message}`;
      throw error;
    }
  }
};

function parsed(texts: readonly string[]): Rule[] {
  return texts.map((one) => {
    const { effect, pattern } = splitRule(one);
    const rule = parseRule(effect, pattern);
    if (rule instanceof Failure) assert.fail(`${one}: ${rule.message}`);
    return rule;
  });
}

test("the directory: every entry has the form, and there are enough of them", () => {
  assert.ok(all.length >= 60, `${all.length}`);
  each((service) => v.parse(schema, service));
  assert.equal(new Set(all.map((one) => one.name)).size, all.length);
  assert.equal(knownServices.size, all.length);
  assert.equal(new Set(fields.map(({ field }) => field)).size, fields.length);
});

test("base URLs are what a config takes, and each hosted service has its own", () => {
  each(({ baseUrl }) => assert.ok(!("problem" in parseBaseUrl(baseUrl))));
  const hosted = all.filter((one) => !one.ownHost).map((one) => one.baseUrl);
  assert.equal(new Set(hosted).size, hosted.length);
  each(({ baseUrl }) => assert.doesNotMatch(baseUrl, /\/$/));
});

/** Registries of packages are no services: what is sent there becomes public, or runs on other machines. */
const registry =
  /(?:^|[.-])(?:registry|npm(?:js)?|pypi|rubygems|crates|packagist|nuget|maven|jsr|docker)(?:[.-]|$)/;

test("no host is a registry of packages", () => {
  each(({ baseUrl, keyPage, source }) => {
    for (const one of [baseUrl, keyPage, source]) assert.doesNotMatch(new URL(one).hostname, registry);
  });
  assert.match("registry.example.com", registry);
});

test("each entry says where its base URL was read, and holds no secret in a URL", () => {
  const sources = all.map(({ source }) => source);
  assert.equal(new Set(sources).size, sources.length);
  each(({ source, docs, keyPage, baseUrl }) => {
    for (const one of [source, docs, keyPage, baseUrl]) {
      const { username, password, searchParams } = new URL(one);
      assert.equal(username + password, "");
      assert.ok([...searchParams.keys()].every((key) => key === "lang"));
    }
    // A file of a repository is named by its commit, or by the branch that is released from.
    if (source.startsWith("https://github.com/"))
      assert.match(source, /\/blob\/(?:[0-9a-f]{40}|main|master)\/\S+$/);
  });
});

test("where a scheme fetches its tokens is the vendor's own and encrypted", () => {
  each(({ auth }) => {
    if (typeof auth === "string" || !("scheme" in auth)) return;
    const tokenUrl = auth.flags?.["token-url"];
    if (tokenUrl !== undefined)
      assert.ok(!("problem" in parseBaseUrl(tokenUrl)) && tokenUrl.startsWith("https://"));
  });
});

test("policies parse, decide something with each rule, and end in a denial", () => {
  each(({ policies }) => {
    assert.ok("read-only" in policies);
    const names = Object.keys(policies);
    assert.ok(names.length >= 2 && names.length <= 4, names.join());
    assert.ok(names.some((one) => !Object.hasOwn(genericPolicies, one)));
    for (const texts of Object.values(policies)) {
      assert.equal(texts.at(-1), "deny: *");
      assert.ok(parsed(texts).some(({ effect }) => effect !== "deny"));
      assert.ok(texts.every((one) => effects.includes(splitRule(one).effect)));
      const lines = texts.map(splitRule).map(({ effect, pattern }) => `  - ${effect}: "${pattern}"`);
      const { config, rulePlaces } = read(capability("rules:", ...lines));
      const findings = lintConfig(config, rulePlaces).map(({ message }) => message);
      assert.deepEqual(findings, [], texts.join("; "));
    }
  });
});

/** What only reads although it is a POST: searches whose question is too long for a URL. */
const searches: ReadonlyMap<string, readonly string[]> = new Map([
  ["hubspot", ["POST /crm/v3/objects/{type}/search"]],
  ["jira", ["POST /rest/api/3/search/jql"]],
  [
    "notion",
    ["POST /v1/search", "POST /v1/databases/{database}/query", "POST /v1/data_sources/{source}/query"],
  ],
]);

/** Paths that the service's own rules name, and some that none names. */
function pathsOf({ policies }: KnownService): string[] {
  const named = Object.values(policies)
    .flat()
    .map((text) => splitRule(text).pattern.split(" ")[1] ?? "/")
    .map((path) => path.replace(/\{[^}]*\}/g, "x").replaceAll("*", "x"));
  return [...new Set([...named, "/", "/v1/things/1", "/api/things/1", "/graphql"])];
}

test("read-only lets nothing through that changes by its method, but for the searches listed here", () => {
  each((service) => {
    const texts = service.policies["read-only"] ?? [];
    const patterns = texts.map(splitRule).filter(({ effect }) => effect !== "deny");
    const others = patterns.map(({ pattern }) => pattern).filter((one) => !one.startsWith("GET "));
    assert.deepEqual(others, searches.get(service.name) ?? []);
    const list = new RuleList(parsed(texts));
    for (const method of ["PUT", "PATCH", "DELETE"])
      for (const path of pathsOf(service)) assert.equal(list.decide(method, path).effect, "deny", path);
    const asked = new RuleList(parsed([...others.map((one) => `allow: ${one}`), "deny: *"]));
    for (const path of pathsOf(service))
      assert.equal(list.decide("POST", path).effect, asked.decide("POST", path).effect, path);
  });
  assert.ok([...searches.keys()].every((one) => knownServices.has(one)));
});

test("no-delete lets nothing through that deletes, by its method or by its path", () => {
  each((service) => {
    const { "no-delete": texts } = service.policies;
    if (!texts) return;
    const list = new RuleList(parsed(texts));
    for (const path of pathsOf(service)) assert.equal(list.decide("DELETE", path).effect, "deny", path);
    for (const path of ["/api/things.delete", "/v1/things/1/delete"])
      assert.equal(list.decide("POST", path).effect, "deny", path);
    assert.ok(pathsOf(service).some((path) => list.decide("GET", path).effect === "allow"));
  });
});

test("a policy of the task's size opens what it names, and deletes nothing", () => {
  each((service) => {
    for (const [policy, texts] of Object.entries(service.policies)) {
      if (Object.hasOwn(genericPolicies, policy)) continue;
      const list = new RuleList(parsed(texts));
      for (const path of pathsOf(service)) assert.equal(list.decide("DELETE", path).effect, "deny", path);
      for (const method of ["POST", "PUT", "PATCH"])
        assert.equal(list.decide(method, "/named-by-no-rule").effect, "deny", policy);
    }
  });
});

test("the test request is a plain target that read-only allows", () => {
  each(({ test: request, policies, testHeaders }) => {
    const target = readTarget(request);
    if (target instanceof Failure) assert.fail(target.message);
    const list = new RuleList(parsed(policies["read-only"] ?? []));
    assert.equal(list.decide("GET", target.path).effect, "allow");
    assert.equal(`${target.path}${target.query === undefined ? "" : `?${target.query}`}`, request);
    for (const header of Object.keys(testHeaders ?? {})) assert.doesNotMatch(header, /^authorization$/i);
  });
});

let seed = 7;
const pick = (below: number): number => {
  seed = (seed * 1103515245 + 12345) % 2147483648;
  return Math.floor((seed / 2147483648) * below);
};

test("shapes of keys compile, are linear, and fit their own examples", () => {
  each(({ key }) => {
    if (!key) return;
    assert.ok(key.own ?? key.shape);
    for (const source of [key.own, key.shape]) {
      if (source === undefined) continue;
      // A group that repeats may hold nothing of open length, and nothing refers back.
      assert.doesNotMatch(source, /\)(?:[*+]|\{\d*,\})|\\[1-9]|\(\?[=!<]/);
      assert.doesNotMatch(source, /\([^()]*(?:[*+]|\{\d+,\d*\})[^()]*\)\{/);
      const pattern = new RegExp(`^(?:${source})$`);
      for (const hostile of ["a", "A", "-", "0", "_a", "sk-", "eyJ"]) {
        pattern.test(hostile.repeat(20_000));
        assert.equal(pattern.test(`${hostile.repeat(20_000)} !`), false);
      }
    }
    for (const example of key.like) {
      for (let round = 0; round < 20; round++) {
        const made = fillExample(example, pick);
        assert.ok(looksLikeKey(key, made), `${example}: ${made}`);
        assert.doesNotMatch(made, /[{}]/);
      }
      assert.doesNotMatch(describeShape(key), /[{}]|undefined/);
    }
    for (const wrong of ["", "hello world", "https://api.example.com/v1", "{40}"])
      assert.equal(looksLikeKey(key, wrong), false, wrong);
  });
});

test("a key that only one vendor has tells whose it is", () => {
  each(({ name: service, key, ownHost, auth }) => {
    if (key?.own === undefined) return;
    for (const example of key.like) {
      const made = fillExample(example, pick);
      if (!new RegExp(`^(?:${key.own})$`).test(made)) continue;
      assert.equal(ownerOf(made)?.name, service, example);
      for (const other of all) {
        if (other.name === service || other.key?.own === undefined) continue;
        assert.equal(
          looksLikeKey({ own: other.key.own, like: [] }, made),
          false,
          `${example}: ${other.name}`,
        );
      }
      const found = plainKeys({
        ...{ name: "x", environment: [{ name: "SETTING", value: `a ${made}` }], headers: [], args: [] },
        ...{ command: undefined, url: undefined },
      } as never);
      const later = laterScheme(auth);
      const told = later
        ? `janee does not have ${later} yet`
        : `janee add ${service}${ownHost ? " --base-url" : ""}`;
      assert.equal(found.length, 1, example);
      assert.ok(found[0]?.remedy.startsWith(told), `${example}: ${found[0]?.remedy}`);
      assert.ok(!found[0]?.remedy.includes(made));
    }
  });
});

test("a variable belongs to one vendor", () => {
  const owners = new Map<string, string>();
  each(({ name: service, vendor = service, variables }) => {
    for (const one of variables) {
      assert.equal(owners.get(one) ?? vendor, vendor, one);
      owners.set(one, vendor);
    }
    assert.equal(new Set(variables).size, variables.length);
  });
});

test("a service is found under any name by its base URL, and one with a name of its own by that", () => {
  assert.equal(knownAt("mine", "https://api.github.com")?.service.name, "github");
  assert.deepEqual(knownAt("mine", "https://api.openai.com/v1/")?.prefix, "/v1");
  assert.equal(knownAt("stripe", "http://127.0.0.1:1")?.service.name, "stripe");
  assert.equal(knownAt("mine", "https://api.github.com.evil.example"), undefined);
  assert.equal(knownAt("mine", undefined), undefined);
  // A host that every customer has another of tells nothing.
  assert.equal(knownAt("mine", "https://your-site.atlassian.net"), undefined);
});

test("a policy of another service is none of an unknown one", () => {
  assert.deepEqual(Object.keys(policiesOf(undefined)), ["read-only", "no-delete"]);
  assert.ok("issues" in policiesOf(knownServices.get("github")));
});

test("a scheme that is not there yet says so, and what to do; one that is there says nothing", () => {
  const auth = { scheme: "carrier-pigeon" };
  assert.equal(laterScheme(auth), "carrier-pigeon");
  assert.equal(describeAuth(auth), "carrier-pigeon (not yet)");
  for (const type of schemeTypes) {
    assert.equal(laterScheme({ scheme: type }), undefined);
    assert.equal(describeAuth({ scheme: type }), type);
  }
  each((service) => {
    const later = laterScheme(service.auth);
    const { why, next } = whyLater(service, later ?? "carrier-pigeon");
    assert.ok(why.includes(later ?? "carrier-pigeon") && next.startsWith("until then"));
    assert.equal(describeAuth(service.auth).endsWith("(not yet)"), later !== undefined);
  });
});
