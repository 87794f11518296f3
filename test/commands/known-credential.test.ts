// What `janee add` fills in for a known service is what a person could have typed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { authJson, command } from "../../src/commands/add.ts";
import { readArguments } from "../../src/commands/arguments.ts";
import type { Arguments } from "../../src/commands/command.ts";
import { shapeFromFlags } from "../../src/commands/credential-flags.ts";
import { withKnownFlags } from "../../src/commands/known-credential.ts";
import { Failure } from "../../src/engine/failure.ts";
import { knownServices } from "../../src/engine/services/index.ts";
import { laterScheme } from "../../src/engine/services/later.ts";
import type { KnownService } from "../../src/engine/services/shape.ts";
import { read } from "../engine/config-sample.ts";

function typed(...argv: string[]): Arguments {
  const args = readArguments("add", command, argv);
  if (args instanceof Failure) assert.fail(args.message);
  return args;
}

function known(name: string): KnownService {
  return knownServices.get(name) ?? assert.fail(name);
}

/** The `auth:` block with a reference for each secret of one line. */
function authOf(service: KnownService, args: Arguments): ReturnType<typeof authJson> | undefined {
  const shape = shapeFromFlags(args);
  if (shape instanceof Failure || shape === undefined) assert.fail(service.name);
  if (shape.type === "bearer") return authJson({ type: "bearer", open: {}, secret: { key: "env:KEY" } });
  if (shape.type === "basic") {
    const username = args.text("username");
    if (username === undefined) return authJson({ type: "basic", open: {}, secret: { key: "env:KEY" } });
    return authJson({ type: "basic", open: { username }, secret: { password: "env:KEY" } });
  }
  if (!("names" in shape)) return undefined;
  const field = shape.type === "headers" ? "headers" : "params";
  const secret = Object.fromEntries(shape.names.map((one) => [`${field}.${one}`, "env:KEY"]));
  return authJson({ type: shape.type, open: {}, secret });
}

test("what the directory fills in is a service that the config takes", () => {
  let taken = 0;
  for (const service of knownServices.values()) {
    if (laterScheme(service.auth)) continue;
    const auth = authOf(service, withKnownFlags(typed(service.name), service));
    if (!auth) continue;
    const text = JSON.stringify({ services: { [service.name]: { baseUrl: service.baseUrl, auth } } });
    assert.ok(read(text).config.services.has(service.name), service.name);
    taken += 1;
  }
  assert.ok(taken >= 60, `${taken}`);
});

test("flags of a scheme are flags of janee add, as soon as the scheme is there", () => {
  for (const { name, auth } of knownServices.values()) {
    if (typeof auth === "string" || !("scheme" in auth) || laterScheme(auth)) continue;
    for (const flag of Object.keys(auth.flags ?? {})) assert.ok(Object.hasOwn(command.flags, flag), name);
  }
});

test("an entry of a scheme with fields of its own is on as soon as the scheme is there", () => {
  const app: KnownService = {
    ...known("github"),
    auth: { scheme: "github-app", flags: { "app-id": "12345" } },
  };
  assert.equal(laterScheme(app.auth), undefined);
  const filled = withKnownFlags(typed("github"), app);
  const shape = shapeFromFlags(filled);
  assert.ok(shape !== undefined && !(shape instanceof Failure) && shape.type === "made");
  assert.equal(shape.scheme.type, "github-app");
  assert.equal(filled.text("app-id"), "12345");
});

test("what a person types comes before what the directory knows", () => {
  const filled = withKnownFlags(typed("mailgun"), known("mailgun"));
  assert.equal(filled.text("username"), "api");
  assert.equal(filled.text("auth-type"), "basic");
  assert.equal(filled.flag("username"), true);
  assert.equal(filled.flag("auto-approve"), false);
  assert.equal(withKnownFlags(typed("mailgun", "--username", "me"), known("mailgun")).text("username"), "me");
  assert.deepEqual(withKnownFlags(typed("datadog"), known("datadog")).texts("header"), [
    "DD-API-KEY",
    "DD-APPLICATION-KEY",
  ]);
  assert.deepEqual(
    withKnownFlags(typed("gitlab", "--header", "JOB-TOKEN"), known("gitlab")).texts("header"),
    ["JOB-TOKEN"],
  );
  const bybit = withKnownFlags(typed("bybit"), known("bybit"));
  assert.deepEqual([bybit.text("auth-type"), bybit.text("preset")], ["hmac", "bybit"]);
  assert.equal(withKnownFlags(typed("mine"), undefined).text("auth-type"), undefined);
});
