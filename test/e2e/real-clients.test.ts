// Real clients, unmodified, behind `janee run`: they ask the vendors' own hosts, and nothing is said to them but what is in
// their environment. The network's proxy leads those hosts to servers of this test, which want the real key. The README's
// table is the record of what this has seen: JANEE_RECORD_CLIENTS=1 writes it, `bun scripts/tables.ts` puts it there.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { type SeenClient, seenClients, seenClientsFile } from "../../scripts/tables/clients.ts";
import { type ApiServer, startApi } from "../support/api-server.ts";
import { makeCertificate } from "../support/certificates.ts";
import { type GitServer, startGitServer } from "../support/git-server.ts";
import { canary, Home, root } from "../support/janee.ts";
import { startTunnelProxy, type TunnelProxy } from "../support/tunnel.ts";

const limit = { timeout: 120_000 };
const bun = join(root, ".tools/node_modules/bun/bin/bun.exe");
const deno = join(root, ".tools/node_modules/deno/deno");
const scripts = join(root, "test/support/clients");
const said = "https://api.openai.com/v1/said";
const apis = ["api.openai.com", "api.anthropic.com", "api.stripe.com", "api.github.com"];

class Stage {
  readonly home = new Home();
  api!: ApiServer;
  git!: GitServer;
  network!: TunnelProxy;

  static async open(): Promise<Stage> {
    const on = new Stage();
    const { home } = on;
    try {
      const names = [...apis, "github.com"].map((name) => `DNS:${name}`);
      const certificate = makeCertificate(home.beside, "upstream", names);
      on.api = await startApi(certificate, canary);
      on.git = await startGitServer(join(home.beside, "git"), certificate, canary);
      const served = join(home.beside, "git/served");
      mkdirSync(join(served, "o"));
      symlinkSync("../repo.git", join(served, "o/repo.git"));
      on.network = await startTunnelProxy((host) => (host === "github.com" ? on.gitPort : on.api.port));
      await home.do(["init"]);
      home.writeConfig(`
services:
  openai: { baseUrl: https://api.openai.com/v1, auth: { type: bearer, key: "${canary}" } }
  anthropic: { baseUrl: https://api.anthropic.com, auth: { type: headers, header: x-api-key, key: "${canary}" } }
  stripe: { baseUrl: https://api.stripe.com, auth: { type: bearer, key: "${canary}" } }
  github: { baseUrl: https://api.github.com, auth: { type: bearer, key: "${canary}" } }
  code: { baseUrl: https://github.com, auth: { type: basic, username: x-access-token, password: "${canary}" } }
capabilities:
  openai: { service: openai, autoApprove: true }
  anthropic: { service: anthropic, autoApprove: true }
  stripe: { service: stripe, autoApprove: true }
  github: { service: github, autoApprove: true }
  code: { service: code, autoApprove: true }
network: { proxy: "http://127.0.0.1:${on.network.port}", caFile: "${certificate.file}" }
`);
      return on;
    } catch (error) {
      await on.close();
      throw error;
    }
  }

  get gitPort(): number {
    return Number(new URL(this.git.origin).port);
  }

  /** A command behind the proxy, which must succeed without the key in anything that it shows. */
  async run(capability: string, words: readonly string[], cwd = this.home.beside): Promise<string> {
    const env = { GIT_CONFIG_NOSYSTEM: "1", GIT_TERMINAL_PROMPT: "0" };
    const ran = await this.home.run(["run", "--capability", capability, "--", ...words], { env, cwd });
    assert.equal(ran.status, 0, `${words.join(" ")}: ${ran.stderr}${ran.stdout}`);
    assert.ok(!`${ran.stdout}${ran.stderr}`.includes(canary));
    return ran.stdout.trim();
  }

  async close(): Promise<void> {
    await this.home.dispose();
    for (const server of [this.network, this.api, this.git]) await server?.stop();
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
  /** What prints its version; it is not there where this fails. */
  readonly version: readonly string[];
  readonly use: (on: Stage) => Promise<void>;
}

async function says(
  on: Stage,
  capability: string,
  words: readonly string[],
  expected: string,
  host = "api.openai.com",
): Promise<void> {
  const before = on.api.asked.length;
  assert.equal(await on.run(capability, words), expected);
  const asked = on.api.asked.slice(before);
  assert.ok(asked.length > 0, "nothing came to the service");
  for (const one of asked)
    assert.deepEqual([one.authorized, one.host], [true, host], `${words.join(" ")}: ${one.line}`);
}

const fetches =
  (expected: string, ...runtime: string[]) =>
  (on: Stage) =>
    says(on, "openai", [...runtime, join(scripts, "fetch.mjs"), said], expected);

const denoRun = [deno, "run", "-A", "--quiet"];
const runtimes = [["node"], [bun], denoRun];

/** Its package, and the host that it asks by itself. */
function sdk(client: string, name: string, capability: string, host: string, what: string): Real {
  return {
    client: `${client} (npm)`,
    what: `${what}, on Node, Bun and Deno`,
    version: [
      "node",
      "-p",
      `require(${JSON.stringify(join(root, "node_modules", client, "package.json"))}).version`,
    ],
    use: async (on) => {
      for (const runtime of runtimes)
        await says(on, capability, [...runtime, join(scripts, "sdks.mjs"), name], "hello hello", host);
    },
  };
}

const python = (library: string): readonly string[] => ["python3", join(scripts, "client.py"), library, said];

const clients: readonly Real[] = [
  {
    client: "curl",
    what: "`curl https://…`",
    version: ["curl", "--version"],
    use: (on) => says(on, "openai", ["curl", "-sS", said], '{"said":"hello"}'),
  },
  {
    client: "wget",
    what: "`wget https://…`",
    version: ["wget", "--version"],
    use: (on) => says(on, "openai", ["wget", "-qO-", said], '{"said":"hello"}'),
  },
  { client: "git", what: "clone, commit, push", version: ["git", "--version"], use: gitRoundTrip },
  {
    client: "gh",
    what: "`gh api`, `gh issue list`, `gh issue create`, `gh repo clone`",
    version: ["gh", "--version"],
    use: ghAtWork,
  },
  {
    client: "Node",
    what: "`fetch`, `node:https`, an agent of its own",
    version: ["node", "--version"],
    use: fetches("hello hello hello", "node"),
  },
  {
    client: "Bun",
    what: "`fetch`, `node:https`",
    version: [bun, "--version"],
    use: fetches("hello hello", bun),
  },
  {
    client: "Deno",
    what: "`fetch`, `node:https`, an agent of its own",
    version: [deno, "--version"],
    use: fetches("hello hello hello", ...denoRun),
  },
  {
    client: "Python",
    what: "`urllib`",
    version: ["python3", "--version"],
    use: (on) => says(on, "openai", python("urllib"), "hello"),
  },
  {
    client: "requests (Python)",
    what: "`requests.get`",
    version: ["python3", "-c", "import requests; print(requests.__version__)"],
    use: (on) => says(on, "openai", python("requests"), "hello"),
  },
  sdk("openai", "openai", "openai", "api.openai.com", "a call and a stream"),
  sdk("@anthropic-ai/sdk", "anthropic", "anthropic", "api.anthropic.com", "a call and a stream"),
  sdk("stripe", "stripe", "stripe", "api.stripe.com", "a call"),
  sdk("@octokit/rest", "octokit", "github", "api.github.com", "a call, pages and GraphQL"),
];

async function gitRoundTrip(on: Stage): Promise<void> {
  const folder = join(on.home.beside, "clones");
  mkdirSync(folder, { recursive: true });
  await on.run("code", ["git", "clone", "-q", "https://github.com/o/repo.git", "work"], folder);
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

async function ghAtWork(on: Stage): Promise<void> {
  const gh = (words: readonly string[], expected: string) =>
    says(on, "github", ["gh", ...words], expected, "api.github.com");
  await gh(["api", "user", "--jq", ".login"], "hello");
  await gh(["issue", "list", "-R", "o/repo", "--json", "title", "--jq", ".[0].title"], "hello");
  const create = ["issue", "create", "-R", "o/repo", "--title", "a", "--body", "b"];
  await gh(create, "https://github.com/o/repo/issues/3");
  await gh(["api", "--paginate", "repos/o/repo/issues", "--jq", ".[].title"], "hello\nhello");
  await on.run("github,code", ["gh", "repo", "clone", "o/repo", "by-gh", "--", "-q"]);
  const cloned = readFileSync(join(on.home.beside, "by-gh/.git/config"), "utf8");
  assert.match(cloned, /url = https:\/\/github\.com\/o\/repo\.git/);
}

/** undefined: it is not installed. */
function versionOf({ version: [program = "", ...args] }: Real): string | undefined {
  const { status, stdout } = spawnSync(program, args, { encoding: "utf8" });
  return status === 0 ? /\d+(?:\.\d+)+/.exec(stdout)?.[0] : undefined;
}

const seen: SeenClient[] = [];

for (const real of clients) {
  const { client, what, use } = real;
  const version = versionOf(real);
  // No test is skipped: a program that is not installed is one fewer test.
  if (version === undefined) continue;
  test(`${client}, unmodified, behind janee run`, limit, async () => {
    await use(await stage());
    seen.push({ client, version, what });
  });
}

/** Of the lock: every machine has the same one. */
const isPinned = ({ client }: Pick<SeenClient, "client">): boolean => /^Bun$|^Deno$|\(npm\)$/.test(client);

test("what was seen here is what the record says, and the record knows no other client", limit, () => {
  const record = process.env.JANEE_RECORD_CLIENTS === "1" ? rewritten() : seenClients();
  const text = ({ client, version, what }: SeenClient): string =>
    `${client} ${isPinned({ client }) ? version : ""} ${what}`;
  for (const one of seen) {
    assert.ok(
      record.some((row) => text(row) === text(one)),
      `${client(one)}: JANEE_RECORD_CLIENTS=1 writes the record`,
    );
  }
  const all = clients.map((one) => `${one.client} ${one.what}`);
  for (const row of record) assert.ok(all.includes(`${row.client} ${row.what}`), client(row));
  for (const one of clients.filter(isPinned)) {
    assert.ok(
      seen.some((row) => row.client === one.client),
      `${one.client} was not seen`,
    );
  }
});

function client({ client: name, version, what }: SeenClient): string {
  return `${name} ${version}, ${what}`;
}

/** What is not installed here keeps its row from where it was. */
function rewritten(): readonly SeenClient[] {
  const before = seenClients();
  const rows = clients.flatMap(({ client: name, what }) => {
    const known = before.find((row) => row.client === name && row.what === what);
    return seen.find((row) => row.client === name) ?? known ?? [];
  });
  writeFileSync(seenClientsFile, `${JSON.stringify(rows, undefined, 2)}\n`);
  return rows;
}

test("the key is in nothing that these runs have left", limit, async () => {
  const on = await stage();
  assert.ok(!on.home.auditText().includes(canary));
  assert.ok(on.api.asked.length > 0);
});
