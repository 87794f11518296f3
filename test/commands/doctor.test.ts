import assert from "node:assert/strict";
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { canary, type Home, inHome } from "../support/janee.ts";

const limit = { timeout: 60_000 };

const windows = process.platform === "win32";
const config = `services:
  api: { baseUrl: "http://127.0.0.1:9", auth: { type: bearer, key: ${canary} } }
capabilities:
  api: { service: api, autoApprove: true, rules: [{ allow: GET /v1/* }] }
`;

interface Finding {
  readonly level: string;
  readonly check: string;
  readonly message: string;
  readonly remedy?: string;
}

async function examine(
  home: Home,
  options: { env?: Record<string, string>; port?: number } = {},
): Promise<{ status: number | null; findings: Finding[]; guarantee: string }> {
  const { status, stdout } = await home.run(["doctor", "--json", "--port", String(options.port ?? 1)], {
    env: options.env ?? {},
  });
  const { findings, guarantee } = JSON.parse(stdout) as { findings: Finding[]; guarantee: string };
  return { status, findings, guarantee };
}

function others(findings: readonly Finding[]): string[] {
  return findings
    .filter(({ level }) => level !== "ok")
    .map(({ level, check, message }) => `${level} ${check}: ${message}`);
}

async function healthy(home: Home): Promise<void> {
  home.writeConfig(config);
  await home.do(["list"]);
}

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

test("doctor: the port is free, janee's, or another program's", limit, () =>
  inHome(async (home) => {
    await healthy(home);
    const serving = await home.serve();
    const own = await examine(home, { port: serving.port });
    assert.ok(
      own.findings.some(
        ({ check, level, message }) => check === "port" && level === "ok" && /answers/.test(message),
      ),
    );
    await serving.stop();
    const free = await examine(home, { port: serving.port });
    assert.ok(free.findings.some(({ check, message }) => check === "port" && /is free/.test(message)));

    const other = createServer((socket) => {
      socket.on("error", () => {});
      socket.resume();
      socket.end("220 mail\r\n");
    });
    await new Promise<void>((done) => other.listen(0, "127.0.0.1", done));
    const address = other.address();
    const port = typeof address === "object" && address ? address.port : 0;
    const taken = await examine(home, { port });
    await new Promise((done) => other.close(done));
    assert.ok(taken.findings.some(({ check, level }) => check === "port" && level === "warn"));
    assert.equal(taken.status, 0);
  }),
);
