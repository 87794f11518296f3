// A GitHub App without a terminal: its key makes tokens of seconds, which are renewed under calls that do not notice, on
// the proxy, over MCP and for git; and no token is ever on disk.
import assert from "node:assert/strict";
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { makeCertificate } from "../support/certificates.ts";
import { request } from "../support/client.ts";
import { ExecStage, exec, outOf } from "../support/exec-stage.ts";
import { type GitServer, startGitServer } from "../support/git-server.ts";
import { appId, type GithubStandIn, installationId, startGithub } from "../support/github-app.ts";
import { Home, type Ran, type Serving } from "../support/janee.ts";
import { type Agent, verdict } from "../support/mcp.ts";
import { privateKeyForms } from "../support/private-keys.ts";
import { findIn } from "../support/secrets.ts";
import { pause, until } from "../support/wait.ts";

const limit = { timeout: 90_000 };

interface Scene {
  readonly github: GithubStandIn;
  readonly home: Home;
  readonly serving: Serving;
}

function tryAddApp(home: Home, github: GithubStandIn, name: string, ...more: string[]): Promise<Ran> {
  const pem = join(home.beside, "app.pem");
  writeFileSync(pem, github.pem);
  return home.run([
    ...["add", name, "--github-app", "--app-id", appId, "--installation-id", installationId],
    ...["--pem-file", pem, "--base-url", github.origin, "--auto-approve", ...more],
  ]);
}

async function addApp(home: Home, github: GithubStandIn, name: string, ...more: string[]): Promise<void> {
  const { status, stderr } = await tryAddApp(home, github, name, ...more);
  assert.equal(status, 0, stderr);
}

async function withScene(
  run: (scene: Scene) => Promise<void>,
  prepare: (github: GithubStandIn, home: Home) => Promise<void> = (github, home) =>
    addApp(home, github, "github"),
): Promise<void> {
  const github = await startGithub();
  const home = new Home();
  try {
    await prepare(github, home);
    const serving = await home.serve();
    await run({ github, home, serving });
    await serving.stop();
    await home.do(["logs", "verify"]);
    const secrets = [...github.issued.map(({ token }) => token), bodyOf(github.pem)];
    assert.deepEqual(findIn([home.path, home.state], secrets), []);
    assert.ok(!secrets.some((secret) => home.printed.includes(secret)), "printed");
  } finally {
    await home.dispose();
    await github.stop();
  }
}

/** A line of a PEM: enough to know it by. */
function bodyOf(pem: string): string {
  return pem.split("\n")[3] ?? "";
}

function credentialLines(home: Home, outcome: string): number {
  return home.audit().filter((line) => line.event === "credential" && line.outcome === outcome).length;
}

test("tokens of two seconds: renewal is in the log, no call fails, and no token comes back", limit, () =>
  withScene(async ({ github, home, serving }) => {
    github.lifeSeconds = 2;
    const { token } = await home.grant("github");
    let calls = 0;
    for (const end = Date.now() + 5_000; Date.now() < end; calls += 1) {
      const answer = await request(serving.port, { target: `/github/repos/o/r/issues?n=${calls}`, token });
      assert.equal(answer.status, 200, answer.text);
      assert.match(answer.text, /Bearer \[janee:redacted\]/);
      await pause(100);
    }
    assert.ok(calls >= 10, `${calls}`);
    assert.ok(github.issued.length >= 3, `${github.issued.length} tokens`);
    assert.deepEqual(github.refused, []);
    assert.equal(credentialLines(home, "renewed"), github.issued.length);
    const { stdout } = await home.do(["logs"]);
    assert.match(stdout, /credential renewed .*a token was fetched, good until 2/);
    for (const { jwt } of github.asked) assert.ok(!`${home.auditText()}${stdout}`.includes(jwt));
  }),
);

test("two hundred calls at the end of a token have one new one fetched", limit, () =>
  withScene(async ({ github, home, serving }) => {
    github.lifeSeconds = 1;
    const { token } = await home.grant("github");
    const ask = (n: number) => request(serving.port, { target: `/github/repos/${n}`, token }, 30_000);
    assert.equal((await ask(0)).status, 200);
    await pause(1_100);
    github.lifeSeconds = 3_600;
    const answers = await Promise.all(Array.from({ length: 200 }, (_, n) => ask(n)));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
    assert.equal(github.asked.length, 2);
  }),
);

test("a renewal that fails is an error for those who wait, and the next one tries again", limit, () =>
  withScene(async ({ github, home, serving }) => {
    const { token } = await home.grant("github");
    const ask = () => request(serving.port, { target: "/github/user", token });
    for (const [status, next] of [
      [500, /try again later/],
      [401, /check the app's id, its private key and this machine's clock/],
      [404, /check the installation's id/],
      [422, /check repositories and permissions/],
    ] as const) {
      github.failures = 1;
      github.failWith = status;
      const failed = await ask();
      assert.equal(failed.status, 502, failed.text);
      assert.equal(failed.error.code, "credential_failed");
      assert.match(failed.error.next ?? "", next);
      assert.ok(!failed.text.includes('try again"'), "the issuer's own words stay with janee");
    }
    assert.equal((await ask()).status, 200);
    assert.equal(github.issued.length, 1);
    const codes = home.audit().filter(({ code }) => code === "credential_failed");
    assert.equal(codes.length, 4);
  }),
);

test("an issuer that cannot be reached is an error that says so, and its twin answers", limit, () =>
  withScene(
    async ({ github, home, serving }) => {
      const near = await home.grant("github");
      const far = await home.grant("far");
      const failed = await request(serving.port, { target: "/far/user", token: far.token });
      assert.equal(failed.error.code, "credential_failed", failed.text);
      assert.match(failed.error.next ?? "", /check that 127\.0\.0\.1:1 is the right address/);
      assert.equal((await request(serving.port, { target: "/github/user", token: near.token })).status, 200);
      assert.equal(github.issued.length, 1);
    },
    async (github, home) => {
      await addApp(home, github, "github");
      await addApp(home, { ...github, origin: "http://127.0.0.1:1" }, "far");
    },
  ),
);

test("the key of another app is refused, and its twin is not", limit, async () => {
  const stranger = await startGithub();
  try {
    await withScene(
      async ({ github, home, serving }) => {
        const wrong = await home.grant("wrong");
        const failed = await request(serving.port, { target: "/wrong/user", token: wrong.token });
        assert.equal(failed.error.code, "credential_failed");
        assert.deepEqual(github.refused, ["bad signature"]);
        const right = await home.grant("github");
        assert.equal(
          (await request(serving.port, { target: "/github/user", token: right.token })).status,
          200,
        );
      },
      async (github, home) => {
        await addApp(home, github, "github");
        await addApp(home, { ...github, pem: stranger.pem }, "wrong");
      },
    );
  } finally {
    await stranger.stop();
  }
});

// SIGN-009
test("who may read never gets the token of who may write, and each repository set has its own", limit, () =>
  withScene(
    async ({ github, home, serving }) => {
      const ask = async (name: string, method: string) => {
        const { token } = await home.grant(name);
        return request(serving.port, { method, target: `/${name}/repos/o/r/issues`, token, body: "{}" });
      };
      // The writer comes first: its token is there to be taken by mistake.
      assert.equal((await ask("writer", "POST")).status, 200);
      assert.equal((await ask("reader", "POST")).status, 403);
      assert.equal((await ask("reader", "GET")).status, 200);
      assert.equal((await ask("other", "GET")).status, 200);
      const wishes = github.asked.map(({ body }) => JSON.parse(body) as unknown);
      assert.deepEqual(wishes, [
        { repositories: ["one"], permissions: { issues: "write" } },
        { repositories: ["one"], permissions: { issues: "read" } },
        { repositories: ["one", "two"], permissions: { issues: "read" } },
      ]);
      assert.equal(new Set(github.issued.map(({ token }) => token)).size, 3);
    },
    async (github, home) => {
      const narrow = (name: string, repositories: string, permission: string) =>
        addApp(home, github, name, "--repositories", repositories, "--permissions", permission);
      await narrow("writer", "one", "issues=write");
      await narrow("reader", "one", "issues=read");
      await narrow("other", "two,one", "issues=read");
    },
  ),
);

test("what narrows a token is not taken off without a person's yes", limit, () =>
  withScene(
    async ({ github, home, serving }) => {
      const wider = ["set", "github", "--repositories", "one,two"];
      assert.equal((await home.run(wider)).status, 4);
      const { token } = await home.grant("github");
      assert.equal((await request(serving.port, { target: "/github/user", token })).status, 200);
      await home.do(wider, { env: { JANEE_UNATTENDED: "1" } });
      assert.equal((await request(serving.port, { target: "/github/user", token })).status, 200);
      const wishes = github.asked.map(
        ({ body }) => (JSON.parse(body) as { repositories: unknown }).repositories,
      );
      assert.deepEqual(wishes, [["one"], ["one", "two"]]);
    },
    (github, home) => addApp(home, github, "github", "--repositories", "one"),
  ),
);

// SIGN-011
for (const how of [["--capability", "github"], ["--all"]]) {
  test(`revoke ${how.join(" ")} gives the token back, and the next session gets a new one`, limit, () =>
    withScene(async ({ github, home, serving }) => {
      const first = await home.grant("github");
      const ask = (token: string) => request(serving.port, { target: "/github/user", token });
      assert.equal((await ask(first.token)).status, 200);
      await home.do(["revoke", ...how]);
      await until(5_000, "the token's end", () => github.issued[0]?.withdrawn);
      assert.equal((await ask(first.token)).status, 403);
      const second = await home.grant("github");
      assert.equal((await ask(second.token)).status, 200);
      assert.equal(github.issued.length, 2);
      await pause(300);
      assert.ok(!github.issued[1]?.withdrawn, "a revocation counts once");
      await until(2_000, "a line of it", () => credentialLines(home, "withdrawn") === 1);
    }),
  );
}

test("revoke of another capability, or of one session, leaves the token of others alone", limit, () =>
  withScene(
    async ({ github, home, serving }) => {
      const one = await home.grant("github");
      const session = await home.grant("github");
      const other = await home.grant("other");
      for (const [name, { token }] of [
        ["github", one],
        ["other", other],
      ] as const) {
        assert.equal((await request(serving.port, { target: `/${name}/user`, token })).status, 200);
      }
      await home.do(["revoke", "--capability", "other"]);
      await home.do(["revoke", session.session]);
      await until(5_000, "the other token's end", () => github.issued[1]?.withdrawn);
      assert.ok(!github.issued[0]?.withdrawn);
      assert.equal((await request(serving.port, { target: "/github/user", token: one.token })).status, 200);
      assert.equal(github.issued.length, 2);
    },
    async (github, home) => {
      await addApp(home, github, "github");
      await addApp(home, github, "other", "--repositories", "one");
    },
  ),
);

test("an agent does not withdraw the token itself, however it spells the path", limit, () =>
  withScene(async ({ github, home, serving }) => {
    const { token } = await home.grant("github");
    const ask = (method: string, target: string) => request(serving.port, { method, target, token });
    for (const path of ["/installation/token", "/Installation/Token", "/installation/token/"]) {
      const refused = await ask("DELETE", `/github${path}`);
      assert.equal(refused.error.code, "token_endpoint_forbidden", `${path}: ${refused.text}`);
      assert.equal(refused.status, 403);
    }
    assert.equal((await ask("GET", "/github/installation/repositories")).status, 200);
    assert.deepEqual(
      github.issued.map(({ withdrawn }) => withdrawn),
      [false],
    );
  }),
);

// SIGN-008
for (const [how, usesBadKeys] of [
  ["given by a flag", false],
  ["typed into the config", true],
] as const) {
  test(`a key ${how} that cannot sign is refused in words of its kind, and never shown`, limit, async () => {
    const github = await startGithub();
    const home = new Home();
    try {
      const forms = privateKeyForms(github.pem);
      if (usesBadKeys) {
        await home.do(["init"]);
        home.writeConfig(
          `services:\n${forms.map(([name, pem]) => typedService(github, name, pem)).join("")}`,
        );
      }
      for (const [name, pem, problem] of forms) {
        const added = usesBadKeys ? undefined : await tryAddApp(home, { ...github, pem }, name);
        const fine = added === undefined || added.status === 0;
        const ran = fine ? await home.run(["test", name, "--path", "/user"]) : added;
        const said = `${ran.stdout}${ran.stderr}`;
        assert.equal(ran.status, problem === undefined ? 0 : usesBadKeys ? 6 : 2, `${name}: ${said}`);
        if (problem) assert.match(said, problem, name);
        for (const line of pem.split(/\\n|\r?\n/).filter((one) => one.length > 30)) {
          assert.ok(
            !`${home.printed}${home.auditText()}${home.readConfig()}`.includes(line),
            `${name} is shown`,
          );
        }
      }
      assert.equal(github.issued.length, forms.filter(([, , problem]) => problem === undefined).length);
    } finally {
      await home.dispose();
      await github.stop();
    }
  });
}

function typedService(github: GithubStandIn, name: string, pem: string): string {
  const key = JSON.stringify(pem);
  const auth = `{type: github-app, appId: ${appId}, installationId: ${installationId}, privateKey: ${key}}`;
  return `  ${name}: {baseUrl: "${github.origin}", auth: ${auth}}\n`;
}

interface Code {
  readonly on: ExecStage;
  readonly github: GithubStandIn;
  readonly server: GitServer;
  readonly agent: Agent;
}

const opened: Code[] = [];
after(async () => {
  for (const { on, github, server } of opened) {
    await on.close();
    await server.stop();
    await github.stop();
  }
});

/** A server as a company has it: the API below /api/v3, repositories beside it, both under the same tokens. */
async function openCode(): Promise<Code> {
  const on = new ExecStage([]);
  const github = await startGithub();
  const certificate = makeCertificate(on.home.beside, "git", ["DNS:localhost"]);
  const folder = join(on.home.beside, "one");
  const server = await startGitServer(folder, certificate, github.isLive, github.serve("/api/v3"));
  const git = join(on.bin, "git");
  const real = (process.env.PATH ?? "").split(":").find((path) => existsSync(join(path, "git")));
  writeFileSync(git, `#!/bin/sh\nGIT_SSL_CAINFO='${certificate.file}' exec '${real}/git' "$@"\n`);
  chmodSync(git, 0o755);
  const pem = join(on.home.beside, "app.pem");
  writeFileSync(pem, github.pem);
  await on.home.do(["init"]);
  on.home.writeConfig(`services:
  github:
    baseUrl: ${server.origin}/api/v3
    caFile: ${certificate.file}
    auth: { type: github-app, appId: ${appId}, installationId: ${installationId}, privateKey: ${JSON.stringify(github.pem)} }
capabilities:
  api: { service: github, autoApprove: true }
  code:
    service: github
    mode: exec
    allowCommands: [git]
    autoApprove: true
    workDir: ${JSON.stringify(on.work)}
    envMap: { SOME_TOKEN: "{{credential}}" }
`);
  const agent = await on.connect({ era: "modern" });
  const code = { on, github, server, agent };
  opened.push(code);
  return code;
}

test(
  "git clones with tokens of seconds, and the API is called with them, from one process",
  limit,
  async () => {
    const { on, github, server, agent } = await openCode();
    github.lifeSeconds = 2;
    for (let round = 0; round < 3; round++) {
      outOf(await exec(agent, "code", ["git", "clone", `${server.origin}/repo.git`, `clone${round}`]));
      assert.equal(readFileSync(join(on.work, `clone${round}`, "file"), "utf8"), "content\n");
      const told = await agent.execute("api", "/repos/o/r");
      assert.equal(verdict(told), "200", told.text);
      await pause(1_600);
    }
    assert.ok(github.issued.length >= 3, `${github.issued.length}`);
    assert.deepEqual(github.refused, []);
    // The twin: a token that has ended is none to the server, whoever shows it.
    const dead = github.issued[0]?.token ?? "";
    await until(5_000, "its end", () => !github.isLive(dead));
    const forms = github.issued.flatMap(({ token }) => [
      token,
      Buffer.from(`x-access-token:${token}`).toString("base64"),
    ]);
    await on.home.do(["logs", "verify"]);
    assert.deepEqual(findIn([on.home.path, on.home.state, on.work], [...forms, bodyOf(github.pem)]), []);
    for (const secret of forms) assert.ok(!`${agent.heard}${on.home.printed}`.includes(secret));
    assert.ok(readdirSync(on.work).length >= 3);
  },
);

test("a revocation ends the token that git was given, too", limit, async () => {
  const { on, github, server, agent } = await openCode();
  outOf(await exec(agent, "code", ["git", "ls-remote", `${server.origin}/repo.git`]));
  const held = github.issued[0];
  assert.ok(held && github.isLive(held.token));
  await on.home.do(["revoke", "--capability", "code"]);
  await until(5_000, "the token's end", () => held.withdrawn);
  // A person is asked from now on, and says yes: then there is another token.
  const asked = agent.asked.length;
  outOf(await exec(agent, "code", ["git", "ls-remote", `${server.origin}/repo.git`]));
  assert.equal(agent.asked.length, asked + 1);
  assert.equal(github.issued.length, 2);
});
