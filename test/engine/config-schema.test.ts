import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "yaml";
import { authKeys } from "../../src/engine/config-auth.ts";
import { capabilityKeys } from "../../src/engine/config-capability.ts";
import { configSchema } from "../../src/engine/config-schema.ts";
import { serviceKeys } from "../../src/engine/config-service.ts";
import { storeKeys, vaultAuthKeys, vaultStoreKeys } from "../../src/engine/config-stores.ts";
import { auditKeys, networkKeys, topKeys } from "../../src/engine/read-config.ts";
import { bearer, capability, contractExample, read, refused, service } from "./config-sample.ts";

type Schema = Record<string, unknown>;

const known = new Set([
  ...["$schema", "title", "description", "default", "type", "const", "enum", "pattern", "minLength", "not"],
  ...[
    "properties",
    "required",
    "additionalProperties",
    "propertyNames",
    "minProperties",
    "items",
    "anyOf",
    "oneOf",
  ],
]);

/** As much of JSON Schema as the config's schema uses; an unknown keyword is an error in the test. */
function valid(schema: Schema, value: unknown): boolean {
  for (const keyword of Object.keys(schema)) assert.ok(known.has(keyword), keyword);
  const all = (key: string): Schema[] => (schema[key] ?? []) as Schema[];
  if (schema.anyOf && !all("anyOf").some((one) => valid(one, value))) return false;
  if (schema.oneOf && all("oneOf").filter((one) => valid(one, value)).length !== 1) return false;
  if (schema.not && valid(schema.not as Schema, value)) return false;
  if ("const" in schema && schema.const !== value) return false;
  if (schema.enum && !(schema.enum as unknown[]).includes(value)) return false;
  const kind = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
  if (schema.type && schema.type !== kind) return false;
  if (typeof value === "string") {
    if (schema.pattern && !new RegExp(schema.pattern as string, "u").test(value)) return false;
    return value.length >= ((schema.minLength as number | undefined) ?? 0);
  }
  if (Array.isArray(value))
    return !schema.items || value.every((item) => valid(schema.items as Schema, item));
  if (kind !== "object") return true;
  const entries = Object.entries(value as Schema);
  const properties = (schema.properties ?? {}) as Record<string, Schema>;
  if (entries.length < ((schema.minProperties as number | undefined) ?? 0)) return false;
  if (((schema.required ?? []) as string[]).some((key) => !entries.some(([name]) => name === key)))
    return false;
  return entries.every(([key, inner]) => {
    if (schema.propertyNames && !valid(schema.propertyNames as Schema, key)) return false;
    const own = properties[key];
    if (own) return valid(own, inner);
    if (schema.additionalProperties === false) return false;
    return !schema.additionalProperties || valid(schema.additionalProperties as Schema, inner);
  });
}

function keysAt(schema: Schema, ...path: string[]): string[] {
  let at = schema;
  for (const key of path) at = at[key] as Schema;
  return Object.keys(at.properties as Schema);
}

test("the schema knows the same keys as the reader", () => {
  const schema = configSchema();
  const section = (name: string): Schema => {
    const { anyOf } = (schema.properties as Record<string, Schema>)[name] as { anyOf: Schema[] };
    return anyOf[1] ?? assert.fail(name);
  };
  assert.deepEqual(keysAt(schema), topKeys);
  assert.deepEqual(keysAt(section("services"), "additionalProperties").sort(), [...serviceKeys].sort());
  assert.deepEqual(
    keysAt(section("capabilities"), "additionalProperties").sort(),
    [...capabilityKeys].sort(),
  );
  assert.deepEqual(keysAt(section("network")), networkKeys);
  assert.deepEqual(keysAt(section("audit")), auditKeys);
  assert.deepEqual(keysAt(section("stores")), storeKeys);
  const { vault } = section("stores").properties as Record<string, Schema>;
  assert.deepEqual(keysAt(vault ?? {}), vaultStoreKeys);
  const logins = (vault?.properties as { auth: { oneOf: Schema[] } } | undefined)?.auth.oneOf ?? [];
  assert.deepEqual(
    logins.map((login) => keysAt(login)),
    [...vaultAuthKeys.values()],
  );
  const services = section("services").additionalProperties as {
    properties: Record<string, { oneOf: Schema[] }>;
  };
  const forms = services.properties.auth?.oneOf ?? [];
  for (const [type, keys] of authKeys) {
    const own = forms.filter((form) => (form.properties as Record<string, Schema>).type?.const === type);
    assert.deepEqual([...new Set(own.flatMap((form) => keysAt(form)))].sort(), [...keys].sort(), type);
  }
});

test("schema and reader agree on what is fine and on what is not", () => {
  const fine = [
    contractExample,
    "services:\ncapabilities: {}\nnetwork:\n",
    capability(
      "limit: 100/h",
      "approval: out-of-band",
      "requireReason: true",
      "rules: []",
      "allowedAgents: [a]",
    ),
    service(
      "auth: {type: headers, header: X-A, key: x}",
      "placeholders: [query]",
      "capture: true",
      "maxAge: 90d",
    ),
    service("auth: {type: query, params: {a: x}}"),
    service("auth: {type: basic, password: x}"),
    "audit: {sync: true}\n",
    "stores:\n",
    "stores: {vault: {address: https://v.example, auth: {type: token, token: env:T}}}\n",
    "stores: {vault: {address: https://v.example/p, namespace: a/b, caFile: /x, auth: {type: jwt, mount: m, role: r, jwt: file:/j}}}\n",
    "stores: {vault: {address: https://v.example, auth: {type: approle, roleId: r, secretId: x}}}\n",
    capability(
      "mode: exec",
      "allowCommands: [gh, sh]",
      "dangerous: true",
      'args: {gh: [{allow: [issue, "*"]}, {deny: ["*"]}], sh: []}',
      `sha256: {gh: ${"a".repeat(64)}}`,
    ),
  ];
  const wrong = [
    "service: {}\n",
    service("auth: {type: beerer, key: x}"),
    service("auth: {type: bearer}"),
    service(bearer, "baseUrl: https://h/?x"),
    service(bearer, "colour: red"),
    capability("ttl: 60"),
    capability("rules: {allow: GET /a}"),
    capability("rules: [{allow: GET /a, deny: GET /b}]"),
    capability("rules: [{allow: GET}]"),
    capability("autoApprove: yes"),
    capability("mode: shell"),
    capability("limit: 100"),
    capability("mode: exec", "allowCommands: [gh]", "args: {gh: [{allow: issue}]}"),
    capability("mode: exec", "allowCommands: [gh]", "args: {gh: [{alow: [issue]}]}"),
    capability("mode: exec", "allowCommands: [gh]", "sha256: {gh: abc}"),
    capability("mode: exec", "allowCommands: [gh]", "dangerous: 1"),
    "audit: {sync: 1}\n",
    "stores: {vault: {auth: {type: token, token: env:T}}}\n",
    "stores: {vault: {address: ftp://v.example, auth: {type: token, token: env:T}}}\n",
    "stores: {vault: {address: https://v.example, auth: {type: token}}}\n",
    "stores: {vault: {address: https://v.example, auth: {type: token, token: x, role: r}}}\n",
    "stores: {vault: {address: https://v.example, auth: {type: approle, secretId: x}}}\n",
    "stores: {bank: {}}\n",
    "network: {proxy: https://p}\n",
    `services: {mcp: {${bearer}}}\n`,
  ];
  const schema = configSchema();
  for (const text of fine) {
    read(text);
    assert.ok(valid(schema, parse(text)), text);
  }
  for (const text of wrong) {
    refused(text);
    assert.ok(!valid(schema, parse(text)), text);
  }
});

test("the schema is plain JSON", () => {
  assert.deepEqual(JSON.parse(JSON.stringify(configSchema())), configSchema());
});
