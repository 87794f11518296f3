// A mistake in the config, or a lost key, must not keep a session alive that a person wants ended.
import assert from "node:assert/strict";
import { appendFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Stage } from "../support/stage.ts";

const config = (origin: string): string => `services:
  up:
    baseUrl: ${origin}
    auth: { type: bearer, key: sk_test_killswitch_0123456789 }
capabilities:
  up: { service: up, autoApprove: true, rules: [{ allow: GET /* }] }
  other: { service: up, autoApprove: true, rules: [{ allow: GET /* }] }
`;

const open = (): Promise<Stage> => Stage.open({ config, grant: ["up", "other"] });

test("with a config that does not parse, sessions are listed and revoked", { timeout: 60_000 }, async () => {
  const stage = await open();
  try {
    appendFileSync(join(stage.home.path, "config.yaml"), "foo: [\n");
    assert.equal((await stage.ask("up", "/x")).status, 200, "the last good config is in force");
    const listed = await stage.home.run(["sessions", "--json"]);
    assert.equal(listed.status, 0, listed.stderr);
    assert.equal((JSON.parse(listed.stdout) as unknown[]).length, 2);

    const one = await stage.home.run(["revoke", "--capability", "up"]);
    assert.equal(one.status, 0, one.stderr);
    assert.equal((await stage.ask("up", "/x")).status, 403);
    assert.equal((await stage.ask("other", "/x")).status, 200, "the other capability goes on");
    assert.equal((await stage.home.run(["revoke", "--all"])).status, 0);
    assert.equal((await stage.ask("other", "/x")).status, 403);
  } finally {
    await stage.close();
  }
});

test("with the key gone, revoke --all ends everything, and a grant asks a person afterwards", {
  timeout: 60_000,
}, async () => {
  const stage = await open();
  const { home } = stage;
  try {
    renameSync(home.state, `${home.state}.away`);
    const gone = await home.run(["revoke", "--all"]);
    assert.equal(gone.status, 0, gone.stderr);
    assert.match(gone.stderr, /key of the vault is not there/);
    for (const name of ["up", "other"]) assert.equal((await stage.ask(name, "/x")).status, 401);

    renameSync(`${home.state}.away`, home.state);
    assert.equal((await home.run(["grant", "up"])).status, 4, "held, although it is auto-approved");
    const unattended = { env: { JANEE_UNATTENDED: "1" } };
    assert.equal((await home.run(["grant", "up"], unattended)).status, 0);
    assert.equal((await home.run(["grant", "up"])).status, 0, "lifted by the person's grant");
    assert.equal((await home.run(["grant", "other"])).status, 4, "the others are still held");
  } finally {
    await stage.close();
  }
});
