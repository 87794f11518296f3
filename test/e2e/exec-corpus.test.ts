// The group `exec` of the attack corpus: each way out is put to janee by an agent, beside a twin that does no harm.
import assert from "node:assert/strict";
import { chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { notOverExec, readCorpus } from "../support/corpus.ts";
import { ExecStage, exec, outOf } from "../support/exec-stage.ts";
import { canary, root } from "../support/janee.ts";
import { type Agent, verdict } from "../support/mcp.ts";

const limit = { timeout: 60_000 };

interface ExecCase {
  readonly id: string;
  readonly input: {
    readonly title: string;
    readonly allowCommands: readonly string[];
    readonly argv?: readonly string[] | string;
  };
  readonly expect: { readonly outcome: string | readonly string[]; readonly code?: string };
}

const corpus = readCorpus().filter(({ group }) => group === "exec") as readonly unknown[] as ExecCase[];
const listed = corpus.filter(({ input }) => input.title.startsWith("config lists"));

/** The same tool, asked for something that it may do. */
const twins: Readonly<Record<string, string>> = {
  "EXEC-003": "gh issue list",
  "EXEC-008": "gh issue list",
  "EXEC-011": "gh issue list",
  "EXEC-054": "git status",
  "EXEC-056": "git fetch",
  "EXEC-057": "git status --short",
  "EXEC-059": "git fetch origin",
  "EXEC-060": "git fetch --prune",
  "EXEC-062": "git clone https://example.com/sh-c-env",
  "EXEC-065": "git grep x",
  "EXEC-066": "git diff",
  "EXEC-067": "git log",
  "EXEC-068": "git branch",
  "EXEC-070": "gh api /x",
  "EXEC-071": "gh auth status",
  "EXEC-072": "gh auth status --active",
  "EXEC-073": "gh repo view",
  "EXEC-074": "gh issue create --title !env",
  "EXEC-079": "curl https://example.com/",
  "EXEC-081": "tar cf a x",
  "EXEC-085": "kubectl get po",
  "EXEC-086": "stripe customers list",
  "EXEC-112": "gh issue list",
};

const names = [...new Set(corpus.flatMap(({ input }) => input.allowCommands))];
const on = new ExecStage(names);
after(() => on.close());

/** A capability for each list of commands. */
const capabilityOf = ({ input }: ExecCase): string => input.allowCommands.join("-");
const service = `services:\n  one: { auth: { type: bearer, key: ${canary} } }\n`;
const capability = (commands: readonly string[]): string =>
  `service: one, mode: exec, autoApprove: true, envMap: { TWITTER_API_KEY: "{{credential}}" }, allowCommands: [${commands.join(", ")}]`;

function configWith(dangerous: boolean, cases: readonly ExecCase[] = corpus): string {
  const all = new Map(cases.map((one) => [capabilityOf(one), one.input.allowCommands]));
  const lines = [...all].map(([name, commands]) => {
    const flag = dangerous && name !== "gh-git" ? ", dangerous: true" : "";
    return `  ${name}: { ${capability(commands)}${flag} }\n`;
  });
  return `${service}capabilities:\n${lines.join("")}`;
}

let connecting: Promise<Agent> | undefined;
async function agentOf(): Promise<Agent> {
  const connect = async (): Promise<Agent> => {
    await on.home.do(["init"]);
    on.home.writeConfig(configWith(true));
    return on.connect({ era: "modern" });
  };
  connecting ??= connect();
  return connecting;
}

async function runs(agent: Agent, one: ExecCase, command: readonly string[]): Promise<void> {
  on.marks();
  const told = await exec(agent, capabilityOf(one), command);
  const said = command
    .slice(1)
    .map((word) => `[${word}]`)
    .join("");
  assert.ok(outOf(told).endsWith(said), told.text);
  assert.equal(on.marks().length, 1, "it has run once");
}

for (const one of corpus) {
  const { id, input, expect } = one;
  if (notOverExec[id] !== undefined || listed.includes(one)) continue;
  test(`${id} ${input.title}`, limit, async () => {
    const agent = await agentOf();
    on.marks();
    const before = on.home.audit().length;
    if (expect.outcome === "allowed") {
      await runs(agent, one, input.argv as readonly string[]);
      return;
    }
    assert.equal(expect.outcome, "denied");
    // A list is all that the tool takes: its schema says so, before a command is looked at.
    const isList = typeof input.argv === "object";
    const told = await agent.call("exec", { capability: capabilityOf(one), command: input.argv });
    assert.equal(verdict(told), isList ? expect.code : "protocol -32602", told.text);
    assert.deepEqual(on.marks(), [], "nothing has run");
    const lines = on.home
      .audit()
      .slice(before)
      .filter(({ event, decision }) => event === "request" || decision === "deny");
    assert.equal(lines.length, 1, JSON.stringify(lines));
    assert.equal(lines[0]?.decision, "deny");
    if (isList) assert.deepEqual([lines[0]?.code, lines[0]?.argv], [expect.code, input.argv]);
    else assert.equal(lines[0]?.code, "bad_arguments");
    await runs(agent, one, (twins[id] ?? assert.fail(`no twin of ${id}`)).split(" "));
  });
}

// EXEC-006
test("EXEC-006 a listed program that others can write to", limit, async () => {
  const stage = new ExecStage(["gh"]);
  try {
    await stage.home.do(["init"]);
    stage.home.writeConfig(
      configWith(false, corpus.filter((one) => capabilityOf(one) === "gh-git").slice(0, 1)),
    );
    const agent = await stage.connect({ era: "modern" });
    for (const place of [join(stage.bin, "gh"), stage.bin]) {
      chmodSync(place, 0o775);
      const told = await exec(agent, "gh-git", ["gh", "issue", "list"]);
      assert.equal(verdict(told), "binary_untrusted", told.text);
      chmodSync(place, 0o755);
    }
    assert.deepEqual(stage.marks(), []);
    const lines = stage.lines().map(({ code, argv }) => [code, argv]);
    const line = ["binary_untrusted", ["gh", "issue", "list"]];
    assert.deepEqual(lines, [line, line]);
    assert.equal(outOf(await exec(agent, "gh-git", ["gh", "issue", "list"])), "[issue][list]");
  } finally {
    await stage.close();
  }
});

for (const one of listed) {
  test(`${one.id} ${one.input.title}`, limit, async () => {
    const agent = await agentOf();
    const [name = ""] = one.input.allowCommands;
    const add = ["add", "two", "--exec", "--key-env", "TWO", "--env-map", "KEY={{credential}}"];
    const { status, stderr } = await on.run([...add, "--allow-commands", name], {
      env: { TWO: "0123456789" },
    });
    assert.ok(status !== 0 && status !== null, `${status}`);
    assert.match(stderr, /dangerous: true|--dangerous/);
    assert.ok(!on.home.readConfig().includes("two:"));
    // Meant, it runs: under janee's other rules.
    await runs(agent, one, [name, "x"]);
  });
}

test("a config that lists a shell is not in force; one that means it is", limit, async () => {
  const agent = await agentOf();
  const good = on.home.readConfig();
  on.home.writeConfig(configWith(false));
  const listing = await on.run(["list"]);
  assert.notEqual(listing.status, 0);
  assert.match(listing.stderr, /dangerous/);
  assert.equal(
    outOf(await exec(agent, "gh-git", ["gh", "issue", "list"])),
    "[issue][list]",
    "the last good one is",
  );
  on.home.writeConfig(good);
  assert.equal((await on.run(["list"])).status, 0);
});

/** What no broker can prevent: the README has to say so. */
const documented: Readonly<Record<string, RegExp>> = {
  "EXEC-089": /split over stdout and stderr/,
  "EXEC-091": /send it elsewhere/,
  "EXEC-093": /exit codes/,
  "EXEC-094": /from\s+`\/proc`/,
};

test("what cannot be prevented is a limit that the README names", limit, () => {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const limits = /What exec mode cannot prevent[^#]*/.exec(readme)?.[0] ?? "";
  const ids = corpus.filter(({ expect }) => expect.outcome === "undetectable").map(({ id }) => id);
  assert.deepEqual(ids, Object.keys(documented));
  for (const [id, words] of Object.entries(documented)) assert.match(limits, words, id);
});

test("each case is run here, or named with its place", limit, () => {
  const ids = new Set(corpus.map(({ id }) => id));
  assert.deepEqual(
    [...Object.keys(notOverExec), ...Object.keys(twins)].filter((id) => !ids.has(id)),
    [],
  );
  for (const [id, where] of Object.entries(notOverExec)) {
    const file = /^([a-z-]+\.test\.ts)/.exec(where)?.[1] ?? assert.fail(`${id}: ${where}`);
    const text = readFileSync(join(root, "test/e2e", file), "utf8");
    assert.ok(text.includes(id), `${file} does not name ${id}`);
  }
});

test("the trail is whole, and the key is nowhere", limit, () => on.assertClean());
