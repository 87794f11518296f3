// The handshake of `janee mcp` does not wait for the home; everything else does.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Home, janeeCommand } from "../support/janee.ts";
import { until, within } from "../support/wait.ts";

const limit = { timeout: 60_000 };
const message = (id: number, method: string, params: object) =>
  `${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`;
const initialize = message(0, "initialize", {
  protocolVersion: "2025-06-18",
  capabilities: {},
  clientInfo: { name: "test", version: "1" },
});

/** Starts it on what is written at once; stdin stays open until `end`. */
function start(home: Home, input: string, ...args: string[]) {
  const [program = "", ...before] = janeeCommand();
  const child = spawn(program, [...before, "mcp", ...args], { env: home.environment() });
  const text = { out: "", err: "" };
  child.stdout.on("data", (bytes: Buffer) => {
    text.out += bytes;
  });
  child.stderr.on("data", (bytes: Buffer) => {
    text.err += bytes;
  });
  const ended = new Promise<number | null>((done) => child.once("close", done));
  child.stdin.on("error", () => {});
  child.stdin.write(input);
  return { child, text, ended: () => within(20_000, ended, "janee mcp") };
}

async function withHome(config: string, work: (home: Home) => Promise<void>): Promise<void> {
  const home = new Home();
  try {
    await home.do(["init"]);
    writeFileSync(join(home.path, "config.yaml"), config, { mode: 0o600 });
    await work(home);
  } finally {
    await home.dispose();
  }
}

test("calls that come with the handshake are answered once the home is open", limit, async () => {
  await withHome("services: {}\ncapabilities: {}\n", async (home) => {
    const call = message(1, "tools/call", { name: "list_capabilities", arguments: {} });
    const { child, text, ended } = start(home, initialize + call);
    await until(20_000, "both answers", () => text.out.split("\n").length > 2);
    const answers = text.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.equal(answers[0].result.serverInfo.name, "janee");
    assert.deepEqual(answers[1].result.structuredContent, { capabilities: [] });
    child.stdin.end();
    assert.equal(await ended(), 0);
  });
});

test("a handshake is answered once, and one that is malformed is refused once", limit, async () => {
  await withHome("services: {}\ncapabilities: {}\n", async (home) => {
    const known = {
      protocolVersion: "2025-06-18",
      capabilities: {},
      clientInfo: { name: "test", version: "1" },
    };
    for (const params of [known, { ...known, clientInfo: {} }, { ...known, protocolVersion: "1999-01-01" }]) {
      const { child, text, ended } = start(home, message(0, "initialize", params) + message(1, "ping", {}));
      await until(20_000, "the second answer", () => text.out.includes('"id":1}'));
      child.stdin.end();
      assert.equal(await ended(), 0);
      const [first, ...more] = text.out
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      assert.equal(first.id, 0);
      assert.deepEqual(
        more.map(({ id }) => id),
        [1],
      );
      if (params.clientInfo === known.clientInfo) assert.match(first.result.protocolVersion, /^2025-/);
      else assert.equal(typeof first.error.code, "number");
    }
  });
});

test(
  "a home that does not open ends the process with its own status, and tells the calls that waited",
  limit,
  async () => {
    await withHome("services: [\n", async (home) => {
      const call = message(1, "tools/call", { name: "list_capabilities", arguments: {} });
      const { text, ended } = start(home, initialize + call);
      assert.equal(await ended(), 3);
      assert.match(text.err, /^janee: .*config\.yaml:/);
      for (const line of text.out.trim().split("\n")) assert.equal(JSON.parse(line).jsonrpc, "2.0");
      assert.match(text.out, /"id":1,"error"/);
    });
  },
);

test(
  "a capability that is not there ends it, and a client that says nothing at all is no bug",
  limit,
  async () => {
    await withHome("services: {}\ncapabilities: {}\n", async (home) => {
      const unknown = start(home, "", "--capability", "nope");
      assert.notEqual(await unknown.ended(), 0);
      assert.match(unknown.text.err, /there is no capability "nope"/);
      const silent = start(home, "");
      silent.child.stdin.end();
      assert.equal(await silent.ended(), 0);
      assert.equal(silent.text.out, "");
    });
  },
);
