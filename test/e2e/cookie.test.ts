// A service that knows its users by a cookie: only janee sets it, and no renewal of it reaches the agent.
import assert from "node:assert/strict";
import { test } from "node:test";
import { request } from "../support/client.ts";
import { canary, inHome } from "../support/janee.ts";
import { Agent } from "../support/mcp.ts";
import { withUpstream } from "../support/upstream.ts";

const limit = { timeout: 60_000 };

test("the cookie goes upstream, the agent's own does not, and a new one stays with janee", limit, () =>
  inHome((home) =>
    withUpstream({}, async (upstream) => {
      upstream.answer = (seen, exchange) => {
        const known = seen.values("cookie").join("|") === `session=${canary}; tenant=t1`;
        const fields = { "Set-Cookie": "session=renewed; Path=/", "Content-Type": "text/plain" };
        exchange.send(known ? 200 : 401, fields, seen.values("cookie").join("|"));
      };
      const url = `http://127.0.0.1:${upstream.port}`;
      const cookies = ["--cookie", `session=${canary}`, "--cookie", "tenant=t1"];
      await home.do(["add", "shop", "-u", url, ...cookies, "--allow", "GET *", "--auto-approve"]);
      home.writeConfig(home.readConfig().replace("\n    auth:", "\n    allowCookies: true\n    auth:"));
      assert.ok(!home.readConfig().includes(canary), "the cookie stands in the clear");
      const { token } = await home.grant("shop");
      const serving = await home.serve();
      const answer = await request(serving.port, {
        ...{ target: "/shop/cart", token },
        headers: { Cookie: "session=mine; other=1" },
      });
      assert.equal(answer.status, 200, answer.body.toString());
      assert.ok(!answer.body.toString().includes(canary));
      assert.deepEqual(
        answer.fields.filter(([name]) => /^set-cookie$/i.test(name)),
        [],
      );

      const agent = await Agent.stdio(home, { era: "modern" });
      try {
        const told = await agent.execute("shop", "/cart", { headers: { Cookie: "session=mine" } });
        assert.deepEqual([told.content.status, told.text.includes(canary)], [200, false]);
      } finally {
        await agent.close();
      }

      await home.do(["set", "shop", "--cookie", "session=wrong-one"], { env: { JANEE_UNATTENDED: "1" } });
      const refused = await request(serving.port, { target: "/shop/cart", token });
      assert.equal(refused.status, 401);
      await serving.stop();
    }),
  ),
);

test("what no cookie can hold is refused where it is given", limit, () =>
  inHome(async (home) => {
    for (const value of ["a;b", "a b", 'a"b', "a,b", "a\\b"]) {
      const ran = await home.run([
        "add",
        "shop",
        "-u",
        "https://shop.example",
        "--cookie",
        `session=${value}`,
      ]);
      assert.equal(ran.status, 3, value);
      assert.match(ran.stderr, /cookie's value/);
    }
    const fine = await home.run([
      "add",
      "shop",
      "-u",
      "https://shop.example",
      "--cookie",
      "session=a.b-c_d==",
    ]);
    assert.equal(fine.status, 0, fine.stderr);
  }),
);
