import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Home, inHome, janeeCommand } from "../support/janee.ts";
import { until } from "../support/wait.ts";

const limit = { timeout: 60_000 };

const secret = "a-key-of-some-length-1";
const config = `services:
  # by hand
  api: { baseUrl: "http://127.0.0.1:9", auth: { type: bearer, key: ${secret} } }
  other:
    baseUrl: http://127.0.0.1:9
    auth:
      type: headers
      headers:
        X-One: another-key-of-length-2 # first
        X-Two: env:SOMETHING
capabilities:
  api: { service: api, autoApprove: true }
  other: { service: other, autoApprove: true }
`;

interface Listed {
  readonly id: string;
  readonly state: string;
}

interface Doctor {
  readonly findings: readonly { readonly level: string; readonly check: string; readonly message: string }[];
}

async function levels(home: Home): Promise<Record<string, string[]>> {
  const { stdout } = await home.run(["doctor", "--json"], { env: { SOMETHING: "a-value-of-some-length" } });
  const { findings } = JSON.parse(stdout) as Doctor;
  const found: Record<string, string[]> = {};
  for (const { level, check, message } of findings) {
    found[check] = [...(found[check] ?? []), level === "ok" ? "ok" : `${level} ${message}`];
  }
  return found;
}

function keysIn(home: Home): number {
  return (JSON.parse(readFileSync(join(home.path, "vault.json"), "utf8")) as { keys: unknown[] }).keys.length;
}

test(
  "rotate: new keys, every credential sealed anew, the rest of the file and the sessions as they were",
  limit,
  () =>
    inHome(async (home) => {
      home.writeConfig(config);
      const { session } = await home.grant("api");
      const held = await home.grant("other");
      await home.do(["revoke", held.session]);
      await home.do(["agent", "add", "bot"], { env: { JANEE_UNATTENDED: "1" } });
      const before = home.readConfig();
      const keyFile = join(home.state, "janee", readdirSync(join(home.state, "janee"))[0] ?? "");
      const keyBefore = readFileSync(keyFile);

      const done = await home.json(["rotate"]);
      assert.deepEqual(done, {
        ...{ keyRenewed: true, credentials: 2 },
        ...{ sessions: 1, holds: 1, approvals: 0, agents: 1 },
      });
      const after = home.readConfig();
      const blank = (text: string): string => text.replace(/sealed:v1:[\w:-]+/g, "sealed");
      assert.equal(blank(after), blank(before));
      const seals = (text: string): string[] => text.match(/sealed:v1:[\w:-]+/g) ?? [];
      assert.equal(seals(after).length, 2);
      assert.equal(
        seals(after).some((seal) => before.includes(seal)),
        false,
      );
      assert.notDeepEqual(readFileSync(keyFile), keyBefore);
      assert.equal(keysIn(home), 1);

      const live = await home.json<Listed[]>(["sessions"]);
      assert.deepEqual(
        live.map(({ id, state }) => [id, state]),
        [[session, "live"]],
      );
      assert.deepEqual(
        (await home.json<{ name: string }[]>(["agent", "list"])).map(({ name }) => name),
        ["bot"],
      );
      const all = await home.json<Listed[]>(["sessions", "--all"]);
      assert.equal(all.find(({ id }) => id === held.session)?.state, "revoked");
      const found = await levels(home);
      assert.deepEqual(found.credentials, ["ok"]);
      assert.deepEqual(found.state, ["ok", "ok"]);
      assert.deepEqual(
        home
          .audit()
          .filter(({ event }) => event === "command")
          .map(({ message, outcome }) => [message, outcome])
          .slice(-2),
        [
          ["rotate", "begun"],
          ["rotate", "done"],
        ],
      );
      await home.do(["logs", "verify"]);
    }),
);

test("rotate: janee serve goes on, with the session it knew", limit, () =>
  inHome(async (home) => {
    home.writeConfig(config);
    const { token } = await home.grant("api");
    const serving = await home.serve();
    const codes = new Set<string>();
    const ask = async (): Promise<void> => {
      const url = `http://127.0.0.1:${serving.port}/api/x`;
      const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
      codes.add(((await response.json()) as { error: { code: string } }).error.code);
    };
    await ask();
    let rotating = true;
    const rotation = home.do(["rotate"]).finally(() => {
      rotating = false;
    });
    while (rotating) await ask();
    await rotation;
    for (let count = 0; count < 20; count++) await ask();
    // Nobody listens behind the service: the request got as far as that, each time.
    assert.deepEqual([...codes], ["upstream_unreachable"]);
  }),
);

test("rotate refuses before it changes anything when a credential does not open", limit, () =>
  inHome(async (home) => {
    home.writeConfig(config);
    await home.do(["list"]);
    const vault = readFileSync(join(home.path, "vault.json"), "utf8");
    home.writeConfig(home.readConfig().replace("http://127.0.0.1:9\n", "http://127.0.0.1:10\n"));
    const { status, stderr } = await home.run(["rotate"]);
    assert.equal(status, 5);
    assert.match(stderr, /janee set other/);
    assert.equal(readFileSync(join(home.path, "vault.json"), "utf8"), vault);
  }),
);

async function killedWhen(home: Home, reached: () => boolean): Promise<void> {
  const [command = "", ...before] = janeeCommand();
  const child = spawn(command, [...before, "rotate"], { env: home.environment(), stdio: "ignore" });
  const ended = new Promise((done) => child.on("close", done));
  await until(20_000, "the moment to kill", () => reached() || child.exitCode !== null);
  child.kill("SIGKILL");
  await ended;
}

for (const moment of ["the vault holds both keys", "the config is written"]) {
  test(`rotate killed once ${moment}: everything opens, and the next one ends it`, limit, () =>
    inHome(async (home) => {
      home.writeConfig(config);
      const { session } = await home.grant("api");
      const before = home.readConfig();
      await killedWhen(home, () => {
        return moment === "the config is written" ? home.readConfig() !== before : keysIn(home) === 2;
      });
      const live = await home.json<Listed[]>(["sessions"]);
      assert.deepEqual(
        live.map(({ id }) => id),
        [session],
      );
      assert.deepEqual((await levels(home)).credentials, ["ok"]);
      await home.do(["rotate"]);
      assert.equal(keysIn(home), 1);
      assert.deepEqual(
        (await home.json<Listed[]>(["sessions"])).map(({ id }) => id),
        [session],
      );
      assert.deepEqual((await levels(home)).credentials, ["ok"]);
      await home.do(["logs", "verify"]);
    }),
  );
}

test("rotate with a key from outside renews the data key alone", limit, () =>
  inHome(async (home) => {
    const env = { JANEE_KEY: Buffer.alloc(32, 5).toString("base64") };
    home.writeConfig(config);
    await home.do(["list"], { env });
    const done = await home.json<{ keyRenewed: boolean; credentials: number }>(["rotate"], { env });
    assert.deepEqual([done.keyRenewed, done.credentials], [false, 2]);
    await home.do(["list"], { env });
  }),
);
