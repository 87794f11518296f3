import assert from "node:assert/strict";
import { chmodSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { healthyConfig as config, examine, healthy, others } from "../support/doctor.ts";
import { canary, inHome } from "../support/janee.ts";

const limit = { timeout: 60_000 };

const windows = process.platform === "win32";
test("doctor: a healthy home has nothing but ok, and the guarantee names the key file", limit, () =>
  inHome(async (home) => {
    await healthy(home);
    const { status, findings, guarantee } = await examine(home);
    assert.deepEqual(others(findings), []);
    assert.equal(status, 0);
    assert.ok(guarantee.includes(home.state));
    assert.match(guarantee, /does not hold against an agent that runs as your own user/);
    const plain = await home.do(["doctor", "--port", "1"]);
    assert.match(plain.stdout, /^ok +vault +opens$/m);
    assert.equal(home.printed.includes(canary) || plain.stdout.includes(canary), false);
  }),
);

test("doctor: no home", limit, () =>
  inHome(async (home) => {
    const { status, findings } = await examine(home, { env: { JANEE_HOME: join(home.beside, "none") } });
    assert.equal(status, 3);
    assert.match(others(findings).join("\n"), /^problem home: there is no home/);
    assert.equal(findings.find(({ level }) => level === "problem")?.remedy, "janee init");
  }),
);

test("doctor: a home that others can read, told once with its remedy", { ...limit, skip: windows }, () =>
  inHome(async (home) => {
    await healthy(home);
    chmodSync(home.path, 0o755);
    const { status, findings } = await examine(home);
    assert.equal(status, 5);
    const open = findings.filter(({ message }) => message.includes("0755"));
    assert.deepEqual(
      open.map(({ remedy }) => remedy),
      [`chmod 700 ${home.path}`],
    );
  }),
);

test(
  "doctor: a key and an authority that others can read, each with its remedy",
  { ...limit, skip: windows },
  () =>
    inHome(async (home) => {
      await healthy(home);
      await home.do(["ca", "renew"]);
      assert.deepEqual(others((await examine(home)).findings), []);
      const [keyFile = ""] = readdirSync(join(home.state, "janee"));
      const [authority = ""] = readdirSync(join(home.path, "ca"));
      for (const open of [join(home.state, "janee", keyFile), join(home.path, "ca", authority)]) {
        chmodSync(open, 0o644);
        const { status, findings } = await examine(home);
        assert.equal(status, 5);
        const problem = findings.find(
          ({ level, message }) => level === "problem" && message.includes("0644"),
        );
        assert.equal(problem?.remedy, `chmod 600 ${open}`);
        chmodSync(open, 0o600);
      }
    }),
);

test("doctor: the key is gone", limit, () =>
  inHome(async (home) => {
    await healthy(home);
    rmSync(join(home.state, "janee"), { recursive: true });
    const { status, findings } = await examine(home);
    assert.equal(status, 5);
    const problem = findings.find(({ level }) => level === "problem");
    assert.match(problem?.message ?? "", /the key is not there/);
    assert.match(problem?.remedy ?? "", /janee key import/);
  }),
);

test("doctor: a bad config has its place, and a broken vault outranks it", limit, () =>
  inHome(async (home) => {
    await healthy(home);
    home.writeConfig(home.readConfig().replace("rules:", "ruels:"));
    const bad = await examine(home);
    assert.equal(bad.status, 3);
    assert.match(others(bad.findings).join("\n"), /config\.yaml:4:\d+: /);
    writeFileSync(join(home.path, "vault.json"), "{");
    const worse = await examine(home);
    assert.equal(worse.status, 5);
  }),
);

test(
  "doctor: credentials that do not open, that are short, that stand in the clear, and none is shown",
  limit,
  () =>
    inHome(async (home) => {
      await healthy(home);
      const sealed = home.readConfig();
      home.writeConfig(sealed.replace("127.0.0.1:9", "127.0.0.1:10"));
      const moved = await examine(home);
      assert.equal(moved.status, 5);
      assert.match(others(moved.findings).join("\n"), /^problem credentials: .*another baseUrl/);

      home.writeConfig(sealed.replace(/sealed:[\w:-]+/, "env:SHORT_ONE"));
      const short = await examine(home, { env: { SHORT_ONE: "zq-short" } });
      assert.equal(short.status, 0);
      assert.match(others(short.findings).join("\n"), /^warn credentials: .*fewer than 16 characters/);
      const unset = await examine(home);
      assert.equal(unset.status, 5);

      home.writeConfig(config);
      const clear = await examine(home);
      assert.match(others(clear.findings).join("\n"), /^warn credentials: .*in the clear/);
      assert.equal(home.readConfig(), config);
      assert.equal(home.printed.includes("zq-short") || home.printed.includes(canary), false);
    }),
);

test("doctor: lint, variables that mislead, a trail that is not intact", limit, () =>
  inHome(async (home) => {
    home.writeConfig(config.replace(", rules: [{ allow: GET /v1/* }]", ", ttl: 9h"));
    await home.grant("api");
    const env = { JANEE_UNATTENDED: "1", HTTPS_PROXY: "http://p:1", NODE_TLS_REJECT_UNAUTHORIZED: "0" };
    const { status, findings } = await examine(home, { env });
    assert.equal(status, 0);
    const told = others(findings).join("\n");
    for (const word of ["unrestricted", "over 8h", "JANEE_UNATTENDED=1", "HTTPS_PROXY", "NODE_TLS_REJECT"]) {
      assert.ok(told.includes(word), `${word} in ${told}`);
    }
    assert.ok(findings.some(({ message }) => message.includes("live sessions: 1")));
    writeFileSync(join(home.path, "audit.log"), home.auditText().replace("granted", "grantee"));
    const broken = await examine(home);
    assert.equal(broken.status, 5);
    assert.ok(
      broken.findings.some(({ check, remedy }) => check === "audit" && remedy === "janee logs verify"),
    );
  }),
);
