// What doctor promises is what the set-up gives, no more.
import assert from "node:assert/strict";
import { test } from "node:test";
import { examine, healthy, healthyConfig } from "../support/doctor.ts";
import { inHome } from "../support/janee.ts";

const limit = { timeout: 60_000 };

test("doctor: each thing that the set-up leaves open is said, and not where it is closed", limit, () =>
  inHome(async (home) => {
    await healthy(home);
    const open: readonly (readonly [from: string, to: string, words: RegExp])[] = [
      ["allow: GET /v1/*", 'allow: "*"', /"api" may do all that the credential can/],
      [", rules: [{ allow: GET /v1/* }]", "", /"api" may do all that the credential can/],
      ['"http://127.0.0.1:9"', '"http://127.0.0.1:9", allowCleartext: true', /can be read on its way/],
      ["", "", /Nobody is asked before a session of "api"/],
    ];
    const plain = await examine(home);
    for (const [from, to, words] of open) {
      home.writeConfig(healthyConfig.replace(from, to));
      const { doesNotHold } = await examine(home);
      assert.match(doesNotHold.join("\n"), words);
      if (from !== "") assert.doesNotMatch(plain.doesNotHold.join("\n"), words);
    }
    home.writeConfig(healthyConfig.replace(" autoApprove: true,", ""));
    const asked = await examine(home);
    assert.match(asked.holds.join("\n"), /A person is asked before a session of "api"/);
    assert.doesNotMatch(asked.doesNotHold.join("\n"), /Nobody is asked/);
    const unattended = await examine(home, { env: { JANEE_UNATTENDED: "1" } });
    assert.doesNotMatch(unattended.holds.join("\n"), /A person is asked/);
    assert.match(unattended.doesNotHold.join("\n"), /No person is asked: JANEE_UNATTENDED=1/);
    home.writeConfig(`${healthyConfig}audit: { sync: true }\n`);
    assert.match(plain.doesNotHold.join("\n"), /audit\.sync is off/);
    assert.doesNotMatch((await examine(home)).doesNotHold.join("\n"), /audit\.sync/);
  }),
);

test("doctor: a key in a variable is said to be in reach there", limit, () =>
  inHome(async (home) => {
    const env = { JANEE_KEY: Buffer.alloc(32, 7).toString("base64") };
    home.writeConfig(healthyConfig);
    await home.do(["list"], { env });
    const { doesNotHold, holds } = await examine(home, { env });
    assert.match(doesNotHold.join("\n"), /can reach JANEE_KEY in the environment/);
    assert.match(holds.join("\n"), /opens no credential\.$/m);
  }),
);
