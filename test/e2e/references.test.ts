// Credentials that lie elsewhere, from outside: janee follows each kind for a request, and neither the agent nor any
// file, log or output of janee ever holds one.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { request } from "../support/client.ts";
import { canary, type Home, inHome, type Serving } from "../support/janee.ts";
import { Agent } from "../support/mcp.ts";
import { ProgramFolder, storePrograms } from "../support/store-programs.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";
import { VaultServer } from "../support/vault-server.ts";
import { isAlive, until } from "../support/wait.ts";

const limit = { timeout: 120_000, skip: process.platform === "win32" };

interface Finding {
  readonly level: string;
  readonly check: string;
  readonly message: string;
  readonly remedy?: string;
}

/** Lets in who has this key, and echoes it. */
async function upstreamFor(keyOf: (target: string) => string): Promise<Upstream> {
  return startUpstream({
    answer: (seen, exchange) => {
      const good = seen.values("authorization")[0] === `Bearer ${keyOf(seen.target)}`;
      exchange.send(good ? 200 : 401, {}, good ? `welcome ${keyOf(seen.target)}` : "who are you");
    },
  });
}

function configOf(origin: string, references: readonly string[], more = ""): string {
  const services = references.map(
    (reference, at) =>
      `  s${at}: { baseUrl: "${origin}", auth: { type: bearer, key: ${JSON.stringify(reference)} } }\n`,
  );
  const capabilities = references.map((_, at) => `  s${at}: { service: s${at}, autoApprove: true }\n`);
  return `services:\n${services.join("")}capabilities:\n${capabilities.join("")}${more}`;
}

/** No file of the home and nothing that was printed holds a secret. */
function assertClean(home: Home, secrets: readonly string[], ...more: readonly string[]): void {
  const files = [home.path, home.state].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => join(folder, name)),
  );
  const texts = files.filter((name) => statSync(name).isFile()).map((name) => readFileSync(name, "latin1"));
  for (const [at, text] of [home.printed, ...more, ...texts].entries()) {
    for (const secret of secrets) assert.ok(!text.includes(secret), `${at}: ${secret.slice(0, 6)}…`);
  }
}

async function doctor(home: Home, env: Record<string, string>): Promise<readonly Finding[]> {
  const { stdout } = await home.run(["doctor", "--json", "--port", "1"], { env });
  return (JSON.parse(stdout) as { findings: Finding[] }).findings;
}

test(
  "every kind of reference carries a request through the proxy, and the agent sees no credential",
  limit,
  () =>
    inHome(async (home) => {
      const programs = new ProgramFolder(home.beside);
      const vault = await VaultServer.start();
      const keyFile = join(home.beside, "key");
      const others = ["env:SHOP_KEY", `file:${keyFile}`, "cmd:show key", "vault:secret/shop#key"];
      // Two of them ask the same program in another way: each has a home of its own.
      const rounds = [
        storePrograms.filter(({ reference }) => !reference.includes("#")),
        storePrograms.slice(2, 3),
      ];
      const upstream = await upstreamFor((target) => `${canary}${target.replace("/", "-")}`);
      try {
        for (const kinds of rounds) {
          const references = [...kinds.map(({ reference }) => reference), ...others];
          const keyAt = (at: number): string => `${canary}-s${at}`;
          for (const [at, one] of kinds.entries()) {
            programs.put(one);
            programs.print(one.program, one.prints(keyAt(at)));
          }
          const after = kinds.length;
          writeFileSync(keyFile, `${keyAt(after + 1)}\n`);
          programs.put({ program: "show", words: ["key"] });
          programs.print("show", `${keyAt(after + 2)}\n`);
          vault.secrets.set("secret/shop", { key: keyAt(after + 3) });
          const env = { PATH: `${programs.path}:${process.env.PATH}`, SHOP_KEY: keyAt(after) };
          const store = `stores:\n  vault:\n    address: ${vault.address}\n    auth: { type: approle, roleId: ${vault.roleId}, secretId: ${vault.secretId} }\n`;
          home.writeConfig(configOf(`http://127.0.0.1:${upstream.port}`, references, store));
          await home.do(["list"]);
          assert.ok(
            !home.readConfig().includes(vault.secretId),
            "the secret of the store is sealed in place",
          );

          const serving = await home.serve([], { env });
          for (const at of references.keys()) {
            const { token } = await home.grant(`s${at}`);
            const answer = await request(serving.port, { target: `/s${at}/s${at}`, token });
            assert.equal(answer.status, 200, `${references[at]}: ${answer.text}`);
            assert.equal(answer.text, "welcome [janee:redacted]");
          }
          await serving.stop();

          const found = await doctor(home, env);
          const bad = found.filter(({ level }) => level === "problem");
          assert.deepEqual(bad, []);
          assert.equal(
            found.filter(({ check, level }) => check === "references" && level === "ok").length,
            references.length,
          );
        }
        assert.ok(vault.logins >= 2);
        assertClean(home, [canary, vault.secretId]);
      } finally {
        await upstream.stop();
        await vault.stop();
      }
    }),
);

test(
  "what cannot be followed sends nothing, says what to check, and is followed as soon as it can be",
  limit,
  () =>
    inHome(async (home) => {
      const programs = new ProgramFolder(home.beside);
      const [one] = storePrograms;
      assert.ok(one);
      const upstream = await upstreamFor(() => canary);
      const env = { PATH: `${programs.path}:${process.env.PATH}` };
      home.writeConfig(
        configOf(`http://127.0.0.1:${upstream.port}`, [one.reference, "env:NOT_THERE", "vault:a/b#c"]),
      );
      const agent = await Agent.stdio(home, { era: "modern", env });
      try {
        const serving = await home.serve([], { env });
        const { token } = await home.grant("s0");
        const ask = () => request(serving.port, { target: "/s0/x", token });
        const hostile = [
          `echo ${canary} >&2; exit 1`,
          `printf '${canary}\\n${canary}'`,
          `while :; do echo ${canary}; done`,
          `echo ${canary}; kill -9 $$`,
        ];
        for (const body of hostile) {
          programs.script("op", body);
          const answer = await ask();
          assert.equal(answer.error.code, "reference_failed", answer.text);
          assert.ok(!answer.text.includes(canary));
          const told = await agent.call("execute", { capability: "s0", method: "GET", path: "/x" });
          assert.equal(told.code, "reference_failed");
          assert.ok(!told.text.includes("dev/My shop"), "an agent is not told where the credential lies");
        }
        const found = (await doctor(home, env)).filter(({ check }) => check === "references");
        assert.deepEqual(
          found.map(({ level }) => level),
          ["problem", "problem", "problem"],
        );
        assert.match(found[0]?.remedy ?? "", /op read "op:\/\/dev\/My shop\/key"/);
        assert.match(found[1]?.remedy ?? "", /set NOT_THERE for janee/);
        assert.match(found[2]?.message ?? "", /no stores\.vault/);
        assert.equal(upstream.seen.length, 0);

        programs.put(one);
        programs.print("op", canary);
        assert.equal((await ask()).status, 200);
        await serving.stop();
        await agent.close();
        assertClean(home, [canary], agent.heard);
      } finally {
        await agent.close();
        await upstream.stop();
      }
    }),
);

test("a hundred requests at once have a reference followed once", limit, () =>
  inHome(async (home) => {
    const programs = new ProgramFolder(home.beside);
    const [one] = storePrograms;
    assert.ok(one);
    programs.put(one);
    programs.print("op", canary);
    const upstream = await upstreamFor(() => canary);
    let serving: Serving | undefined;
    try {
      home.writeConfig(configOf(`http://127.0.0.1:${upstream.port}`, [one.reference]));
      serving = await home.serve([], { env: { PATH: `${programs.path}:${process.env.PATH}` } });
      const { port } = serving;
      const { token } = await home.grant("s0");
      const all = await Promise.all(
        Array.from({ length: 100 }, () => request(port, { target: "/s0/x", token })),
      );
      assert.deepEqual([...new Set(all.map(({ status }) => status))], [200]);
      assert.equal(programs.started("op"), 1);
    } finally {
      await serving?.stop();
      await upstream.stop();
    }
  }),
);

test("a program that hangs ends with janee", limit, () =>
  inHome(async (home) => {
    const programs = new ProgramFolder(home.beside);
    const pids = join(home.beside, "pids");
    programs.script("hangs", `sleep 300 & echo $! > ${pids}; echo $$ >> ${pids}; sleep 300`);
    home.writeConfig(configOf("http://127.0.0.1:9", ["cmd:hangs"]));
    const serving = await home.serve([], { env: { PATH: `${programs.path}:${process.env.PATH}` } });
    const { token } = await home.grant("s0");
    const asked = request(serving.port, { target: "/s0/x", token }).catch(() => undefined);
    const read = (): number[] =>
      (existsSync(pids) ? (readFileSync(pids, "utf8").match(/\d+/g) ?? []) : []).map(Number);
    const started = await until(10_000, "the start of the program", () => read().length === 2 && read());
    await serving.stop();
    await asked;
    await until(10_000, "the end of the program", () => started.every((pid) => !isAlive(pid)));
  }),
);

test("a reference is a person's to give, and a malformed one is refused with its place", limit, () =>
  inHome(async (home) => {
    await home.do(["init"]);
    const add = ["add", "shop", "-u", "https://shop.example", "--key"];
    const unasked = await home.run([...add, "op://dev/shop/key"]);
    assert.equal(unasked.status, 4);
    const added = await home.do([...add, "op://dev/shop/key"], { env: { JANEE_UNATTENDED: "1" } });
    assert.ok(!added.stderr.includes("a secret on the command line"), "a reference is none");
    assert.match(home.readConfig(), /key: op:\/\/dev\/shop\/key/);
    // Nothing is put before a reference, and no vendor's shape is expected of it.
    for (const [name, reference] of [
      ["openai", "op://dev/openai/key"],
      ["deepgram", "vault:secret/speech#key"],
    ] as const) {
      const known = await home.do(["add", name, "--key", reference], { env: { JANEE_UNATTENDED: "1" } });
      assert.ok(!known.stderr.includes("warning"), known.stderr);
      assert.ok(
        home.readConfig().includes(`${reference}\n`) || home.readConfig().includes(`"${reference}"\n`),
      );
    }
    home.writeConfig(home.readConfig().replace("op://dev/shop/key", "op://dev"));
    const checked = await home.run(["config", "check"]);
    assert.equal(checked.status, 3);
    assert.match(checked.stderr + checked.stdout, /config\.yaml:\d+:\d+.*op:\/\/vault\/item\/field/s);
  }),
);

test("the secret of a store opens for that store alone, and goes along with a rotation", limit, () =>
  inHome(async (home) => {
    const vault = await VaultServer.start();
    const foreign = await VaultServer.start();
    const upstream = await upstreamFor(() => canary);
    try {
      vault.secrets.set("secret/shop", { key: canary });
      const store = `stores:\n  vault:\n    address: ${vault.address}\n    auth: { type: token, token: ${vault.root} }\n`;
      home.writeConfig(configOf(`http://127.0.0.1:${upstream.port}`, ["vault:secret/shop#key"], store));
      await home.do(["test", "s0"]);
      await home.do(["rotate"]);
      await home.do(["test", "s0"]);
      const whole = home.readConfig();
      home.writeConfig(whole.replace(vault.address, foreign.address));
      const moved = await home.run(["test", "s0"]);
      assert.equal(moved.status, 5);
      assert.match(moved.stderr, /the secret of stores\.vault does not open/);
      assert.equal(foreign.upstream.seen.length, 0);
      home.writeConfig(whole);
      await home.do(["test", "s0"]);
      const policy = home.audit().filter(({ event }) => event === "policy");
      assert.ok(!JSON.stringify(policy).includes(vault.root));
      assertClean(home, [canary, vault.root]);
    } finally {
      await vault.stop();
      await foreign.stop();
      await upstream.stop();
    }
  }),
);
