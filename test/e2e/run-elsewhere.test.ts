// `janee run --config`, as on a CI runner: no home, a config without secrets, variables bound to their origins.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { asyncRun } from "../support/async-run.ts";
import { makeCertificate } from "../support/certificates.ts";
import { canary, inHome, installedCommand, type Ran } from "../support/janee.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";
import { until, within } from "../support/wait.ts";

const limit = { timeout: 90_000 };

class Runner {
  readonly folder = mkdtempSync(join(tmpdir(), "janee-ci-"));
  readonly temp = join(this.folder, "temp");
  readonly summary = join(this.folder, "summary.md");
  readonly caFile: string;
  readonly upstream: Upstream;
  readonly policy = join(this.folder, "policy.yaml");

  constructor(upstream: Upstream, caFile: string) {
    this.upstream = upstream;
    this.caFile = caFile;
    mkdirSync(this.temp);
  }

  static async open(): Promise<Runner> {
    const beside = mkdtempSync(join(tmpdir(), "janee-ci-tls-"));
    const certificate = makeCertificate(beside, "upstream", ["DNS:localhost"]);
    const runner = new Runner(await startUpstream({ tls: certificate }), certificate.file);
    runner.upstream.answer = (seen, exchange) =>
      exchange.send(200, {}, seen.target === "/v1/echo" ? `key: ${seen.values("authorization")[0]}` : "ok");
    return runner;
  }

  get origin(): string {
    return `https://localhost:${this.upstream.port}`;
  }

  get bind(): string {
    return `API_KEY=${this.origin}`;
  }

  write(service: string, more = "", rules = '[ { allow: "GET /v1/*" } ]'): void {
    writeFileSync(
      this.policy,
      `services:\n  api: { baseUrl: "${this.origin}", ${service} }\ncapabilities:\n  api: { service: api, autoApprove: true, rules: ${rules} }\n${more}`,
    );
  }

  environment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    const kept = { PATH: process.env.PATH ?? "", HOME: this.folder, DENO_DIR: process.env.DENO_DIR };
    const own = Object.entries(kept).filter((pair): pair is [string, string] => pair[1] !== undefined);
    return { ...Object.fromEntries(own), NO_COLOR: "1", RUNNER_TEMP: this.temp, API_KEY: canary, ...more };
  }

  /** A step of a job: a shell, in which janee prints where the shell does. */
  step(
    flags: readonly string[],
    script: string,
    env: Readonly<Record<string, string>> = {},
    behind = "",
    as: readonly string[] = [],
  ): Promise<Ran> {
    this.upstream.seen.length = 0;
    const all = [
      "run",
      "--config",
      this.policy,
      "--ca-file",
      this.caFile,
      ...flags,
      "--",
      "sh",
      "-c",
      script,
    ];
    const line = [...installedCommand(), ...all]
      .map((word) => `'${word.replaceAll("'", "'\\''")}'`)
      .join(" ");
    const file = join(this.folder, "step.sh");
    writeFileSync(file, `${line} ${behind}\nexit $?\n`);
    const [program = "sh", ...args] = [...as, "sh", file];
    return asyncRun(program, args, this.environment(env));
  }

  /** Starts a step as the runner does, with a pipe of its own for what the step prints. */
  asRunner(): readonly string[] {
    const program = join(this.folder, "Runner.Worker");
    if (!existsSync(program)) copyFileSync(realpathSync("/bin/sh"), program);
    chmodSync(program, 0o755);
    return [program, "-c", '"$@" | cat', "step"];
  }

  /** What janee has left of all its runs. */
  left(): string[] {
    return readdirSync(this.temp, { recursive: true, encoding: "utf8" }).filter((name) =>
      /runs.+/.test(name),
    );
  }

  async close(): Promise<void> {
    await this.upstream.stop();
    for (const folder of [this.folder, dirname(this.caFile)])
      rmSync(folder, { recursive: true, force: true });
  }
}

let opened: Promise<Runner> | undefined;
function runner(): Promise<Runner> {
  opened ??= Runner.open();
  return opened;
}
after(async () => (await opened?.catch(() => undefined))?.close());

const reference = "auth: { type: bearer, key: env:API_KEY }";

test(
  "a policy of the repository and a bound variable are enough, and nothing is left behind",
  limit,
  async () => {
    const on = await runner();
    on.write(reference);
    const ran = await on.step(
      ["--bind", on.bind],
      `curl -sS -H "Authorization: Bearer $API_API_KEY" ${on.origin}/v1/x; exit 5`,
    );
    assert.equal(ran.status, 5, ran.stderr);
    assert.equal(ran.stdout, "ok");
    assert.deepEqual(on.upstream.seen[0]?.values("authorization"), [`Bearer ${canary}`]);
    assert.deepEqual(on.left(), []);
  },
);

test("every other kind of credential is refused, and its twin passes", limit, async () => {
  const on = await runner();
  const cases: readonly (readonly [auth: string, said: RegExp])[] = [
    [
      "auth: { type: bearer, key: 'cmd:echo x' }",
      /services\.api\.auth\.key: a config from elsewhere takes a variable/,
    ],
    ["auth: { type: bearer, key: file:/etc/hostname }", /takes a variable and nothing else/],
    [`auth: { type: bearer, key: "${canary}" }`, /takes a variable and nothing else/],
    ["auth: { type: bearer, key: 'sealed:v1:aaaa:bbbb:cccc' }", /takes a variable and nothing else/],
    [`${reference}, caFile: "${on.caFile}"`, /cannot say whom to trust/],
  ];
  for (const [auth, said] of cases) {
    on.write(auth);
    const ran = await on.step(["--bind", on.bind], "echo started");
    assert.equal(ran.status, 125, auth);
    assert.match(ran.stderr, said);
    assert.ok(!ran.stderr.includes(canary) && !ran.stdout.includes("started"));
  }
  on.write(reference, `network: { caFile: "${on.caFile}" }\n`);
  assert.match(
    (await on.step(["--bind", on.bind], "echo started")).stderr,
    /network\.caFile: .*whom to trust/,
  );
  on.write(reference);
  assert.equal((await on.step(["--bind", on.bind], "echo started")).stdout, "started\n");
});

test("a variable goes where it is bound, and to no other place", limit, async () => {
  const on = await runner();
  on.write(reference);
  const unbound = await on.step([], "echo started");
  assert.equal(unbound.status, 125);
  assert.match(unbound.stderr, /API_KEY would go to https:\/\/localhost:\d+, and is bound to nothing/);
  assert.match(unbound.stderr, /add: --bind API_KEY=https:\/\/localhost:\d+/);
  for (const other of [
    "https://localhost",
    `http://localhost:${on.upstream.port}`,
    `https://127.0.0.1:${on.upstream.port}`,
  ]) {
    const ran = await on.step(["--bind", `API_KEY=${other}`], "echo started");
    assert.equal(ran.status, 125, other);
    assert.match(ran.stderr, /and is bound to/);
  }
  for (const wrong of ["API_KEY", "=https://x", `API_KEY=${on.origin}/v1`, "API_KEY=https://a@b"]) {
    assert.equal((await on.step(["--bind", wrong], "echo started")).status, 2, wrong);
  }
  const several = ["--bind", "API_KEY=https://api.example", "--bind", `API_KEY=${on.origin}/`];
  assert.equal((await on.step(several, "echo started")).stdout, "started\n");
  const spare = await on.step(["--bind", on.bind, "--bind", "SPARE=https://api.example"], "true");
  assert.match(spare.stderr, /SPARE: nothing in .* refers to it/);
});

test("a command can change neither the policy nor read the key, wherever it looks", limit, async () => {
  const on = await runner();
  on.write(reference);
  const script = `
    runs=$(dirname $(dirname $SSL_CERT_FILE)); home=$(dirname $runs)
    printf 'services: {}\\ncapabilities: {}\\n' > ${on.policy}
    printf 'services:\\n  api: { baseUrl: "https://evil.example", auth: { type: bearer, key: env:API_KEY } }\\n' > $home/config.yaml
    env; cat $home/* $home/ca/* $home/runs/*/* 2>/dev/null
    curl -sS ${on.origin}/v1/x; curl -sS ${on.origin}/v1/echo; curl -sS -X DELETE ${on.origin}/v1/x`;
  const ran = await on.step(["--bind", on.bind], script, { HIDDEN: `postgres://u:${canary}@db` });
  assert.match(ran.stdout, /ok/);
  assert.match(ran.stdout, /key: Bearer \[janee:redacted\]/);
  assert.match(ran.stdout, /rule_denied|no rule/);
  assert.match(ran.stderr, /kept from the command: API_KEY, HIDDEN/);
  assert.ok(!`${ran.stdout}${ran.stderr}`.includes(canary));
  assert.doesNotMatch(ran.stdout, /PRIVATE KEY/);
});

// The shell that started janee has what it was given: only janee's own environment is janee's to close.
test("janee's own environment is closed to its command, that of another process is not", limit, async () => {
  const on = await runner();
  on.write(reference);
  if (process.platform !== "linux") return;
  // Root reads everything: the step is somebody else's then.
  const asRoot = process.getuid?.() === 0;
  const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
  chmodSync(on.folder, 0o777);
  chmodSync(join(on.caFile, ".."), 0o755);
  const script = `
    cat /proc/$PPID/environ; echo janee $?
    sleep 9 & cat /proc/$!/environ >/dev/null; echo other $?; kill $!`;
  const env = asRoot ? { RUNNER_TEMP: on.folder, DENO_DIR: join(on.folder, "deno") } : {};
  const ran = await on.step(["--bind", on.bind], script, env, "", asRoot ? nobody : []);
  assert.equal(ran.stdout, "janee 1\nother 0\n", ran.stderr);
});

test("a capability that wants a person is refused without a terminal", limit, async () => {
  const on = await runner();
  on.write(reference, "  asks: { service: api }\n");
  const ran = await on.step(["--bind", on.bind, "--capability", "asks"], "echo started");
  assert.equal(ran.status, 125);
  assert.match(ran.stderr, /wants a person's yes/);
});

test("what a killed run has left is swept by the next one", limit, async () => {
  const on = await runner();
  on.write(reference);
  const [file = "", ...before] = installedCommand();
  const args = [
    "run",
    "--config",
    on.policy,
    "--bind",
    on.bind,
    "--",
    "sh",
    "-c",
    "echo ready; exec sleep 20",
  ];
  const child = spawn(file, [...before, ...args], {
    env: on.environment(),
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  child.stdout.on("data", (bytes: Buffer) => {
    out += bytes.toString();
  });
  const ended = new Promise((done) => child.once("exit", done));
  await until(20_000, "the command", () => out.includes("ready"));
  const left = on.left();
  assert.ok(left.length > 0);
  process.kill(child.pid ?? 0, "SIGKILL");
  child.stdout.destroy();
  await within(20_000, ended, "an end");
  const runs = join(on.temp, `janee-${process.getuid?.()}`, "runs");
  for (const name of on.left()) {
    const path = join(on.temp, name);
    try {
      assert.doesNotMatch(
        readFileSync(path, "latin1"),
        new RegExp(`${canary}|PRIVATE KEY|jns_[0-9A-Za-z]{43}`),
      );
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EISDIR") throw error;
    }
  }
  for (const id of readdirSync(runs)) utimesSync(join(runs, id), 1, 1);
  await on.step(["--bind", on.bind], "true");
  assert.deepEqual(on.left(), []);
});

test("the summary is a table in which nothing that an agent wrote is Markdown or HTML", limit, async () => {
  const on = await runner();
  on.write(reference);
  writeFileSync(on.summary, "before\n");
  const script = `
    curl -sS ${on.origin}/v1/x; curl -sS ${on.origin}/v1/x; curl -sS ${on.origin}/v1/echo
    curl -sS -X POST '${on.origin}/v1/a%7C%3Cscript%3E**b**'
    curl -sS -X POST "${on.origin}/v1/x@you#$(printf %0300d 0)"; curl -sS -X POST ${on.origin}/v1/'(x)[y]_z_|<b>'
    curl -sS https://elsewhere.example/ 2>/dev/null; true`;
  const ran = await on.step(["--bind", on.bind, "--summary", on.summary], script);
  assert.equal(ran.status, 0, ran.stderr);
  const text = readFileSync(on.summary, "utf8");
  assert.match(text, /^before\n### janee\n\n3 allowed, \d denied, 0 failed, 1 redacted, 0 alarms\n/);
  assert.match(
    text,
    /^\| <code>allowed<\/code> \| <code>api<\/code> \| <code>GET<\/code> \| <code>\/v1\/x<\/code> \| <code>200<\/code> \| 2 \| 0 \|$/m,
  );
  assert.match(text, /<code>\/v1\/echo<\/code> \| <code>200<\/code> \| 1 \| 1 \|/);
  assert.match(text, /<code>denied<\/code> .*<code>rule&#95;denied<\/code>/);
  assert.match(text, /elsewhere/);
  const rows = text.split("\n").filter((line) => line.startsWith("|"));
  for (const row of rows.slice(2)) {
    assert.equal(row.split("|").length, 9, row);
    assert.doesNotMatch(row.replaceAll(/<\/?code>/g, ""), /[<>*_[\]@`]/);
    assert.ok(row.length < 2000);
  }
  assert.ok(!text.includes(canary));
});

test("--fail-on-deny: 4 where something was denied and the command itself ended well", limit, async () => {
  const on = await runner();
  on.write(reference);
  const flags = ["--bind", on.bind, "--fail-on-deny", "--summary", on.summary];
  const refused = `curl -sS -X DELETE ${on.origin}/v1/x >/dev/null`;
  const ran = await on.step(flags, refused);
  assert.equal(ran.status, 4);
  assert.match(ran.stderr, /--fail-on-deny/);
  assert.equal((await on.step(flags, `${refused}; exit 9`)).status, 9);
  assert.equal((await on.step(flags, `curl -sS ${on.origin}/v1/x`)).status, 0);
  assert.equal((await on.step(flags.slice(0, 2), refused)).status, 0);
});

test(
  "in Actions the runner is told what to mask, in each form, before the command starts",
  limit,
  async () => {
    const on = await runner();
    on.write(reference);
    const odd = `${canary}/ü"%+x y`.slice(-30);
    const actions = { GITHUB_ACTIONS: "true", API_KEY: odd };
    const ran = await on.step(["--bind", on.bind], "echo started; env", actions, "", on.asRunner());
    const lines = ran.stdout.split("\n");
    const masks = lines.slice(0, lines.indexOf("started"));
    assert.ok(masks.length > 10 && masks.every((line) => line.startsWith("::add-mask::")), ran.stdout);
    const values = masks.map((line) =>
      line
        .slice("::add-mask::".length)
        .replaceAll("%0A", "\n")
        .replaceAll("%0D", "\r")
        .replaceAll("%25", "%"),
    );
    const hidden = (text: string) => values.reduce((rest, value) => rest.replaceAll(value, "***"), text);
    const printed = [
      ...[odd, encodeURIComponent(odd), JSON.stringify(odd), Buffer.from(odd).toString("hex")],
      ...[odd, `x${odd}`, `xy${odd}`].map((text) => Buffer.from(text).toString("base64")),
      ...[odd, `x${odd}`, `xy${odd}`].map((text) => Buffer.from(text).toString("base64url")),
    ];
    for (const text of printed) assert.match(hidden(text), /^.{0,4}\*\*\*.{0,4}$/, text);
    const token = /janee:(jns_\w{43})@/.exec(ran.stdout)?.[1] ?? "";
    assert.ok(values.includes(token) && token !== "");
    assert.ok(
      !(await on.step(["--bind", on.bind], "true")).stdout.includes("::add-mask::"),
      "not in Actions",
    );
  },
);

test("masks never go into a file or another program, where they would be the leak", limit, async () => {
  if (process.platform !== "linux") return;
  const on = await runner();
  on.write(reference);
  const log = join(on.folder, "log.txt");
  const actions = { GITHUB_ACTIONS: "true" };
  const step = (behind: string, as: readonly string[]): Promise<Ran> =>
    on.step(["--bind", on.bind], "echo started", actions, behind, as);
  for (const behind of [`> '${log}'`, `| tee '${log}'`]) {
    const ran = await step(behind, on.asRunner());
    assert.equal(readFileSync(log, "utf8"), "started\n");
    assert.match(ran.stderr, /no values are masked/);
  }
  // One program more in between, which prints where janee does; and a shell that reads what it has started.
  const inner = [
    `sh "$1" | tee '${log}'`,
    `sh -c 'sh "$0"; :' "$1" | tee '${log}'`,
    `x=$(sh "$1"; :); echo "$x"`,
  ];
  for (const line of inner) {
    const ran = await step("", [...on.asRunner(), "sh", "-c", line.replaceAll('"$1"', '"$2"'), "x"]);
    assert.doesNotMatch(ran.stdout, /add-mask/, line);
    assert.match(ran.stderr, /no values are masked/, line);
  }
  const through = await step("", [...on.asRunner(), "sh", "-c", '"$@"; exit $?', "x"]);
  assert.match(through.stdout, /^::add-mask::[\s\S]*started$/m, through.stderr);
  assert.doesNotMatch((await step("", [])).stdout, /add-mask/, "whoever reads it is no runner");
});

test("what janee quotes is no command to the runner", limit, async () => {
  const on = await runner();
  on.write(reference);
  for (const [actions, said] of [
    ["true", "## [stop-commands]word"],
    ["", "##[stop-commands]word"],
  ] as const) {
    const flags = ["--bind", on.bind, "--summary", "/not/there/##[stop-commands]word\n::stop-commands::word"];
    const ran = await on.step(flags, "true", { GITHUB_ACTIONS: actions });
    assert.equal(ran.status, 2);
    assert.ok(ran.stderr.includes(said), ran.stderr);
    assert.doesNotMatch(ran.stderr, /^\s*::/m);
  }
});

test("a key for the run may be given, and has to be one", limit, async () => {
  const on = await runner();
  on.write(reference);
  const wrong = await on.step(["--bind", on.bind], "echo started", { JANEE_KEY: "no key" });
  assert.equal(wrong.status, 125);
  assert.match(wrong.stderr, /JANEE_KEY is not 32 bytes/);
  const right = { JANEE_KEY: Buffer.alloc(32, 7).toString("base64"), JANEE_KEY_FILE: "/not/there" };
  assert.equal((await on.step(["--bind", on.bind], "echo started", right)).stdout, "started\n");
});

test("a home has summary and --fail-on-deny too, of this run alone", limit, async () => {
  await inHome(async (home) => {
    await home.do(["init"]);
    home.writeConfig(`
services:
  plain: { baseUrl: "http://127.0.0.1:1", auth: { type: bearer, key: "${canary}" } }
capabilities:
  plain: { service: plain, autoApprove: true, rules: [] }
`);
    const file = join(home.beside, "summary.md");
    const run = (path: string) =>
      home.run([
        "run",
        "--summary",
        file,
        "--fail-on-deny",
        "--",
        "curl",
        "-sS",
        `http://127.0.0.1:1/${path}`,
      ]);
    assert.equal((await run("first")).status, 4);
    writeFileSync(file, "");
    assert.equal((await run("second")).status, 4);
    assert.match(readFileSync(file, "utf8"), /0 allowed, 1 denied[\s\S]*\/second/);
    assert.ok(!readFileSync(file, "utf8").includes("first"));
    assert.equal((await home.run(["run", "--bind", "X=https://a.example", "--", "true"])).status, 2);
    assert.equal((await home.run(["run", "--summary", "/not/there/x", "--", "true"])).status, 2);
  });
});
