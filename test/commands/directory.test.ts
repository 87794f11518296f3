// What the commands make of the directory of services.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { test } from "node:test";
import { knownServices } from "../../src/engine/services/index.ts";
import { laterScheme } from "../../src/engine/services/later.ts";
import { fillExample } from "../../src/engine/services/shape.ts";
import { type Home, inHome, root } from "../support/janee.ts";
import { startUpstream } from "../support/upstream.ts";

const limit = { timeout: 60_000 };
const unattended = { env: { JANEE_UNATTENDED: "1" } };
const made = (example: string): string => fillExample(example, (below) => 5 % below);

async function listed(home: Home, name: string): Promise<string[]> {
  const { capabilities } = await home.json<{ capabilities: { name: string; rules: string[] }[] }>(["list"]);
  return capabilities.find((one) => one.name === name)?.rules ?? [];
}

test("search: by name, title, variable and field, in short, in full, as JSON", limit, () =>
  inHome(async (home) => {
    interface Found {
      readonly name: string;
      readonly available: boolean;
      readonly policies: Record<string, string[]>;
    }
    const names = async (text: string): Promise<string[]> =>
      (await home.json<Found[]>(["search", text])).map((one) => one.name);
    assert.ok((await names("GH_TOKEN")).includes("github"));
    assert.deepEqual(await names("gmail"), ["gmail"]);
    assert.ok((await names("exchanges")).includes("bybit"));
    const all = await home.json<Found[]>(["search"]);
    assert.ok(all.length >= 60);
    for (const { name, available } of all) {
      const auth = knownServices.get(name)?.auth ?? "bearer";
      assert.equal(available, laterScheme(auth) === undefined, name);
    }
    assert.equal(all.find((one) => one.name === "github")?.policies.issues?.at(-1), "deny: *");
    const short = await home.do(["search"]);
    assert.equal(short.stdout.trim().split("\n").length, all.length);
    const full = await home.do(["search", "linear graphql"]);
    for (const part of [
      "LINEAR_API_KEY",
      "header Authorization",
      "--policy issues",
      "ask: POST /graphql",
      "lin_api_…",
    ])
      assert.ok(full.stdout.includes(part), part);
    assert.match((await home.do(["search", "no such thing"])).stderr, /--base-url/);
  }),
);

test("add: the URL and auth of a known service, its own policies, and nearest names", limit, () =>
  inHome(async (home) => {
    const stdin = made("ghp_{36}");
    await home.do(["add", "github", "--policy", "issues", "--key-stdin"], { stdin });
    const rules = await listed(home, "github");
    assert.ok(
      rules.some((rule) => rule.includes("POST /repos/{owner}/{repo}/issues")),
      rules.join("\n"),
    );
    const { services } = await home.json<{ services: { name: string; baseUrl: string; auth: string }[] }>([
      "list",
    ]);
    assert.deepEqual(
      services.map(({ name, baseUrl, auth }) => [name, baseUrl, auth]),
      [["github", "https://api.github.com", "bearer"]],
    );
    const wrong = await home.run(["add", "github", "--policy", "isues", "--key-stdin"], { stdin });
    assert.equal(wrong.status, 2);
    assert.match(wrong.stderr, /did you mean "issues"\?/);
    assert.match(wrong.stderr, /read-only, no-delete, issues/);
    await home.do(["add", "own", "-u", "https://api.example.com", "--policy", "no-delete", "--key-stdin"], {
      stdin,
    });
    assert.match((await listed(home, "own")).join("\n"), /DELETE \*/);
    const alien = await home.run(["add", "own2", "-u", "https://api.example.com", "--policy", "issues"], {
      stdin,
    });
    assert.equal(alien.status, 2);
    // The service's own: GET alone would let an agent write to Slack.
    await home.do(["add", "slack", "--read-only", "--key-stdin"], {
      stdin: made("xoxb-{12:digits}-{12:digits}-{24}"),
    });
    assert.doesNotMatch((await listed(home, "slack")).join("\n"), /GET \*/);
  }),
);

test("add --exec: a tool gets the key as it is, of whatever scheme the API wants", limit, () =>
  inHome(async (home) => {
    const exec = ["--exec", "--allow-commands", "true", "--key-stdin"];
    await home.do(["add", "aws", ...exec, "--env-map", "AWS_SECRET_ACCESS_KEY={{credential}}"], {
      stdin: "an-aws-secret",
    });
    await home.do(["add", "discord", ...exec, "--env-map", "DISCORD_TOKEN={{credential}}"], {
      stdin: made("{26}.{6}.{38}"),
    });
    const { services } = await home.json<{ services: { name: string; auth: string }[] }>(["list"]);
    assert.deepEqual(
      services.map(({ name, auth }) => [name, auth]),
      [
        ["aws", "bearer"],
        ["discord", "bearer"],
      ],
    );
  }),
);

test("add: policies go with the paths of the known URL only", limit, () =>
  inHome(async (home) => {
    const stdin = made("xoxb-{12:digits}-{12:digits}-{24}");
    const args = ["add", "slack", "-u", "https://slack.com/api", "--policy", "no-delete", "--key-stdin"];
    const refused = await home.run(args, { stdin });
    assert.equal(refused.status, 2);
    assert.match(refused.stderr, /below https:\/\/slack\.com/);
    const elsewhere = ["add", "team", "-u", "https://slack.com", "--policy", "post-messages", "--key-stdin"];
    await home.do(elsewhere, { stdin });
    assert.match((await listed(home, "team")).join("\n"), /chat\.postMessage/);
  }),
);

test("add: a scheme that is not there yet, and a host that each customer has", limit, () =>
  inHome(async (home) => {
    for (const { name, auth } of knownServices.values()) {
      const scheme = laterScheme(auth);
      if (scheme === undefined || !["aws", "bybit", "gmail"].includes(name)) continue;
      const later = await home.run(["add", name, "--key-stdin"], { stdin: "x" });
      assert.equal(later.status, 2);
      assert.ok(later.stderr.includes(`${scheme}, which this version of janee does not have yet`));
      assert.equal(/--auth-type bearer --key-stdin/.test(later.stderr), name === "gmail");
    }
    await home.do(["add", "gmail", "--auth-type", "bearer", "--key-stdin"], { stdin: "a-token" });
    const own = await home.run(["add", "jira", "--key-stdin"], { stdin: "x" });
    assert.match(own.stderr, /--base-url https:\/\/your-site\.atlassian\.net/);
    const site = ["add", "jira", "-u", "https://acme.atlassian.net", "--policy", "issues", "--key-stdin"];
    const added = await home.do(site, { stdin: `me@acme.example:${made("ATATT3{186}")}` });
    assert.doesNotMatch(added.stderr, /warning/);
  }),
);

test("add and set: a key of another shape is doubted, taken, and never shown", limit, () =>
  inHome(async (home) => {
    const wrong = "a-key-of-nobody-0123456789";
    const added = await home.do(["add", "github", "--key-stdin"], { stdin: wrong });
    assert.match(added.stderr, /does not look like a key of GitHub REST API, which would be .*ghp_…/);
    const again = await home.do(["set", "github", "--key-stdin", "--json"], { stdin: wrong, ...unattended });
    assert.match(again.stderr, /does not look like a key/);
    assert.match((JSON.parse(again.stdout) as { warning: string }).warning, /does not look like a key/);
    const alien = await home.do(["set", "github", "--key-stdin"], {
      stdin: made("sk_test_{99}"),
      ...unattended,
    });
    assert.match(alien.stderr, /looks like a key of Stripe API, not of GitHub REST API/);
    const right = await home.do(["set", "github", "--key-stdin"], { stdin: made("ghp_{36}"), ...unattended });
    assert.doesNotMatch(right.stderr, /does not look like/);
    const named = await home.do(["add", "gitlab", "--key-env", "T"], { env: { T: made("glpat-{20}") } });
    assert.doesNotMatch(named.stderr, /does not look like/);
    for (const part of [wrong, "of-nobody", "0123456789", made("{20}")])
      assert.equal(home.printed.includes(part), false);
  }),
);

test(
  "test: the harmless request, also under another name, with the prefix and headers that the vendor wants",
  limit,
  () =>
    inHome(async (home) => {
      const upstream = await startUpstream({ answer: (_, exchange) => exchange.send(200, {}, "{}") });
      try {
        const at = `http://127.0.0.1:${upstream.port}`;
        const key = made("{26}.{6}.{38}");
        const added = await home.do(["add", "discord", "-u", at, "--key-stdin"], { stdin: key });
        assert.doesNotMatch(added.stderr, /warning/);
        await home.do(["test", "discord"]);
        assert.equal(upstream.seen.at(-1)?.target, "/api/v10/users/@me");
        assert.deepEqual(upstream.seen.at(-1)?.values("authorization"), [`Bot ${key}`]);
        assert.deepEqual(upstream.seen.at(-1)?.values("user-agent"), ["janee"]);
        await home.do(["set", "discord", "--key-stdin"], { stdin: `${key}x`, ...unattended });
        await home.do(["test", "discord"]);
        assert.deepEqual(upstream.seen.at(-1)?.values("authorization"), [`Bot ${key}x`]);
        await home.do(["add", "notion", "-u", at, "--key-stdin"], { stdin: made("ntn_{11:digits}{35}") });
        await home.do(["test", "notion"]);
        assert.deepEqual(upstream.seen.at(-1)?.values("notion-version"), ["2022-06-28"]);
        await home.do(["add", "openai", "-u", `${at}/v1`, "--key-stdin"], { stdin: made("sk-proj-{156}") });
        await home.do(["test", "openai"]);
        assert.match(upstream.seen.at(-1)?.target ?? "", /^\/v1\/models$/);
        await home.do(["add", "mailgun", "-u", at, "--key-stdin"], { stdin: made("key-{32:hex}") });
        await home.do(["test", "mailgun"]);
        const pair = Buffer.from(`api:${made("key-{32:hex}")}`).toString("base64");
        assert.deepEqual(upstream.seen.at(-1)?.values("authorization"), [`Basic ${pair}`]);
      } finally {
        await upstream.stop();
      }
    }),
);

test("the directory is loaded by those commands alone that need it", () => {
  const source = join(root, "src");
  const directory = resolve(source, "engine/services/index.ts");
  const reached = (file: string, seen = new Set<string>()): Set<string> => {
    if (seen.has(file)) return seen;
    seen.add(file);
    const statements = readFileSync(file, "utf8").matchAll(
      /^(?:import|export)\s+(?!type\s)[^"';]*?from "(\.[^"]+)"/gm,
    );
    for (const [, specifier = ""] of statements) reached(resolve(dirname(file), specifier), seen);
    return seen;
  };
  for (const command of [
    "index",
    "serve",
    "mcp",
    "grant",
    "list",
    "add",
    "set",
    "search",
    "test",
    "why",
    "config",
  ])
    assert.ok(!reached(join(source, "commands", `${command}.ts`)).has(directory), command);
  assert.ok(reached(join(source, "commands/doctor.ts")).has(directory));
});
