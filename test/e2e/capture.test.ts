// A service hands out a credential: the agent gets a placeholder, uses it through janee, and never sees what it is.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { request } from "../support/client.ts";
import { canary, type Home, inHome } from "../support/janee.ts";
import { Agent, eras } from "../support/mcp.ts";
import { type Seen, startUpstream, type Upstream } from "../support/upstream.ts";

const limit = { timeout: 60_000 };
const fresh = "at-FAKE-2f9d1c7b55aa40e2-issued";
const placeholder = /jnc_[0-9a-f]{48}/;

/** Gives out a token for the key, and lets in whoever brings that token. */
function issuer(seen: Seen): { status: number; body: string; fields?: Record<string, string> } {
  const bearer = seen.values("authorization").join("|");
  const body = seen.body.toString();
  if (seen.target === "/token") {
    if (bearer !== `Bearer ${canary}`) return { status: 401, body: "{}" };
    return { status: 200, body: `{"access_token":"${fresh}","n":1.50,"scope":"a"}` };
  }
  if (seen.target === "/zipped") return { status: 200, body: `{"access_token":"${fresh}"}` };
  if (seen.target === "/broken") return { status: 200, body: `{"access_token":"${fresh}"` };
  if (seen.target === "/script") return { status: 200, body: `callback({"access_token":"${fresh}"});` };
  if (seen.target === "/moved")
    return { status: 302, body: "{}", fields: { Location: `/cb#access_token=${fresh}&scope=a` } };
  if (seen.target === "/text")
    return { status: 200, body: `it was ${fresh} and ${Buffer.from(fresh).toString("hex")}` };
  const proofs = [
    bearer === `Bearer ${fresh}`,
    seen.values("x-token").includes(fresh),
    body.includes(`"${fresh}"`),
  ];
  if (seen.target === "/mine" && proofs.some(Boolean))
    return { status: 200, body: `{"you":"are in","said":"${fresh}"}` };
  return { status: 401, body: "{}" };
}

async function onStage<T>(work: (home: Home, upstream: Upstream) => Promise<T>): Promise<T> {
  const upstream = await startUpstream();
  upstream.answer = (seen, exchange) => {
    const { status, body, fields } = issuer(seen);
    const types = new Map([
      ["/text", "text/plain"],
      ["/script", "application/javascript"],
    ]);
    const type = types.get(seen.target) ?? "application/json; charset=utf-8";
    if (seen.target !== "/zipped") return exchange.send(status, { "Content-Type": type, ...fields }, body);
    exchange.send(status, { "Content-Type": type, "Content-Encoding": "gzip" }, gzipSync(body));
  };
  try {
    return await inHome(async (home) => {
      await home.do(["init"]);
      const url = `"http://127.0.0.1:${upstream.port}"`;
      home.writeConfig(
        `services:\n  idp: { baseUrl: ${url}, auth: { type: bearer, key: ${canary} }, capture: true, placeholders: [header, body] }\n` +
          `  twin: { baseUrl: ${url}, auth: { type: bearer, key: ${canary} } }\n` +
          "capabilities:\n  idp: { service: idp, autoApprove: true }\n  few: { service: idp, autoApprove: true, limit: 2/h }\n  twin: { service: twin, autoApprove: true }\n",
      );
      return await work(home, upstream);
    });
  } finally {
    await upstream.stop();
  }
}

/** Nothing that a home holds or said has it. */
function assertNowhere(home: Home, text: string): void {
  for (const name of readdirSync(home.path, { recursive: true, encoding: "utf8" })) {
    const file = join(home.path, name);
    if (statSync(file).isFile()) assert.ok(!readFileSync(file, "latin1").includes(text), `${name} holds it`);
  }
  assert.ok(!home.printed.includes(text));
}

test("over the proxy: masked, used in its places, and nowhere else", limit, () =>
  onStage(async (home, upstream) => {
    const { token } = await home.grant("idp");
    const twin = await home.grant("twin");
    const stranger = await home.grant("idp");
    const serving = await home.serve();
    const ask = (
      target: string,
      more: { token?: string; headers?: Record<string, string>; body?: string; method?: string } = {},
    ) => request(serving.port, { target, token, ...more });

    const issued = await ask("/idp/token");
    assert.equal(issued.status, 200);
    const [held = ""] = placeholder.exec(issued.text) ?? [];
    assert.equal(issued.text, `{"access_token":"${held}","n":1.50,"scope":"a"}`);
    const zipped = await ask("/idp/zipped");
    assert.equal(zipped.text, `{"access_token":"${held}"}`, "the same value has the same placeholder");

    const used = await ask("/idp/mine", { headers: { "X-Token": held } });
    assert.deepEqual([used.status, used.text], [200, '{"you":"are in","said":"[janee:redacted]"}']);
    const inBody = {
      method: "POST",
      body: `{"t":"${held}"}`,
      headers: { "Content-Type": "application/json" },
    };
    assert.equal((await ask("/idp/mine", inBody)).status, 200);
    // Where the service's own credential would stand: the session's token then has another place.
    const own = await request(serving.port, {
      target: "/idp/mine",
      headers: { Authorization: `Bearer ${held}`, "X-Api-Key": token },
    });
    assert.equal(own.status, 200, own.text);

    // Beside a placeholder, or what looks like one, the agent says nothing of its own about who it is.
    const mallory = 'Digest username="mallory", cnonce=';
    const asMallory = (capability: string, whose: string, nonce: string) =>
      request(serving.port, {
        target: `/${capability}/text`,
        headers: { Authorization: `${mallory}"${nonce}"`, "X-Api-Key": whose },
      });
    for (const [capability, whose] of [
      ["idp", token],
      ["twin", twin.token],
    ] as const) {
      assert.equal((await asMallory(capability, whose, "jnc_")).status, 200);
      assert.deepEqual(upstream.seen.at(-1)?.values("authorization"), [`Bearer ${canary}`]);
    }
    assert.equal((await asMallory("idp", token, held)).error.code, "placeholder_misplaced");

    const script = await ask("/idp/script");
    assert.equal(script.text, `callback({"access_token":"${held}"});`);
    const moved = await ask("/idp/moved");
    assert.equal(moved.header("location"), `/cb#access_token=${held}&scope=a`);

    const before = upstream.seen.length;
    const refusals: readonly (readonly [string, Parameters<typeof ask>[1], string])[] = [
      [`/idp/mine?t=${held}`, {}, "placeholder_misplaced"],
      [`/idp/mine/${held}`, {}, "placeholder_misplaced"],
      ["/idp/mine", { headers: { "X-Token": `jnc_${"0".repeat(48)}` } }, "placeholder_unknown"],
      ["/twin/mine", { token: twin.token, headers: { "X-Token": held } }, "placeholder_unknown"],
      ["/idp/mine", { token: stranger.token, headers: { "X-Token": held } }, "placeholder_unknown"],
    ];
    for (const [target, more, code] of refusals) {
      const answer = await ask(target, more);
      assert.deepEqual([answer.status, answer.error.code], [403, code], target);
    }
    assert.equal(upstream.seen.length, before, "a refused request went out");

    const broken = await ask("/idp/broken");
    assert.deepEqual([broken.status, broken.error.code], [502, "response_unscannable"]);
    const text = await ask("/idp/text");
    assert.equal(text.text, "it was [janee:redacted] and [janee:redacted]");

    await home.do(["revoke", "--all"]);
    await home.grant("idp");
    const again = await home.grant("idp");
    const late = await request(serving.port, {
      target: "/idp/mine",
      token: again.token,
      headers: { "X-Token": held },
    });
    assert.equal(late.error.code, "placeholder_unknown", "a placeholder outlives its session");
    await serving.stop();
    assertNowhere(home, fresh);
    assert.ok(home.audit().some((line) => line.code === "placeholder_unknown"));
  }),
);

test("a request that cannot be made is not counted; one that is sent is", limit, () =>
  onStage(async (home) => {
    const { token } = await home.grant("few");
    const serving = await home.serve();
    const ask = (headers: Record<string, string>) =>
      request(serving.port, { target: "/few/token", token, headers });
    for (let times = 0; times < 3; times++) {
      const refused = await ask({ "X-Token": `jnc_${"0".repeat(48)}` });
      assert.equal(refused.error.code, "placeholder_unknown");
    }
    assert.equal((await ask({})).status, 200);
    assert.equal((await ask({})).status, 200);
    assert.equal((await ask({})).error.code, "limit_reached");
    await serving.stop();
  }),
);

for (const era of eras) {
  test(`over MCP: an agent logs in and goes on without ever holding the token (${era})`, limit, () =>
    onStage(async (home) => {
      const agent = await Agent.stdio(home, { era });
      try {
        const issued = await agent.call("execute", { capability: "idp", method: "GET", path: "/token" });
        const [held = ""] = placeholder.exec(JSON.stringify(issued.content)) ?? [];
        assert.notEqual(held, "");
        assert.ok(!JSON.stringify(issued).includes(fresh));
        const used = await agent.call("execute", {
          ...{ capability: "idp", method: "GET", path: "/mine" },
          headers: { Authorization: `Bearer ${held}` },
        });
        assert.match(JSON.stringify(used.content), /are in/);
        assert.ok(!JSON.stringify(used).includes(fresh));
      } finally {
        await agent.close();
      }
      assertNowhere(home, fresh);
    }),
  );
}
