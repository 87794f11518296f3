// `janee serve --grant` is `janee grant` and `janee serve` in one: it grants no more than the one, and leaves nothing open.
import assert from "node:assert/strict";
import { test } from "node:test";
import { canary, type Granted, type Home, inHome } from "../support/janee.ts";
import { withUpstream } from "../support/upstream.ts";

const limit = { timeout: 60_000 };

function configFor(port: number): string {
  return `services:
  api: { baseUrl: "http://127.0.0.1:${port}", auth: { type: bearer, key: ${canary} } }
capabilities:
  free: { service: api, autoApprove: true, rules: [{ allow: GET /v1/* }] }
  asked: { service: api, rules: [{ allow: GET /v1/* }] }
`;
}

function started(home: Home, capability: string, env: Record<string, string> = {}) {
  return home.run(["serve", "--port", "0", "--grant", capability], { env });
}

test("serve --grant: its token is good for that capability alone, and can be revoked", limit, () =>
  inHome((home) =>
    withUpstream({ answer: (_, exchange) => exchange.send(200, {}, "ok") }, async (upstream) => {
      home.writeConfig(configFor(upstream.port));
      const serving = await home.serve(["--grant", "free"]);
      const { granted } = JSON.parse(serving.stdout()) as { granted: Granted };
      const call = (capability: string) =>
        fetch(`http://127.0.0.1:${serving.port}/${capability}/v1/x`, {
          headers: { Authorization: `Bearer ${granted.token}` },
        });
      assert.equal(granted.baseUrl, `http://127.0.0.1:${serving.port}/free`);
      const allowed = await call("free");
      assert.equal(await allowed.text(), "ok");
      const other = await call("asked");
      assert.match(await other.text(), /session_wrong_capability/);
      assert.equal(other.status, 403);
      await home.do(["revoke", granted.session]);
      assert.match(await (await call("free")).text(), /session_revoked/);
      assert.equal(upstream.seen.length, 1);
      assert.equal(home.auditText().includes(granted.token), false);
    }),
  ),
);

test("serve --grant: what a person grants wants a person, and then nothing is served", limit, () =>
  inHome(async (home) => {
    home.writeConfig(configFor(9));
    const refused = await started(home, "asked");
    assert.equal(refused.status, 4);
    assert.match(refused.stderr, /granted by a person/);
    assert.deepEqual(await home.json(["sessions"]), []);
    const unattended = await home.serve(["--grant", "asked"], { env: { JANEE_UNATTENDED: "1" } });
    assert.match(unattended.stdout(), /jns_/);
  }),
);

test("serve --grant: a name that is not there, and a service that nobody reads", limit, () =>
  inHome(async (home) => {
    home.writeConfig(configFor(9));
    const misspelt = await started(home, "fre");
    assert.equal(misspelt.status, 2);
    assert.match(misspelt.stderr, /did you mean "free"/);
    const installed = await home.run(["serve", "--install", "--grant", "free"]);
    assert.equal(installed.status, 2);
    assert.match(installed.stderr, /--grant does not go with --install/);
  }),
);
