// Real clients, unmodified, behind `janee run`: nothing is said to them but what is in their environment. The table of the
// README is what this has seen.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { type ApiServer, startApi } from "../support/api-server.ts";
import { makeCertificate } from "../support/certificates.ts";
import { type GitServer, startGitServer } from "../support/git-server.ts";
import { canary, Home, root } from "../support/janee.ts";

const limit = { timeout: 120_000 };
const bun = join(root, ".tools/node_modules/bun/bin/bun.exe");
const deno = join(root, ".tools/node_modules/deno/deno");
const scripts = join(root, "test/support/clients");

class Stage {
  readonly home = new Home();
  api!: ApiServer;
  git!: GitServer;

  static async open(): Promise<Stage> {
    const on = new Stage();
    const { home } = on;
    try {
      const certificate = makeCertificate(home.beside, "upstream", ["DNS:localhost"]);
      on.api = await startApi(certificate, canary);
      on.git = await startGitServer(join(home.beside, "git"), certificate, canary);
      await home.do(["init"]);
      const at = `baseUrl: "https://localhost:${on.api.port}", caFile: "${certificate.file}"`;
      home.writeConfig(`
services:
  openai: { ${at}, auth: { type: bearer, key: "${canary}" } }
  anthropic: { ${at}, auth: { type: headers, header: x-api-key, key: "${canary}" } }
  stripe: { ${at}, auth: { type: bearer, key: "${canary}" } }
  code: { baseUrl: "${on.git.origin}", caFile: "${certificate.file}", auth: { type: basic, username: x-access-token, password: "${canary}" } }
capabilities:
  openai: { service: openai, autoApprove: true }
  anthropic: { service: anthropic, autoApprove: true }
  stripe: { service: stripe, autoApprove: true }
  code: { service: code, autoApprove: true }
`);
      return on;
    } catch (error) {
      await on.close();
      throw error;
    }
  }

  get url(): string {
    return `https://localhost:${this.api.port}/v1/said`;
  }

  /** A command behind the proxy, which must succeed without the key in anything that it shows. */
  async run(capability: string, words: readonly string[], cwd = this.home.beside): Promise<string> {
    const env = { STRIPE_AT: this.url, GIT_CONFIG_NOSYSTEM: "1" };
    const ran = await this.home.run(["run", "--capability", capability, "--", ...words], { env, cwd });
    assert.equal(ran.status, 0, `${words.join(" ")}: ${ran.stderr}${ran.stdout}`);
    assert.ok(!`${ran.stdout}${ran.stderr}`.includes(canary));
    return ran.stdout.trim();
  }

  async close(): Promise<void> {
    await this.home.dispose();
    await this.api?.stop();
    await this.git?.stop();
  }
}

let opened: Promise<Stage> | undefined;
function stage(): Promise<Stage> {
  opened ??= Stage.open();
  return opened;
}
after(async () => (await opened?.catch(() => undefined))?.close());

interface Real {
  /** As the README names it. */
  readonly client: string;
  readonly what: string;
  readonly program: string;
  readonly use: (on: Stage) => Promise<void>;
}

async function says(
  on: Stage,
  capability: string,
  words: readonly string[],
  expected: string,
): Promise<void> {
  const before = on.api.asked.length;
  assert.equal(await on.run(capability, words), expected);
  const asked = on.api.asked.slice(before);
  assert.ok(asked.length > 0 && asked.every(({ authorized }) => authorized), JSON.stringify(asked));
}

function sdk(name: string, runtime: readonly string[]): (on: Stage) => Promise<void> {
  return (on) => says(on, name, [...runtime, join(scripts, "sdks.mjs"), name], "hello hello");
}

const fetches =
  (...runtime: string[]) =>
  (on: Stage) =>
    says(on, "openai", [...runtime, join(scripts, "fetch.mjs"), on.url], "hello hello");

const denoRun = [deno, "run", "-A", "--quiet"];

const clients: readonly Real[] = [
  {
    client: "curl",
    what: "`curl https://…`",
    program: "curl",
    use: (on) => says(on, "openai", ["curl", "-sS", on.url], '{"said":"hello"}'),
  },
  {
    client: "wget",
    what: "`wget https://…`",
    program: "wget",
    use: (on) => says(on, "openai", ["wget", "-qO-", on.url], '{"said":"hello"}'),
  },
  { client: "git", what: "clone, commit, push", program: "git", use: gitRoundTrip },
  { client: "Node", what: "`fetch`, `node:https`", program: "node", use: fetches("node") },
  { client: "Bun", what: "`fetch`, `node:https`", program: bun, use: fetches(bun) },
  { client: "Deno", what: "`fetch`, `node:https`", program: deno, use: fetches(...denoRun) },
  {
    client: "Python",
    what: "`urllib`, `requests`",
    program: "python3",
    use: (on) => says(on, "openai", ["python3", join(scripts, "client.py"), on.url], "hello hello"),
  },
  {
    client: "openai (npm)",
    what: "a call and a stream, on Node, Bun and Deno",
    program: "node",
    use: sdks("openai"),
  },
  {
    client: "@anthropic-ai/sdk (npm)",
    what: "a call and a stream, on Node, Bun and Deno",
    program: "node",
    use: sdks("anthropic"),
  },
  { client: "stripe (npm)", what: "a call, on Node, Bun and Deno", program: "node", use: sdks("stripe") },
];

function sdks(name: string): (on: Stage) => Promise<void> {
  return async (on) => {
    for (const runtime of [["node"], [bun], denoRun]) await sdk(name, runtime)(on);
  };
}

async function gitRoundTrip(on: Stage): Promise<void> {
  const folder = join(on.home.beside, "clones");
  mkdirSync(folder, { recursive: true });
  await on.run("code", ["git", "clone", "-q", `${on.git.origin}/repo.git`, "work"], folder);
  const work = join(folder, "work");
  const who = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
  execFileSync("git", [...who, "commit", "-q", "--allow-empty", "-m", "from behind the proxy"], {
    cwd: work,
  });
  await on.run("code", ["git", "push", "-q", "origin", "main"], work);
  assert.match(on.git.git("log", "--format=%s", "main"), /from behind the proxy/);
  const helper = readFileSync(join(work, ".git/config"), "utf8");
  assert.ok(!helper.includes(canary));
}

for (const { client, program, use } of clients) {
  const there = spawnSync(program, ["--version"], { stdio: "ignore" }).status === 0;
  // No test is skipped: a program that is not installed is one fewer test.
  if (there) test(`${client}, unmodified, behind janee run`, limit, async () => use(await stage()));
}

test("the README's table names these clients, and no other", limit, () => {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const rows = [...readme.matchAll(/^\| ([^|]+?) +\| ([^|]+?) +\| seen \|$/gm)].map(([, client, what]) => [
    client,
    what,
  ]);
  assert.deepEqual(
    rows,
    clients.map(({ client, what }) => [client, what]),
  );
});

test("the key is in nothing that these runs have left", limit, async () => {
  const on = await stage();
  assert.ok(!on.home.auditText().includes(canary));
  assert.ok(on.api.asked.length > 0);
});
