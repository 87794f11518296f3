// What scripts read: rules as they are written, a warning that is said once, a refusal that names its service.
import assert from "node:assert/strict";
import { test } from "node:test";
import { request } from "../support/client.ts";
import { canary, inHome } from "../support/janee.ts";

const limit = { timeout: 60_000 };

const config = `services:
  up: { baseUrl: "http://127.0.0.1:9", auth: { type: bearer, key: ${canary} } }
  tool: { auth: { type: bearer, key: ${canary} } }
capabilities:
  reads:
    service: up
    autoApprove: true
    rules: [{ allow: GET /v1/* }, { deny: DELETE * }]
  closed: { service: up, autoApprove: true, rules: [] }
  open: { service: up, autoApprove: true }
  runs: { service: tool, mode: exec, allowCommands: [bird], envMap: { KEY: "{{credential}}" } }
`;

interface Listed {
  readonly name: string;
  readonly rules: readonly string[];
  readonly unrestricted: boolean;
  readonly commands?: readonly string[];
}

test("list --json gives rules as they are written; the words for people are in the text alone", limit, () =>
  inHome(async (home) => {
    home.writeConfig(config);
    const { capabilities } = await home.json<{ capabilities: readonly Listed[] }>(["list"]);
    const seen = capabilities.map(({ name, rules, unrestricted, commands }) => [
      name,
      rules,
      unrestricted,
      commands,
    ]);
    assert.deepEqual(seen, [
      ["reads", ["allow: GET /v1/*", "deny: DELETE *"], false, undefined],
      ["closed", [], false, undefined],
      ["open", [], true, undefined],
      ["runs", [], false, ["bird"]],
    ]);
    const { stdout } = await home.do(["list"]);
    for (const words of [
      "everything else is denied",
      "nothing is allowed",
      "unrestricted",
      "commands: bird",
    ]) {
      assert.ok(stdout.includes(words), words);
    }
  }),
);

test("a ttl over 8h is warned of by add, and once by config check; 8h is not", limit, () =>
  inHome(async (home) => {
    const add = (name: string, ttl: string) =>
      home.do(
        ["add", name, "--base-url", "http://127.0.0.1:9", "--key-stdin", "--ttl", ttl, "--allow", "GET *"],
        {
          stdin: canary,
        },
      );
    assert.match((await add("long", "9h")).stderr, /warning: capability long: a ttl over 8h/u);
    assert.doesNotMatch((await add("fits", "8h")).stderr, /warning/u);
    const { warnings } = await home.json<{ warnings: readonly { message: string }[] }>(["config", "check"]);
    assert.deepEqual(
      warnings.map(({ message }) => message.replace(/;.*$/u, "")),
      ["capability long: a ttl over 8h"],
    );
  }),
);

test("the line of a refusal names the service, where the capability has one", limit, () =>
  inHome(async (home) => {
    home.writeConfig(config);
    const { token } = await home.grant("reads");
    const serving = await home.serve();
    assert.equal((await request(serving.port, { target: "/reads/v2", token })).status, 403);
    assert.equal((await request(serving.port, { target: "/reads/v1/x" })).status, 401);
    assert.equal((await request(serving.port, { target: "/nobody/v1", token })).status, 404);
    const refused = home.audit().filter(({ outcome }) => outcome === "refused");
    assert.deepEqual(
      refused.map(({ code, service }) => [code, service]),
      [
        ["rule_denied", "up"],
        ["no_session", "up"],
        ["unknown_capability", undefined],
      ],
    );
  }),
);
