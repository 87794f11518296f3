import assert from "node:assert/strict";
import {
  chmodSync,
  cpSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Home, inHome } from "../support/janee.ts";

const limit = { timeout: 60_000 };

const secret = "a-key-of-some-length-1";
const passphrase = "correct horse battery";
const config = `services:
  api: { baseUrl: "http://127.0.0.1:9", auth: { type: bearer, key: ${secret} } }
capabilities:
  api: { service: api, autoApprove: true }
`;
const yes = { JANEE_UNATTENDED: "1", PASS: passphrase };

async function sealed(home: Home): Promise<void> {
  home.writeConfig(config);
  await home.do(["list"]);
}

test("key export: a file for its owner alone, with nothing in it to read, and audited", limit, () =>
  inHome(async (home) => {
    await sealed(home);
    const file = join(home.beside, "export");
    await home.do(["key", "export", file, "--passphrase-env", "PASS"], { env: yes });
    if (process.platform !== "win32") assert.equal(statSync(file).mode & 0o777, 0o600);
    const text = readFileSync(file, "utf8");
    assert.match(text, /^janee-key:v1:[\w-]+\n$/);
    assert.equal(text.includes(secret) || text.includes(passphrase), false);
    const command = home.audit().find(({ event }) => event === "command");
    assert.equal(command?.outcome, "unattended");
    assert.equal(command?.message, `key export to ${file}`);
    assert.equal(home.auditText().includes(passphrase) || home.printed.includes(passphrase), false);

    const again = await home.run(["key", "export", file, "--passphrase-env", "PASS"], { env: yes });
    assert.equal(again.status, 2);
    assert.equal(readFileSync(file, "utf8"), text);
    await home.do(["key", "export", file, "--passphrase-env", "PASS", "--force"], { env: yes });
    assert.notEqual(readFileSync(file, "utf8"), text);
  }),
);

test("key export without a file prints to stdout, with the passphrase from stdin", limit, () =>
  inHome(async (home) => {
    await sealed(home);
    const { stdout } = await home.do(["key", "export", "--passphrase-stdin"], {
      env: yes,
      stdin: `${passphrase}\n`,
    });
    assert.match(stdout, /^janee-key:v1:[\w-]+\n$/);
  }),
);

test(
  "key export refuses: no person, no passphrase, a short one, two sources, a file in the home",
  limit,
  () =>
    inHome(async (home) => {
      await sealed(home);
      const file = join(home.beside, "export");
      const cases: readonly [args: string[], env: Record<string, string>, status: number, says: RegExp][] = [
        [[file, "--passphrase-env", "PASS"], { PASS: passphrase }, 4, /person's yes/],
        [[file], yes, 2, /--passphrase-stdin or --passphrase-env NAME/],
        [[file, "--passphrase-env", "NONE"], yes, 2, /NONE is not set/],
        [[file, "--passphrase-env", "PASS"], { ...yes, PASS: "eleven char" }, 2, /at least 12 characters/],
        [[file, "--passphrase-env", "PASS", "--passphrase-stdin"], yes, 2, /two sources/],
        [[join(home.path, "export"), "--passphrase-env", "PASS"], yes, 2, /inside JANEE_HOME/],
      ];
      for (const [args, env, status, says] of cases) {
        const ran = await home.run(["key", "export", ...args], { env });
        assert.equal(ran.status, status, ran.stderr);
        assert.match(ran.stderr, says);
      }
      assert.equal(existsSync(file), false);
      assert.equal(existsSync(join(home.path, "export")), false);
    }),
);

test("key import: a copied home opens again on a machine without the key", limit, () =>
  inHome(async (home) => {
    await sealed(home);
    const file = join(home.beside, "export");
    await home.do(["key", "export", file, "--passphrase-env", "PASS"], { env: yes });
    const { token } = await home.grant("api");
    renameSync(home.state, `${home.state}.old`);
    assert.equal((await home.run(["list"])).status, 5);
    const wrong = await home.run(["key", "import", file, "--passphrase-stdin"], {
      stdin: "not the passphrase",
    });
    assert.equal(wrong.status, 5);
    assert.equal((await home.run(["list"])).status, 5);
    await home.do(["key", "import", file, "--passphrase-stdin"], { stdin: `${passphrase}\n` });
    await home.do(["list"]);
    const sessions = await home.json<object[]>(["sessions"]);
    assert.equal(sessions.length, 1);
    await home.do(["logs", "verify"]);
    assert.equal(home.audit().at(-1)?.message, "key import");
    assert.equal(home.printed.includes(token) && home.auditText().includes(token), false);
  }),
);

test("key import makes a home where there is none, and leaves another vault alone", limit, () =>
  inHome(async (home) => {
    await sealed(home);
    const file = join(home.beside, "export");
    await home.do(["key", "export", file, "--passphrase-env", "PASS"], { env: yes });
    const elsewhere = { ...yes, JANEE_HOME: join(home.beside, "new") };
    await home.do(["key", "import", file, "--passphrase-env", "PASS"], { env: elsewhere });
    cpSync(join(home.path, "config.yaml"), join(home.beside, "new", "config.yaml"));
    chmodSync(join(home.beside, "new", "config.yaml"), 0o600);
    const findings = await home.json<{ ok: boolean }>(["doctor"], { env: elsewhere });
    assert.equal(findings.ok, true);

    const other = { ...yes, JANEE_HOME: join(home.beside, "other") };
    await home.do(["init"], { env: other });
    const refused = await home.run(["key", "import", file, "--passphrase-env", "PASS"], { env: other });
    assert.equal(refused.status, 5);
    assert.match(refused.stderr, /another vault/);
    rmSync(file);
    assert.equal(
      (await home.run(["key", "import", file, "--passphrase-env", "PASS"], { env: yes })).status,
      2,
    );
    writeFileSync(file, "nonsense");
    assert.equal(
      (await home.run(["key", "import", file, "--passphrase-env", "PASS"], { env: yes })).status,
      5,
    );
  }),
);

test("key: misuse", limit, () =>
  inHome(async (home) => {
    assert.equal((await home.run(["key", "import"])).status, 2);
    assert.equal((await home.run(["key"])).status, 2);
    assert.equal((await home.run(["key", "exprot"])).status, 2);
  }),
);
