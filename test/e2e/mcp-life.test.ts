// What ends an agent's power: revocation, the loss of its token, the end of its process, and that nothing outlives them.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { request } from "../support/client.ts";
import { janeeCommand } from "../support/janee.ts";
import { Agent, eras, Lines, verdict } from "../support/mcp.ts";
import { faces, McpStage, unattended } from "../support/mcp-stage.ts";
import { heard } from "../support/signals.ts";
import type { Exchange } from "../support/upstream.ts";
import { until, within } from "../support/wait.ts";

const limit = { timeout: 60_000 };

const held = faces.flatMap((face) => eras.map((era) => `${face}-${era}`));
const scene = new McpStage({
  open: "autoApprove: true, rules: [{ allow: GET * }]",
  manual: "rules: [{ allow: GET * }]",
  ...Object.fromEntries(held.map((name) => [`mine-${name}`, "autoApprove: true, rules: [{ allow: GET * }]"])),
});
const everywhere = scene.everywhere.bind(scene);
const stage = scene.stage.bind(scene);
after(() => scene.close());

/** The upstream holds each request until the test has seen it go. */
async function hold(): Promise<{ readonly reached: () => Promise<Exchange> }> {
  const on = await stage();
  let exchange: Exchange | undefined;
  on.upstream.answer = (_, made) => {
    exchange = made;
  };
  return { reached: () => until(10_000, "the request at the upstream", () => exchange) };
}

async function answerAll(): Promise<void> {
  const on = await stage();
  on.upstream.answer = (_, exchange) => exchange.send(200, {}, "ok");
}

async function ownerAndSession(capability: string): Promise<{ readonly id: string; readonly owner: string }> {
  const on = await stage();
  const all = await on.home.json<{ id: string; owner: string; capability: string }[]>(["sessions"]);
  const found = all.filter((one) => one.capability === capability);
  assert.equal(found.length, 1, JSON.stringify(all));
  return found[0] ?? { id: "", owner: "" };
}

everywhere(
  "revoke <id>: refused although autoApprove, and a person is asked",
  async (on, agent, face, era) => {
    const capability = `mine-${face}-${era}`;
    assert.equal(verdict(await agent.execute(capability, "/v1/x")), "200");
    const flying = await hold();
    const inFlight = agent.execute(capability, "/v1/flying");
    const exchange = await flying.reached();
    await on.home.do(["revoke", (await ownerAndSession(capability)).id]);
    assert.equal(verdict(await inFlight), "session_revoked");
    await within(10_000, exchange.gone, "the end of the upstream's request");
    on.fresh();
    await answerAll();
    const listed = (await agent.call("list_capabilities")).content.capabilities as Record<string, unknown>[];
    assert.equal(listed.find((one) => one.capability === capability)?.needsApproval, true);
    agent.answer = () => ({ action: "decline" });
    assert.equal(verdict(await agent.execute(capability, "/v1/x")), "approval_declined");
    assert.equal(agent.asked.length, 1);
    assert.deepEqual(on.upstream.seen, []);
    // Another owner is not held by it.
    const other = await scene.connect(face === "stdio" ? "http" : "stdio", { era }, `other-${era}`);
    assert.equal(verdict(await other.execute(capability, "/v1/x")), "200");
    assert.deepEqual(other.asked, []);
  },
);

test("revoke --all: every agent asks a person, and a yes opens what it was given for", limit, async () => {
  const on = await stage();
  const agents: Agent[] = [];
  await answerAll();
  for (const face of faces) for (const era of eras) agents.push(await scene.agent(face, era));
  for (const agent of agents) assert.equal(verdict(await agent.execute("open", "/v1/x")), "200");
  await on.home.do(["revoke", "--all"]);
  const seen = on.fresh();
  for (const agent of agents) agent.answer = () => ({ action: "decline" });
  for (const agent of agents.slice(1))
    assert.equal(verdict(await agent.execute("open", "/v1/x")), "approval_declined");
  assert.deepEqual(seen, []);
  const [first] = agents;
  assert.ok(first);
  first.answer = () => ({ action: "accept", content: { decision: "this session" } });
  assert.equal(verdict(await first.execute("open", "/v1/x")), "200");
  assert.equal(first.asked.length, 1);
  assert.equal(seen.length, 1);
  await on.home.json(["grant", "open"], unattended);
});

// A token that opened doors a moment ago must not open one more.
for (const era of eras) {
  test(`agent rm: 401 at once, and what is in flight ends (${era})`, limit, async () => {
    const on = await stage();
    await answerAll();
    const name = `leaving-${era}`;
    const agent = await scene.connect("http", { era }, name);
    const token = await scene.token(name);
    assert.equal(verdict(await agent.execute("open", "/v1/x")), "200");
    const viaProxy = () => request(on.port, { target: "/open/v1/x", token });
    assert.equal((await viaProxy()).status, 200);
    const flying = await hold();
    const inFlight = agent.execute("open", "/v1/flying");
    const exchange = await flying.reached();
    await on.home.do(["agent", "rm", name]);
    await within(10_000, exchange.gone, "the end of the upstream's request");
    assert.equal((await inFlight).code, "session_ended");
    await answerAll();
    const seen = on.fresh();
    const after = await agent.call("list_capabilities");
    assert.match(after.code + after.text, /401|Unauthorized|no_session/i);
    assert.equal((await viaProxy()).status, 401);
    // Another agent of the same name is another agent.
    const again = await on.home.json<{ token: string }>(["agent", "add", name], unattended);
    const next = await Agent.http(on.port, again.token, { era });
    const sessions = (await next.call("list_capabilities")).content.capabilities as { session: unknown }[];
    assert.ok(sessions.every(({ session }) => session === null));
    await next.close();
    assert.deepEqual(seen, []);
  });
}

test("an agent's token on the reverse proxy: the first call asks for the session", limit, async () => {
  const on = await stage();
  await answerAll();
  const token = await scene.token("walker");
  const ask = (target: string) => request(on.port, { target, token });
  const seen = on.fresh();
  assert.equal((await ask("/open/v1/x")).status, 200);
  assert.equal((await ask("/open/v1/y")).status, 200);
  assert.deepEqual(
    seen.map(({ line }) => line),
    ["GET /v1/x", "GET /v1/y"],
  );
  assert.ok(!seen.some(({ head }) => head.includes(token)));
  const pending = await ask("/manual/v1/x");
  assert.deepEqual([pending.status, pending.error.code], [403, "approval_pending"]);
  await scene.approve("manual");
  assert.equal((await ask("/manual/v1/x")).status, 200);
  const denied = await request(on.port, { method: "DELETE", target: "/open/v1/x", token });
  assert.deepEqual([denied.status, denied.error.code], [403, "rule_denied"]);
  const unknown = await ask("/nothing/v1/x");
  assert.deepEqual([unknown.status, unknown.error.code], [404, "unknown_capability"]);
  const wrong = await request(on.port, { target: "/open/v1/x", token: `jna_${"0".repeat(43)}` });
  assert.equal(wrong.status, 401);
  // The session is the agent's, whichever face it comes by.
  const agent = await scene.connect("http", { era: "modern" }, "walker");
  const listed = (await agent.call("list_capabilities")).content.capabilities as { session: unknown }[];
  assert.equal(listed.filter(({ session }) => session !== null).length, 2);
});

// APPR-009: an agent with a shell has no terminal to say yes on. (That one of the same user can make itself one is a
// limit that the README names.)
test("an agent that runs janee approve by itself is refused", limit, async () => {
  const on = await stage();
  const mute = await scene.connect("http", { era: "modern", elicitation: "none" }, "self");
  assert.equal(verdict(await mute.execute("manual", "/v1/x")), "approval_pending");
  const [found] = await scene.waiting("manual");
  assert.equal((await on.home.run(["approve", found?.id ?? ""], { stdin: "y\ny\n" })).status, 4);
  assert.equal((await on.home.run(["approve", "--last"])).status, 2);
  assert.equal((await on.home.run(["grant", "manual"], { stdin: "y\n" })).status, 4);
  assert.equal(verdict(await mute.execute("manual", "/v1/x")), "approval_pending");
  await on.home.do(["deny", found?.id ?? ""], unattended);
});

// ---- the end of a process

const endings: readonly (readonly [name: string, end: (lines: Lines) => void])[] = [
  ["stdin closed", (lines) => lines.end()],
  ["half a line, then the end", (lines) => lines.write('{"jsonrpc":"2.0","id":9,"me').end()],
  ["SIGTERM", (lines) => lines.signal("SIGTERM")],
  ["SIGINT", (lines) => lines.signal("SIGINT")],
  ...heard("SIGHUP").map((name) => [name, (lines: Lines) => lines.signal(name)] as const),
];
for (const [name, end] of endings) {
  test(`${name}: the process ends, with its sessions and what is in flight`, limit, async () => {
    const on = await stage();
    const lines = new Lines(on.home);
    try {
      await lines.initialize();
      const flying = await hold();
      lines.call(1, "execute", { capability: "open", method: "GET", path: "/v1/flying" });
      const exchange = await flying.reached();
      const before = on.audit().length;
      end(lines);
      await lines.untilEnded(10_000);
      assert.equal(lines.status, 0, lines.stderr);
      await within(10_000, exchange.gone, "the end of the upstream's request");
      const after = on.audit().slice(before);
      const ended = after.find(({ event, outcome }) => event === "session" && outcome === "ended");
      assert.ok(ended, JSON.stringify(after));
      assert.ok(after.some(({ event, path }) => event === "response" && path === "/v1/flying"));
      const left = await on.home.json<{ owner: string }[]>(["sessions"]);
      assert.ok(left.every(({ owner }) => owner !== ended.owner));
      assert.deepEqual(lines.strange, []);
    } finally {
      await lines.dispose();
    }
  });
}

test("a parent that is killed leaves no janee behind", limit, async () => {
  const on = await stage();
  await answerAll();
  const script = join(on.home.beside, "parent.mjs");
  const command = janeeCommand();
  // A parent that holds janee's stdin open, and says which process it is.
  writeFileSync(
    script,
    `import { spawn } from "node:child_process";
const [file, ...args] = ${JSON.stringify([...command, "mcp"])};
const child = spawn(file, args, { stdio: ["pipe", "pipe", "ignore"] });
const greeting = { jsonrpc: "2.0", id: 1, method: "initialize", params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "p", version: "1" } } };
child.stdin.write(JSON.stringify(greeting) + "\\n");
child.stdout.on("data", () => console.log(child.pid));
setInterval(() => {}, 1000);
`,
  );
  const runtime = "Deno" in globalThis ? [process.execPath, "run", "-A"] : [process.execPath];
  const [file = "", ...args] = [...runtime, script];
  const parent = spawn(file, args, { env: on.home.environment(), stdio: ["ignore", "pipe", "ignore"] });
  let told = "";
  parent.stdout?.on("data", (bytes: Buffer) => {
    told += bytes.toString();
  });
  const pid = await until(20_000, "the id of janee", () => Number(/\d+/.exec(told)?.[0] ?? 0) || undefined);
  const lives = (): boolean => {
    try {
      process.kill(pid, 0);
    } catch {
      return false;
    }
    // The spawner's tests make this process adopt orphans: one that has ended waits here to be asked about.
    const stat = `/proc/${pid}/stat`;
    return !existsSync(stat) || !/^.*\) Z/s.test(readFileSync(stat, "latin1"));
  };
  assert.ok(lives());
  process.kill(parent.pid ?? 0, "SIGKILL");
  await until(10_000, "the end of janee", () => !lives());
});

test("request_access without janee serve says that there is no base URL", limit, async () => {
  const on = await stage();
  await on.serving.stop();
  for (const era of eras) {
    const agent = await scene.agent("stdio", era);
    agent.answer = () => ({ action: "accept", content: { decision: "this session" } });
    const access = await agent.call("request_access", { capability: "manual", proxy: true });
    assert.equal(verdict(access), "ok", access.text);
    assert.equal(access.content.proxy, undefined);
    assert.match(String(access.content.note), /serve/);
  }
  on.serving = await on.home.serve();
});

test("the trail is whole, and no secret is in a file, an answer or a line of any of this", limit, () =>
  scene.assertClean(),
);
