// `janee run` from outside: what its command gets, what it does not get, and how both end.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { makeCertificate } from "../support/certificates.ts";
import { canary, Home, installedCommand, janeeCommand, type Ran } from "../support/janee.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";
import { until, within } from "../support/wait.ts";

const limit = { timeout: 90_000 };
const auth = `auth: { type: bearer, key: "${canary}" }`;
const other = "sk_live_JANEE_OTHER_CANARY_0123456789";
const unattended = { JANEE_UNATTENDED: "1" };

class Stage {
  readonly home = new Home();
  upstream!: Upstream;
  plain!: Upstream;

  static async open(): Promise<Stage> {
    const on = new Stage();
    const { home } = on;
    try {
      const certificate = makeCertificate(home.beside, "upstream", ["DNS:localhost"]);
      on.upstream = await startUpstream({ tls: certificate });
      on.plain = await startUpstream();
      await home.do(["init"]);
      const at = `https://localhost:${on.upstream.port}`;
      const tls = `baseUrl: "${at}", caFile: "${certificate.file}"`;
      home.writeConfig(`
services:
  openai: { ${tls}, ${auth} }
  keyed: { baseUrl: "http://127.0.0.1:${on.plain.port}", auth: { type: query, params: { api_key: "${other}" } }, placeholders: [header, path, body] }
  github: { baseUrl: https://api.github.com, auth: { type: bearer, key: "${other}" } }
  slow: { baseUrl: "${at}/slow", caFile: "${certificate.file}", ${auth} }
capabilities:
  ai: { service: openai, autoApprove: true, rules: [ { allow: "* /v1/*" }, { deny: "*" } ], envMap: { MY_KEY: "key={{credential}}" } }
  ai-closed: { service: openai, autoApprove: true, rules: [] }
  keyed: { service: keyed, autoApprove: true }
  gh: { service: github, autoApprove: true }
  asks: { service: slow }
  brief: { service: slow, autoApprove: true, ttl: 1s }
`);
      return on;
    } catch (error) {
      await on.close();
      throw error;
    }
  }

  /** A shell script behind `janee run`. */
  run(flags: readonly string[], script: string, env: Readonly<Record<string, string>> = {}): Promise<Ran> {
    this.upstream.seen.length = 0;
    this.plain.seen.length = 0;
    return this.home.run(["run", ...flags, "--", "sh", "-c", script], { env });
  }

  get url(): string {
    return `https://localhost:${this.upstream.port}`;
  }

  async close(): Promise<void> {
    await this.home.dispose();
    await this.upstream?.stop();
    await this.plain?.stop();
  }
}

let opened: Promise<Stage> | undefined;
function stage(): Promise<Stage> {
  opened ??= Stage.open();
  return opened;
}
after(async () => (await opened?.catch(() => undefined))?.close());

test("a command reaches its service with a placeholder, and the real key goes out", limit, async () => {
  const on = await stage();
  const ran = await on.run(
    ["--capability", "ai"],
    `curl -sS -H "Authorization: Bearer $OPENAI_API_KEY" ${on.url}/v1/x; exit 7`,
  );
  assert.equal(ran.status, 7, ran.stderr);
  assert.equal(ran.stdout, "ok");
  assert.match(ran.stderr, /janee: 1 allowed, 0 denied, 0 redacted/);
  assert.deepEqual(on.upstream.seen[0]?.values("authorization"), [`Bearer ${canary}`]);
});

test(
  "its environment has placeholders in the vendor's shape, and no real key under any name",
  limit,
  async () => {
    const on = await stage();
    const parent = {
      OPENAI_API_KEY: canary,
      GH_TOKEN: "ghp_of_somebody_else",
      HIDDEN: `postgres://x:${canary}@db`,
      EXACT: other,
      BASIC: Buffer.from(`someone:${canary}`).toString("base64"),
      BASIC_OF_OTHERS: Buffer.from("someone:not-a-key-of-janee").toString("base64"),
      KEPT: "as it was",
      BUN_OPTIONS: "--smol",
      BUN_BE_BUN: "0",
      JANEE_UNATTENDED: "1",
      NO_PROXY: "intern.example,*",
      NODE_OPTIONS: "--no-warnings",
    };
    const ran = await on.run(["--capability", "ai,keyed"], "env", parent);
    assert.equal(ran.status, 0, ran.stderr);
    const child = new Map(
      ran.stdout
        .split("\n")
        .map((line): [string, string] => [line.split("=")[0] ?? "", line.slice(line.indexOf("=") + 1)]),
    );
    assert.match(child.get("OPENAI_API_KEY") ?? "", /^sk-proj-[0-9A-Za-z]{156}$/);
    assert.equal(child.get("MY_KEY"), `key=${child.get("OPENAI_API_KEY")}`);
    assert.match(child.get("KEYED_API_KEY") ?? "", /^[0-9A-Za-z]{32}$/);
    assert.equal(child.get("OPENAI_BASE_URL"), `${on.url}/v1`);
    assert.equal(child.get("KEPT"), "as it was");
    assert.equal(child.get("BASIC_OF_OTHERS"), parent.BASIC_OF_OTHERS);
    for (const name of [
      "BASIC",
      "GH_TOKEN",
      "HIDDEN",
      "EXACT",
      "BUN_OPTIONS",
      "BUN_BE_BUN",
      "JANEE_UNATTENDED",
      "JANEE_HOME",
    ]) {
      assert.equal(child.get(name), undefined, name);
    }
    assert.match(ran.stderr, /kept from the command: BASIC, EXACT, GH_TOKEN, HIDDEN, OPENAI_API_KEY/);
    for (const name of ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"]) {
      assert.match(child.get(name) ?? "", /^http:\/\/janee:jns_\w{43}@127\.0\.0\.1:\d+$/);
      assert.equal(child.get(name.toLowerCase()), child.get(name));
    }
    // A service on this machine has to come by, and everything does not go around.
    assert.equal(child.get("NO_PROXY"), "::1,intern.example");
    assert.match(child.get("NODE_OPTIONS") ?? "", /^--no-warnings --require /);
    for (const secret of [canary, other]) assert.ok(!`${ran.stdout}${ran.stderr}`.includes(secret));
  },
);

test("--pristine gives it nothing but what it needs to start", limit, async () => {
  const on = await stage();
  const { stdout } = await on.run(["--capability", "ai", "--pristine"], "env", { SOMETHING: "else" });
  assert.doesNotMatch(stdout, /SOMETHING/);
  assert.match(stdout, /^PATH=/m);
  assert.match(stdout, /^OPENAI_API_KEY=/m);
});

test("a placeholder elsewhere never goes out, and people hear of it", limit, async () => {
  const on = await stage();
  const script = `
    curl -sS -H "Authorization: Bearer $KEYED_API_KEY" ${on.url}/v1/wrong
    curl -sS -u "x:$KEYED_API_KEY" ${on.url}/v1/basic
    curl -sS "${on.url}/v1/query?key=$OPENAI_API_KEY"
    curl -sS -H "X-Other: $OPENAI_API_KEY" ${on.url}/v1/header`;
  const ran = await on.run(["--capability", "ai,keyed"], script);
  const codes = [...ran.stdout.matchAll(/"code":"(\w+)"/g)].map(([, code]) => code);
  assert.deepEqual(
    codes,
    ["placeholder_misplaced", "placeholder_misplaced", "placeholder_misplaced"],
    ran.stdout,
  );
  assert.deepEqual(
    on.upstream.seen.map(({ target }) => target),
    ["/v1/header"],
  );
  assert.deepEqual(on.upstream.seen[0]?.values("x-other"), [canary], "headers are declared by default");
  assert.match(ran.stderr, /ALARM: the placeholder of "keyed" was sent to "openai"/);
  assert.match(ran.stderr, /1 allowed, 3 denied, 0 redacted, 2 alarms/);
  const alarms = on.home.audit().filter(({ event }) => event === "alarm");
  assert.equal(alarms[0]?.code, "placeholder_misplaced");
  assert.match((await on.home.do(["logs"])).stdout, /alarm/);
});

test("a placeholder of an earlier run stands for nothing any more", limit, async () => {
  const on = await stage();
  const { stdout: before } = await on.run(["--capability", "ai"], "printf %s $OPENAI_API_KEY");
  const ran = await on.run(
    ["--capability", "ai"],
    `curl -sS -H "Authorization: Bearer ${before}" ${on.url}/v1/x`,
  );
  assert.match(ran.stdout, /placeholder_unknown/);
  assert.deepEqual(on.upstream.seen, []);
});

test("where a service declares it, a placeholder is replaced in the path and the body", limit, async () => {
  const on = await stage();
  const at = `http://127.0.0.1:${on.plain.port}`;
  const script = `
    curl -sS "${at}/bot$KEYED_API_KEY/send"
    curl -sS -H 'Content-Type: application/json' -d "{\\"key\\": \\"$KEYED_API_KEY\\"}" ${at}/in-body
    curl -sS "${at}/by-query?api_key=$KEYED_API_KEY&x=1"`;
  const ran = await on.run(["--capability", "keyed"], script);
  assert.equal(ran.stdout, "okokok", ran.stdout);
  const [path, body, query] = on.plain.seen;
  assert.equal(path?.target, `/bot${other}/send?api_key=${other}`);
  assert.equal(body?.body.toString(), `{"key": "${other}"}`);
  assert.equal(query?.target, `/by-query?x=1&api_key=${other}`);
  assert.ok(!on.home.auditText().includes(other));
});

test("capabilities that overlap are refused, unless their order says which one decides", limit, async () => {
  const on = await stage();
  const ask = `curl -sS ${on.url}/v1/x`;
  const refused = await on.run(["--capability", "ai,ai-closed"], ask);
  assert.equal(refused.status, 125);
  assert.match(refused.stderr, /"ai" and "ai-closed" are for the same address/);
  assert.equal((await on.run(["--capability", "ai,ai-closed", "--first-match"], ask)).stdout, "ok");
  assert.match((await on.run(["--capability", "ai-closed,ai", "--first-match"], ask)).stdout, /rule_denied/);
});

test(
  "hosts of no capability are refused by default, and nothing is run without one that exists",
  limit,
  async () => {
    const on = await stage();
    const ran = await on.run(
      ["--capability", "ai"],
      "curl -sS -o /dev/null -w '%{http_connect}' https://api.github.com/",
    );
    assert.equal(ran.stdout, "403");
    assert.equal((await on.run(["--capability", "nosuch"], "true")).status, 125);
  },
);

test("without a terminal it takes only what needs no person", limit, async () => {
  const on = await stage();
  const refused = await on.run(["--capability", "asks"], "true");
  assert.equal(refused.status, 125);
  assert.match(refused.stderr, /wants a person's yes/);
  assert.doesNotMatch(refused.stderr, /\d denied/, "of a run that did not begin there is nothing to count");
  assert.equal((await on.run(["--capability", "asks"], "exit 3", unattended)).status, 3);
  const chosen = await on.run(["--first-match"], "env");
  assert.equal(chosen.status, 0, chosen.stderr);
});

test("exit statuses are exact: a command that is missing, that cannot run, and its own", limit, async () => {
  const on = await stage();
  const status = async (...words: string[]) =>
    (await on.home.run(["run", "--capability", "ai", ...words])).status;
  assert.equal(await status("--", "no-such-command-anywhere"), 127);
  assert.equal(await status("--", on.home.beside), 126);
  assert.equal(await status("sh", "-c", "exit 42"), 42, "the -- may be left out");
  assert.equal(await status("--"), 2);
  assert.equal(await status("--bogus", "--", "true"), 2);
});

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
}

function start(
  on: Stage,
  args: readonly string[],
): { child: ChildProcess; ended: Promise<Ended>; out: () => string } {
  const [file = "", ...before] = janeeCommand();
  const child = spawn(file, [...before, "run", "--capability", "ai", "--", ...args], {
    env: on.home.environment(),
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  child.stdout?.on("data", (bytes: Buffer) => {
    out += bytes.toString();
  });
  const ended = new Promise<Ended>((done) => child.once("close", (code, signal) => done({ code, signal })));
  return { child, ended, out: () => out };
}

test(
  "signals pass through both ways, and a caught one does not end janee before its command",
  limit,
  async () => {
    const on = await stage();
    const killed = start(on, ["sh", "-c", "kill -TERM $$"]);
    assert.deepEqual(await within(20_000, killed.ended, "an end"), { code: null, signal: "SIGTERM" });
    const caught = start(on, [
      "sh",
      "-c",
      "trap 'echo caught; exit 9' TERM; echo ready; for i in $(seq 100); do sleep 0.1; done",
    ]);
    await until(20_000, "the command", () => caught.out().includes("ready"));
    process.kill(caught.child.pid ?? 0, "SIGTERM");
    assert.deepEqual(await within(20_000, caught.ended, "an end"), { code: 9, signal: null });
    assert.match(caught.out(), /caught/);
  },
);

test("its sessions end with it, also when janee is killed", limit, async () => {
  const on = await stage();
  const live = async () =>
    (await on.home.json<{ owner: string }[]>(["sessions"])).filter(({ owner }) => owner.startsWith("run:"));
  await on.run(["--capability", "ai"], "true");
  assert.deepEqual(await live(), []);
  const { child, ended, out } = start(on, ["sh", "-c", "echo ready; exec sleep 20"]);
  await until(20_000, "the command", () => out().includes("ready"));
  assert.equal((await live()).length, 1);
  process.kill(child.pid ?? 0, "SIGKILL");
  child.stdout?.destroy();
  await within(20_000, ended, "an end");
  const runs = join(on.home.path, "runs");
  for (const id of readdirSync(runs)) utimesSync(join(runs, id), 1, 1);
  await on.run(["--capability", "ai"], "true");
  assert.deepEqual(await live(), []);
  assert.deepEqual(readdirSync(runs), []);
});

test(
  "a session that expires is renewed behind the same token; one that is revoked asks a person",
  limit,
  async () => {
    const on = await stage();
    const ask = `curl -sS ${on.url}/slow/x`;
    const renewed = await on.run(["--capability", "brief"], `${ask}; sleep 1.3; ${ask}`);
    assert.equal(renewed.stdout, "okok");
    const home = Object.entries(on.home.environment()).filter(([name]) =>
      /^(?:JANEE_HOME|XDG_STATE_HOME)$/.test(name),
    );
    const revoke = `env ${home.map((pair) => pair.join("=")).join(" ")} ${installedCommand().join(" ")} revoke --capability ai >/dev/null 2>&1`;
    const revoked = await on.run(
      ["--capability", "ai"],
      `curl -sS ${on.url}/v1/x; ${revoke}; curl -sS ${on.url}/v1/x`,
    );
    assert.match(revoked.stdout, /^ok.*(?:session_revoked|approval_pending)/s, revoked.stdout);
    await on.home.grant("ai");
  },
);

test("a run inside a run is recognised", limit, async () => {
  const on = await stage();
  const inner = installedCommand().join(" ");
  const home = `JANEE_HOME=${on.home.path} XDG_STATE_HOME=${on.home.state}`;
  const ran = await on.run(["--capability", "ai"], `env ${home} ${inner} run -- true; echo $?`);
  assert.match(ran.stdout, /125/);
  assert.match(ran.stderr, /inside a janee run already/);
});

test("the private listener is for its command's token alone, and is nothing but a proxy", limit, async () => {
  const on = await stage();
  const script = `
    at=$(echo $HTTPS_PROXY | sed 's/.*@//')
    curl -sS -o /dev/null -w '%{http_connect} ' --proxy http://x:jns_${"a".repeat(43)}@$at ${on.url}/v1/x
    curl -sS -o /dev/null -w '%{http_code} ' --noproxy '*' http://$at/_janee/health
    curl -sS -o /dev/null -w '%{http_code}' --noproxy '*' http://$at/ai/v1/x`;
  const ran = await on.run(["--capability", "ai"], script);
  assert.equal(ran.stdout, "407 404 401", ran.stderr);
});

test("the canary is in no file, log or argument of a run", limit, async () => {
  const on = await stage();
  // Its own processes: other tests of this machine have the same canary in their environment.
  const script = `cat "$SSL_CERT_FILE" "$NODE_EXTRA_CA_CERTS" "$WGETRC"; for p in self $$ $PPID; do cat /proc/$p/cmdline /proc/$p/environ; done 2>/dev/null | tr '\\0' '\\n'; find "$(dirname "$WGETRC")" -type f -exec cat {} +`;
  const ran = await on.run(["--capability", "ai"], script);
  assert.ok(ran.stdout.includes("BEGIN CERTIFICATE"));
  for (const secret of [canary, other, "PRIVATE KEY"]) assert.ok(!ran.stdout.includes(secret), secret);
  for (const name of readdirSync(on.home.path, { recursive: true, encoding: "utf8" })) {
    const file = join(on.home.path, name);
    if (!existsSync(file) || !statSync(file).isFile()) continue;
    const bytes = readFileSync(file);
    for (const secret of [canary, other]) assert.ok(!bytes.includes(secret), name);
    assert.doesNotMatch(bytes.toString("latin1"), /jns_[0-9A-Za-z]{43}/, name);
  }
});
