import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { inHome } from "../support/janee.ts";

const limit = { timeout: 60_000 };

const secret = "a-key-of-some-length-1";
const good = `services:
  api: { baseUrl: "https://api.example.com", auth: { type: bearer, key: ${secret} } }
capabilities:
  api: { service: api, rules: [{ allow: GET /v1/* }] }
`;

test("config check: a good file is ok, and nothing is changed by it", limit, () =>
  inHome(async (home) => {
    home.writeConfig(good);
    const { stdout } = await home.do(["config", "check"]);
    assert.equal(stdout, "ok: 1 services, 1 capabilities\n");
    assert.equal(home.readConfig(), good);
    assert.equal(existsSync(join(home.path, "vault.json")), false);
    assert.deepEqual(await home.json(["config", "check"]), {
      ok: true,
      file: join(home.path, "config.yaml"),
      services: 1,
      capabilities: 1,
      warnings: [],
    });
  }),
);

test("config check: an error has file, line and column, exit status 3, and never the value", limit, () =>
  inHome(async (home) => {
    const file = join(home.beside, "other.yaml");
    writeFileSync(file, good.replace("rules:", "ruels:").replace(secret, `"${secret}\u0007"`));
    const { status, stderr, stdout } = await home.run(["config", "check", file]);
    assert.equal(status, 3);
    assert.match(stderr, /^janee: .*other\.yaml:\d+:\d+: /);
    assert.equal((stdout + stderr).includes(secret), false);
    writeFileSync(file, good.replace("rules:", "ruels:"));
    const json = await home.run(["config", "check", file, "--json"]);
    assert.equal(json.status, 3);
    const { error } = JSON.parse(json.stdout) as { error: { at: object; message: string } };
    assert.deepEqual(error.at, { file, line: 4, column: 24 });
    assert.match(error.message, /did you mean "rules"/);
  }),
);

test("config check: warnings and lint have their places, and leave the status at 0", limit, () =>
  inHome(async (home) => {
    home.writeConfig(good.replace("[{ allow: GET /v1/* }]", "[{ allow: GET /v1/* }, { deny: GET /v1/x }]"));
    const { stdout } = await home.do(["config", "check"]);
    assert.match(stdout, /config\.yaml:4:\d+: warning: capability api: "deny: GET \/v1\/x" never decides/);
    assert.match(stdout, /^ok: 1 services, 1 capabilities, 1 warning$/m);
    home.writeConfig(good.replace(", rules: [{ allow: GET /v1/* }]", ""));
    assert.match((await home.do(["config", "check"])).stdout, /warning: capability api: unrestricted/);
  }),
);

test("config check without a file to check, config path, config schema, and their misuse", limit, () =>
  inHome(async (home) => {
    assert.equal((await home.run(["config", "check"])).status, 3);
    assert.equal((await home.run(["config", "check", join(home.beside, "none.yaml")])).status, 2);
    assert.equal((await home.do(["config", "path"])).stdout, `${join(home.path, "config.yaml")}\n`);
    const schema = JSON.parse((await home.do(["config", "schema"])).stdout) as { properties: object };
    assert.deepEqual(Object.keys(schema.properties), [
      "services",
      "capabilities",
      "network",
      "audit",
      "stores",
    ]);
    const mistyped = await home.run(["config", "chekc"]);
    assert.equal(mistyped.status, 2);
    assert.match(mistyped.stderr, /did you mean "check"/);
    assert.equal((await home.run(["config", "path", "x"])).status, 2);
    assert.equal((await home.run(["config"])).status, 2);
  }),
);
