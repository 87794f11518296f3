// OAuth 2.0 end to end: client credentials, refresh tokens that rotate under several processes, and a person's login.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Answer, request } from "../support/client.ts";
import { Home, janeeCommand, type Ran, type RunOptions, type Serving } from "../support/janee.ts";
import { Agent, verdict } from "../support/mcp.ts";
import { client, Issuer } from "../support/oauth.ts";
import { findIn } from "../support/secrets.ts";
import { pause, until } from "../support/wait.ts";

const limit = { timeout: 90_000 };
const secretEnv = { env: { CLIENT_SECRET: client.secret } };

interface Scene {
  readonly issuer: Issuer;
  readonly home: Home;
}

async function withScene(run: (scene: Scene) => Promise<void>): Promise<void> {
  const issuer = await Issuer.start();
  const home = new Home();
  try {
    await run({ issuer, home });
    await home.do(["logs", "verify"]);
    assert.deepEqual(findIn([home.path, home.state], issuer.secrets), []);
    for (const secret of issuer.secrets) assert.ok(!home.printed.includes(secret), "printed");
    assert.ok(!home.printed.includes("do-not-repeat"), "the issuer's words are repeated");
  } finally {
    await home.dispose();
    await issuer.stop();
  }
}

function add(
  { home, issuer }: Scene,
  name: string,
  more: readonly string[],
  options: RunOptions = secretEnv,
) {
  return home.do(
    [
      ...["add", name, "--oauth2", "--token-url", `${issuer.origin}/oauth/token`, "--client-id", client.id],
      ...["--base-url", issuer.origin, "--auto-approve", ...more],
    ],
    options,
  );
}

const withSecret = ["--client-secret-env", "CLIENT_SECRET"];

async function ask({ home }: Scene, serving: Serving, name: string, method = "GET"): Promise<Answer> {
  const { token } = await home.grant(name);
  return request(serving.port, { method, target: `/${name}/things`, token });
}

test("client credentials: basic and post, scope and audience as asked, on both faces", limit, () =>
  withScene(async (scene) => {
    const { issuer, home } = scene;
    await add(scene, "api", [
      ...withSecret,
      "--scope",
      "read,write",
      "--audience",
      "https://aud.example.com",
    ]);
    await add(scene, "reader", [...withSecret, "--scope", "read"]);
    const serving = await home.serve();
    const answer = await ask(scene, serving, "api", "POST");
    assert.equal(answer.status, 200, answer.text);
    assert.match(
      answer.text,
      /"scope":"read write","audience":"https:\/\/aud\.example\.com","echo":"Bearer \[janee:redacted\]"/,
    );
    // A token with less is another one, whoever came first.
    assert.equal((await ask(scene, serving, "reader", "POST")).status, 403);
    assert.equal((await ask(scene, serving, "reader")).status, 200);
    assert.equal(issuer.issued.length, 2);
    assert.deepEqual(issuer.asked[0], {
      grant_type: "client_credentials",
      scope: "read write",
      audience: "https://aud.example.com",
    });
    issuer.clientAuth = "post";
    await home.do(["set", "reader", "--client-auth", "post"], { env: { JANEE_UNATTENDED: "1" } });
    const agent = await Agent.stdio(home, { era: "modern" });
    const told = await agent.execute("reader", "/things");
    assert.equal(verdict(told), "200", told.text);
    for (const secret of issuer.secrets) assert.ok(!agent.heard.includes(secret));
    await agent.close();
    assert.deepEqual(issuer.refused, []);
  }),
);

test("wrong twins are refused: another secret, scope, and place of the secret", limit, () =>
  withScene(async (scene) => {
    const { home } = scene;
    await add(scene, "secret", withSecret, { env: { CLIENT_SECRET: "another-FAKE" } });
    await add(scene, "scope", [...withSecret, "--scope", "admin"]);
    await add(scene, "place", [...withSecret, "--client-auth", "post"]);
    await add(scene, "right", withSecret);
    const serving = await home.serve();
    for (const [name, code, next] of [
      ["secret", "invalid_client", /check the client's id and secret/],
      ["scope", "invalid_scope", /check scope/],
      ["place", "invalid_client", /clientAuth/],
    ] as const) {
      const answer = await ask(scene, serving, name);
      assert.equal(answer.status, 502, answer.text);
      assert.equal(answer.error.code, "credential_failed");
      assert.ok(answer.error.message?.includes(code), answer.text);
      assert.match(answer.error.next ?? "", next);
      assert.ok(!answer.text.includes("do-not-repeat"), answer.text);
    }
    assert.equal((await ask(scene, serving, "right")).status, 200);
  }),
);

test("answers that are no tokens are errors, and the next call tries again", limit, () =>
  withScene(async (scene) => {
    const { issuer, home } = scene;
    await add(scene, "api", withSecret);
    const serving = await home.serve();
    const { token } = await home.grant("api");
    const once = () => request(serving.port, { target: "/api/things", token });
    const bad: readonly (readonly [number, unknown])[] = [
      [500, "do-not-repeat <html>"],
      [503, { error: "temporarily_unavailable" }],
      [400, { error: "do-not-repeat" }],
      [200, "do-not-repeat"],
      [200, { access_token: "do-not-repeat\r\nX: y", token_type: "Bearer" }],
      [200, { access_token: "at", token_type: "mac" }],
      [200, { token_type: "Bearer" }],
      [302, "do-not-repeat"],
    ];
    for (const [status, body] of bad) {
      issuer.failures = [{ status, body }];
      const answer = await once();
      assert.equal(answer.error.code, "credential_failed", JSON.stringify(body));
      assert.ok(!answer.text.includes("do-not-repeat"), answer.text);
    }
    assert.equal((await once()).status, 200);
    assert.equal(issuer.asked.length, bad.length + 1);
  }),
);

test(
  "an answer without a lifetime is believed for a few minutes, one of seconds is renewed in time",
  limit,
  () =>
    withScene(async (scene) => {
      const { issuer, home } = scene;
      await add(scene, "api", withSecret);
      await add(scene, "short", withSecret);
      const serving = await home.serve();
      issuer.saysLife = false;
      assert.equal((await ask(scene, serving, "api")).status, 200);
      const line = home.audit().find(({ event }) => event === "credential");
      const until = Date.parse(/good until (\S+)/.exec(String(line?.message))?.[1] ?? "");
      assert.ok(until > Date.now() && until <= Date.now() + 301_000, String(line?.message));
      issuer.saysLife = true;
      issuer.lifeSeconds = 2;
      const { token } = await home.grant("short");
      for (const end = Date.now() + 4_500; Date.now() < end; ) {
        const answer = await request(serving.port, { target: "/short/things", token });
        assert.equal(answer.status, 200, answer.text);
        await pause(100);
      }
      assert.ok(issuer.issued.length >= 3);
    }),
);

test(
  "without a login the agent is told to have one made; with one it works, and so does its renewal",
  limit,
  () =>
    withScene(async (scene) => {
      const { issuer, home } = scene;
      issuer.lifeSeconds = 2;
      await add(scene, "api", [...withSecret, "--grant", "refresh_token", "--scope", "read"]);
      const serving = await home.serve();
      const none = await ask(scene, serving, "api");
      assert.equal(none.error.code, "login_required", none.text);
      assert.match(none.error.next ?? "", /ask the person to run: janee login api/);
      assert.equal(issuer.asked.length, 0);
      await home.do(["set", "api", "--refresh-token-env", "RT"], { env: { RT: issuer.newLogin() } });
      const { token } = await home.grant("api");
      for (const end = Date.now() + 5_000; Date.now() < end; ) {
        const answer = await request(serving.port, { target: "/api/things", token });
        assert.equal(answer.status, 200, answer.text);
        await pause(100);
      }
      const [login] = issuer.logins;
      assert.ok(login && login.used >= 3, `${login?.used}`);
      // What janee stored itself is no reason to fetch anew: one token for each renewal.
      assert.equal(issuer.issued.length, login.used);
      assert.deepEqual(issuer.refused, []);
      await home.do(["test", "api", "--path", "/things"]);
      const news = home.audit().filter(({ message }) => message === "policy changed");
      assert.deepEqual(news, [], "what janee renews itself is no change of policy");
    }),
);

test("a refresh token that a person gives takes effect at once", limit, () =>
  withScene(async (scene) => {
    const { issuer, home } = scene;
    await add(scene, "api", [...withSecret, "--refresh-token-env", "RT"], {
      env: { ...secretEnv.env, RT: issuer.newLogin() },
    });
    const serving = await home.serve();
    assert.equal((await ask(scene, serving, "api")).status, 200);
    assert.equal((await ask(scene, serving, "api")).status, 200);
    assert.equal(issuer.issued.length, 1);
    await home.do(["set", "api", "--refresh-token-env", "RT"], { env: { RT: issuer.newLogin() } });
    assert.equal((await ask(scene, serving, "api")).status, 200);
    assert.deepEqual(
      issuer.logins.map(({ used }) => used),
      [1, 1],
    );
  }),
);

test("a login that a person gives while the old one is renewed is not written over", limit, () =>
  withScene(async (scene) => {
    const { issuer, home } = scene;
    await add(scene, "api", [...withSecret, "--refresh-token-env", "RT"], {
      env: { ...secretEnv.env, RT: issuer.newLogin() },
    });
    const serving = await home.serve();
    const { token } = await home.grant("api");
    issuer.delay = 2_500;
    const slow = request(serving.port, { target: "/api/things", token }, 30_000);
    await pause(300);
    await home.do(["set", "api", "--refresh-token-env", "RT"], { env: { RT: issuer.newLogin() } });
    const answer = await slow;
    assert.equal(answer.error.code, "credential_failed", answer.text);
    assert.match(answer.text, /was changed while its credential was renewed/);
    issuer.delay = 0;
    assert.equal((await request(serving.port, { target: "/api/things", token })).status, 200);
    assert.deepEqual(
      issuer.logins.map(({ used }) => used),
      [1, 1],
    );
  }),
);

test("a refresh token that lies elsewhere works, and one that takes its place is sealed", limit, () =>
  withScene(async (scene) => {
    const { issuer, home } = scene;
    const file = join(home.beside, "refresh-token");
    writeFileSync(file, issuer.newLogin(), { mode: 0o600 });
    issuer.rotates = false;
    await add(scene, "api", [...withSecret, "--refresh-token", `file:${file}`], {
      env: { ...secretEnv.env, JANEE_UNATTENDED: "1" },
    });
    await home.do(["test", "api", "--path", "/things"]);
    assert.match(home.readConfig(), /refreshToken: .*file:/);
    issuer.rotates = true;
    for (let round = 0; round < 2; round++) await home.do(["test", "api", "--path", "/things"]);
    assert.match(home.readConfig(), /refreshToken: .*sealed:v1:/);
    assert.deepEqual(issuer.refused, []);
  }),
);

test("rotated keys of the vault keep a login alive", limit, () =>
  withScene(async (scene) => {
    const { issuer, home } = scene;
    issuer.lifeSeconds = 2;
    await add(scene, "api", [...withSecret, "--refresh-token-env", "RT"], {
      env: { ...secretEnv.env, RT: issuer.newLogin() },
    });
    const serving = await home.serve();
    const { token } = await home.grant("api");
    const statuses = new Set<number>();
    for (let round = 0; round < 3; round++) {
      await home.do(["rotate"]);
      for (let n = 0; n < 5; n++) {
        statuses.add((await request(serving.port, { target: "/api/things", token })).status);
        await pause(200);
      }
    }
    assert.deepEqual([...statuses], [200]);
    assert.deepEqual(issuer.refused, []);
  }),
);

test("several processes renew one login at once: each refresh token is used once", limit, () =>
  withScene(async (scene) => {
    const { issuer, home } = scene;
    issuer.lifeSeconds = 2;
    issuer.delay = 150;
    await add(scene, "api", [...withSecret, "--refresh-token-env", "RT"], {
      env: { ...secretEnv.env, RT: issuer.newLogin() },
    });
    const servings = await Promise.all([home.serve(), home.serve(), home.serve()]);
    const { token } = await home.grant("api");
    const answers: Answer[] = [];
    await Promise.all(
      servings.flatMap((serving) =>
        [0, 1, 2].map(async () => {
          for (let n = 0; n < 30; n++) {
            answers.push(await request(serving.port, { target: "/api/things", token }, 30_000));
            await pause(60);
          }
        }),
      ),
    );
    const failed = answers.filter(({ status }) => status !== 200).map(({ text }) => text);
    assert.deepEqual([...new Set(failed)], []);
    assert.deepEqual(issuer.refused, []);
    const [login] = issuer.logins;
    assert.ok(login && login.used >= 6, `${login?.used}`);
    assert.equal(login.refresh.length, login.used + 1);
    const news = home.audit().filter(({ message }) => message === "policy changed");
    assert.deepEqual(news, [], "what another janee renews is no change of policy");
  }),
);

test(
  "killed in the middle of renewals, a login goes on with what was stored, or asks for a new one",
  limit,
  () =>
    withScene(async (scene) => {
      const { issuer, home } = scene;
      issuer.lifeSeconds = 1;
      await add(scene, "api", [...withSecret, "--refresh-token-env", "RT"], {
        env: { ...secretEnv.env, RT: issuer.newLogin() },
      });
      for (let round = 0; round < 6; round++) {
        const serving = await home.serve();
        const { token } = await home.grant("api");
        const calls = (async () => {
          for (let n = 0; n < 60; n++) {
            await request(serving.port, { target: "/api/things", token }, 2_000).catch(() => {});
          }
        })();
        await pause(100 + round * 230);
        process.kill(serving.pid, "SIGKILL");
        await calls;
        await serving.stop();
        const after = await home.run(["test", "api", "--path", "/things"]);
        assert.match(`${after.status}`, /^[05]$/, after.stderr);
        if (after.status === 0) continue;
        // Lost between the answer and its being stored: the person is told, and a new login mends it.
        assert.match(after.stderr, /takes its refresh token no more.*janee login api/s);
        await home.do(["set", "api", "--refresh-token-env", "RT"], { env: { RT: issuer.newLogin() } });
      }
      await home.do(["config", "check"]);
    }),
);

test("agents do not reach the issuer's endpoints, and do reach what lies beside them", limit, () =>
  withScene(async (scene) => {
    const { issuer, home } = scene;
    await add(scene, "api", [
      ...withSecret,
      "--revoke-url",
      `${issuer.origin}/oauth/revoke`,
      "--scope",
      "write",
    ]);
    const serving = await home.serve();
    const { token } = await home.grant("api");
    const post = (path: string) =>
      request(serving.port, {
        ...{ method: "POST", target: `/api${path}`, token, body: "grant_type=client_credentials" },
        headers: { "Content-Type": "application/x-www-form-urlencoded" },
      });
    for (const path of [
      "/oauth/token",
      "/oauth/token/",
      "/OAuth/Token",
      "/oauth/token?x=1",
      "/oauth/revoke",
    ]) {
      const refused = await post(path);
      assert.equal(refused.error.code, "token_endpoint_forbidden", `${path}: ${refused.text}`);
      assert.equal(refused.status, 403);
    }
    assert.equal(issuer.asked.length, 0, "nothing was even fetched for them");
    assert.equal((await post("/oauth/tokens")).status, 200);
    await home.do(["revoke", "--capability", "api"]);
    await until(5_000, "the token's end", () => issuer.issued[0]?.withdrawn);
  }),
);

interface LoginRun {
  readonly ran: Promise<Ran>;
  said(pattern: RegExp): Promise<string>;
}

/** `janee login` beside the test, so that the test can be the person. */
function login(home: Home, args: readonly string[]): LoginRun {
  const [file = "", ...before] = janeeCommand();
  const child = spawn(file, [...before, "login", ...args], { cwd: home.beside, env: home.environment() });
  const text = { out: "", err: "" };
  child.stdout.on("data", (bytes: Buffer) => {
    text.out += bytes.toString();
  });
  child.stderr.on("data", (bytes: Buffer) => {
    text.err += bytes.toString();
  });
  child.stdin.end();
  const ran = new Promise<Ran>((done) => {
    child.on("close", (status) => {
      home.printed += text.out + text.err;
      done({ status, stdout: text.out, stderr: text.err });
    });
  });
  return {
    ran,
    said: (pattern) => until(20_000, String(pattern), () => pattern.exec(text.err)?.[0]),
  };
}

async function addLogin(scene: Scene, ...more: string[]): Promise<void> {
  const { origin } = scene.issuer;
  await add(scene, "api", [
    ...[...withSecret, "--scope", "read,offline_access", ...more],
    ...["--authorize-url", `${origin}/oauth/authorize?prompt=consent`],
  ]);
}

test(
  "login in a browser: state, PKCE and redirect address hold, and the wrong ones are not taken",
  limit,
  () =>
    withScene(async (scene) => {
      const { issuer, home } = scene;
      await addLogin(scene);
      const run = login(home, ["api", "--json"]);
      const page = new URL(await run.said(/http:\S+authorize\S+/));
      assert.equal(page.searchParams.get("prompt"), "consent");
      const redirect = page.searchParams.get("redirect_uri") ?? "";
      const state = page.searchParams.get("state") ?? "";
      for (const [url, init] of [
        [`${redirect}?code=stolen&state=other`, {}],
        [`${redirect}?code=stolen`, {}],
        [`${redirect}?error=access_denied`, {}],
        [`${redirect}?code=stolen&state=${state}&state=x`, {}],
        [`${redirect}?code=stolen&state=${state}`, { method: "POST" }],
        [redirect.replace("/callback", "/other"), {}],
      ] as const) {
        const answer = await fetch(url, init);
        await answer.text();
        assert.ok(answer.status === 400 || answer.status === 404, `${url}: ${answer.status}`);
      }
      const browser = await fetch(page);
      assert.match(await browser.text(), /you can close this page/);
      const { status, stdout, stderr } = await run.ran;
      assert.equal(status, 0, stderr);
      assert.deepEqual(JSON.parse(stdout), { service: "api", loggedIn: true });
      await assert.rejects(fetch(redirect), "it listens no more");
      const serving = await home.serve();
      assert.equal((await ask(scene, serving, "api")).status, 200);
      assert.deepEqual(issuer.refused, []);
      assert.deepEqual(
        issuer.asked.map(({ grant_type }) => grant_type),
        ["authorization_code", "refresh_token"],
      );
    }),
);

test("a person who says no, a code that is not this login's, and nobody at all", limit, () =>
  withScene(async (scene) => {
    const { issuer, home } = scene;
    await addLogin(scene);
    issuer.person = "declines";
    const declined = login(home, ["api"]);
    await (await fetch(await declined.said(/http:\S+authorize\S+/))).text();
    const no = await declined.ran;
    assert.equal(no.status, 5);
    assert.match(no.stderr, /was refused \(access_denied\)/);
    issuer.person = "agrees";
    // The code of one login does not do for another: PKCE.
    const [first, second] = [login(home, ["api"]), login(home, ["api"])];
    const [one, two] = [
      new URL(await first.said(/http:\S+authorize\S+/)),
      new URL(await second.said(/http:\S+authorize\S+/)),
    ];
    const given = await fetch(one, { redirect: "manual" });
    const code = new URL(given.headers.get("location") ?? "").searchParams.get("code");
    const back = new URL(two.searchParams.get("redirect_uri") ?? "");
    back.search = new URLSearchParams({
      code: code ?? "",
      state: two.searchParams.get("state") ?? "",
    }).toString();
    await (await fetch(back)).text();
    const mixed = await second.ran;
    assert.equal(mixed.status, 6, mixed.stderr);
    assert.match(mixed.stderr, /invalid_grant/);
    await (await fetch(one)).text();
    assert.equal((await first.ran).status, 0);
    const late = await home.run(["login", "api", "--timeout", "1s"]);
    assert.equal(late.status, 5);
    assert.match(late.stderr, /nobody logged in to "api" in time/);
  }),
);

test(
  "device flow without a terminal: the code is printed, polls keep their pace, slow_down is heeded",
  limit,
  () =>
    withScene(async (scene) => {
      const { issuer, home } = scene;
      await addLogin(scene, "--device-url", `${issuer.origin}/oauth/device`);
      issuer.slowDowns = 1;
      const run = login(home, ["api"]);
      await run.said(/open http:\S+\/activate and type the code WDJB-MJHT/);
      const { status, stderr, stdout } = await run.ran;
      assert.equal(status, 0, stderr);
      assert.match(stdout, /logged in to api/);
      assert.deepEqual(
        issuer.refused.filter((why) => !/^(?:slow_down|authorization_pending)/.test(why)),
        [],
      );
      const serving = await home.serve();
      assert.equal((await ask(scene, serving, "api")).status, 200);
      issuer.person = "declines";
      const no = await home.run(["login", "api", "--device"]);
      assert.equal(no.status, 5);
      assert.match(no.stderr, /access_denied/);
      issuer.person = "sleeps";
      const late = await home.run(["login", "api", "--device", "--timeout", "3s"]);
      assert.equal(late.status, 5);
      assert.match(late.stderr, /in time/);
      assert.equal((await ask(scene, serving, "api")).status, 200, "the earlier login stands");
    }),
);

test("a public client logs in without a secret", limit, () =>
  withScene(async (scene) => {
    const { issuer, home } = scene;
    issuer.clientAuth = "none";
    await add(scene, "api", ["--device-url", `${issuer.origin}/oauth/device`], {});
    assert.equal((await home.run(["login", "api"])).status, 0);
    const serving = await home.serve();
    assert.equal((await ask(scene, serving, "api")).status, 200);
  }),
);

test("what needs no login says so, and what lacks an address names it", limit, () =>
  withScene(async (scene) => {
    const { home } = scene;
    await add(scene, "api", withSecret);
    await home.do(["add", "plain", "--base-url", "https://plain.example.com", "--key-env", "K"], {
      env: { K: "k-FAKE" },
    });
    for (const [args, said] of [
      [["api"], /needs no login: it authenticates by client credentials/],
      [["plain"], /needs no login: it authenticates by bearer/],
      [["none"], /no service "none"/],
      [["api", "--timeout", "soon"], /needs no login/],
    ] as const) {
      const ran = await home.run(["login", ...args]);
      assert.equal(ran.status, 2, ran.stderr);
      assert.match(ran.stderr, said);
    }
    await addLogin(scene);
    assert.match((await home.run(["login", "api", "--device"])).stderr, /has no deviceUrl.*--device-url/s);
  }),
);

test("a sealed secret does not travel to an endpoint that was edited by hand", limit, () =>
  withScene(async (scene) => {
    const { issuer, home } = scene;
    await add(scene, "api", withSecret);
    const serving = await home.serve();
    home.writeConfig(home.readConfig().replace("/oauth/token", "/oauth/other"));
    const refused = await ask(scene, serving, "api");
    assert.equal(refused.error.code, "store_refused", refused.text);
    assert.equal(issuer.asked.length, 0);
    home.writeConfig(home.readConfig().replace("/oauth/other", "/oauth/token"));
    assert.equal((await ask(scene, serving, "api")).status, 200);
    // A person's own change seals it anew.
    const moved = ["set", "api", "--revoke-url", `${issuer.origin}/oauth/revoke`];
    assert.equal((await home.run(moved)).status, 4);
    await home.do(moved, { env: { JANEE_UNATTENDED: "1" } });
    assert.equal((await ask(scene, serving, "api")).status, 200);
  }),
);
