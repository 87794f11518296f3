// Exec mode from outside: what an agent that runs commands through MCP gets, does not get, and cannot keep running.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { alive, oddSeconds } from "../host/spawning.ts";
import { assertWithoutKey } from "../support/corpus-stage.ts";
import { ExecStage, exec, outOf, parentSecrets } from "../support/exec-stage.ts";
import { canary, Home, janeeCommand, root } from "../support/janee.ts";
import { Agent, type Era, eras, type Question, say, type Told, verdict, yes } from "../support/mcp.ts";
import { heard } from "../support/signals.ts";
import { until, within } from "../support/wait.ts";

const limit = { timeout: 60_000 };
const linux = process.platform === "linux";
const mark = "[janee:redacted]";
const unattended = { env: { JANEE_UNATTENDED: "1" } };

const on = new ExecStage(["bird", "swap", "cli"]);
const far = join(on.home.beside, "far");
for (const folder of [far, join(on.work, "inner")]) mkdirSync(folder);
symlinkSync(far, join(on.work, "way-out"));
symlinkSync(join(on.work, "inner"), join(on.work, "way-in"));
let ready: Promise<unknown> | undefined;
const agents = new Map<Era, Promise<Agent>>();
after(() => on.close());

const common = `service: birds, mode: exec, envMap: { TWITTER_API_KEY: "{{credential}}" }`;
const config = `services:
  birds: { auth: { type: bearer, key: ${canary} } }
capabilities:
  bird: { ${common}, allowCommands: [bird], autoApprove: true }
  other: { ${common}, allowCommands: [bird], autoApprove: true }
  brief: { ${common}, allowCommands: [bird], autoApprove: true, timeout: 1s }
  short: { ${common}, allowCommands: [bird], autoApprove: true, ttl: 3s }
  works: { ${common}, allowCommands: [bird], autoApprove: true, workDir: ${JSON.stringify(on.work)} }
  asked: { ${common}, allowCommands: [bird] }
  ruled:
    service: birds
    mode: exec
    envMap: { TWITTER_API_KEY: "{{credential}}" }
    allowCommands: [bird, swap, cli]
    autoApprove: true
    workDir: ${JSON.stringify(on.work)}
    args:
      bird: [{ allow: [args, open, "*"] }, { ask: [args, "*"] }, { ask: [pwd] }]
      swap: [{ ask: ["*"] }]
      cli: [{ ask: ["*"] }]
`;

/** The agent that most tests of an era share. */
async function agentOf(era: Era = "modern"): Promise<Agent> {
  ready ??= on.home.do(["init"]).then(() => on.home.writeConfig(config));
  await ready;
  const known = agents.get(era) ?? on.connect({ era });
  agents.set(era, known);
  const agent = await known;
  agent.asked.length = 0;
  agent.answer = yes;
  on.marks();
  return agent;
}

function inBothEras(name: string, run: (agent: Agent, era: Era) => Promise<void>): void {
  for (const era of eras) test(`${name} (${era})`, limit, async () => run(await agentOf(era), era));
}

/** A refusal of this code, and nothing has run. */
function refused(told: Told, code: string): void {
  assert.equal(verdict(told), code, told.text);
  assert.deepEqual(on.marks(), []);
}

for (const era of eras) {
  test(`the line of the contract makes a capability that an agent can run (${era})`, limit, async () => {
    const home = new Home();
    let agent: Agent | undefined;
    try {
      // Two parts, or the key would be in this file.
      const key = `tvly-${"xxx0123456789abcdef"}`;
      const line = ["add", "twitter", "--exec", "--key", key, "--allow-commands", "bird,tweet-cli"];
      const added = await home.do([...line, "--env-map", "TWITTER_API_KEY={{credential}}"]);
      assert.ok(!`${added.stdout}${added.stderr}${home.readConfig()}`.includes(key));
      agent = await Agent.stdio(home, { era, env: on.environment });
      const told = await exec(agent, "twitter", ["bird", "plain"]);
      assert.deepEqual([outOf(told), told.content.stderr], [`${mark}\n`, `${mark}\n`]);
      assert.equal(agent.asked.length, 1, "a person said yes to the session");
      assert.match(agent.asked[0]?.message ?? "", /twitter/);
      assertWithoutKey(Buffer.from(agent.heard + home.auditText()), key);
      // Beside the two there is nothing, and what is not installed is told in the same words.
      const codes = [["tweet-cli"], ["swap"], ["./bird"], [join(on.bin, "bird")], ["BIRD"]].map(
        async (command) => (await exec(agent as Agent, "twitter", command)).code,
      );
      assert.deepEqual([...new Set(await Promise.all(codes))], ["command_denied"]);
    } finally {
      await agent?.close();
      await home.dispose();
    }
  });
}

// EXEC-087, EXEC-088, EXEC-090
inBothEras("what is listed is scrubbed, and what is not is a limit that the README names", async (agent) => {
  const run = async (...words: string[]): Promise<Told> => exec(agent, "bird", ["bird", ...words]);
  for (const form of ["plain", "base64", "hex", "percent"]) {
    const told = await run(form);
    assertWithoutKey(Buffer.from(told.text), canary);
    // What is left is the padding.
    assert.equal(outOf(told).trim().replace(/=+$/, ""), mark, form);
  }
  for (let at = 1; at < canary.length; at++) {
    assert.equal(outOf(await run("writes", String(at))), mark, `two writes, cut at ${at}`);
  }
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const limits = /What exec mode cannot prevent[^#]*/.exec(readme)?.[0] ?? "";
  const reversed = [...canary].reverse().join("");
  assert.equal(outOf(await run("reversed")).trim(), reversed);
  const halves = await run("halves");
  assert.equal(`${outOf(halves)}${halves.content.stderr}`, canary);
  for (const word of [/reversed/, /split over stdout and stderr/, /compressed/, /exit codes/, /\/proc/]) {
    assert.match(limits, word);
  }
  // Seen through a limit, so not a leak of what is promised.
  agent.heard = agent.heard.replaceAll(canary, "");
});

if (linux) {
  test("no descriptor of janee goes to a command", limit, async () => {
    const listed = outOf(await exec(await agentOf(), "bird", ["bird", "open"]));
    const lines = listed
      .split("\n")
      .filter((line) => line.includes(" -> ") && !/-> \/proc\/\d+\/fd$/.test(line));
    assert.deepEqual(
      lines.map((line) => / (\d+) -> /.exec(line)?.[1]),
      ["0", "1", "2"],
      listed,
    );
  });
}

// EXEC-096
inBothEras("the environment is made from nothing, in a home that is gone afterwards", async (agent) => {
  const names = outOf(await exec(agent, "bird", ["bird", "env"]));
  const variables = new Map(
    names
      .trim()
      .split("\n")
      .map((one) => [one.slice(0, one.indexOf("=")), one.slice(one.indexOf("=") + 1)]),
  );
  for (const [name, value] of Object.entries(parentSecrets)) {
    assert.ok(!variables.has(name) && !names.includes(value), name);
  }
  const given = [...variables.keys()].filter((name) => !/^(?:JANEE_|XDG_|PWD$|OLDPWD$|SHLVL$|_$)/.test(name));
  const allowed = ["GIT_TERMINAL_PROMPT", "HOME", "LANG", "PATH", "TERM", "TMPDIR", "TWITTER_API_KEY", "TZ"];
  assert.deepEqual(
    given.filter((name) => !allowed.includes(name)),
    [],
  );
  assert.ok(!variables.has("JANEE_HOME"));
  assert.equal(variables.get("TWITTER_API_KEY"), mark);
  const [mode, home = ""] = outOf(await exec(agent, "bird", ["bird", "home"]))
    .trim()
    .split(" ");
  assert.equal(mode, "700");
  assert.ok(home.startsWith(join(on.home.path, "run")), home);
  assert.ok(!existsSync(home));
});

// EXEC-103
test("stdin goes in whole; a child that does not read it is no error", limit, async () => {
  const agent = await agentOf();
  const text = `ä${"€".repeat(100_000)}\n end`;
  assert.equal(outOf(await exec(agent, "bird", ["bird", "cat"], { stdin: text })), text);
  const deaf = await exec(agent, "bird", ["bird", "deaf"], { stdin: "y".repeat(500_000) });
  assert.equal(outOf(deaf), "deaf\n");
  assert.equal(outOf(await exec(agent, "bird", ["bird", "cat"])), "", "without stdin it is at its end");
});

test("arguments are words, whatever is in them", limit, async () => {
  const agent = await agentOf();
  const words = ["$(id)", "`id`", "a b", "", "*", "; id", '"', "'", "ä\n", "--", "-x", "\u202e"];
  const said = outOf(await exec(agent, "bird", ["bird", "args", ...words]));
  assert.equal(said, words.map((word) => `[${word}]`).join(""));
});

inBothEras("a command runs inside its workDir, whatever links lead there, and not outside", async (agent) => {
  const inner = join(on.work, "inner");
  const pwd = async (cwd?: string): Promise<Told> =>
    exec(agent, "works", ["bird", "pwd"], cwd === undefined ? {} : { cwd });
  for (const [cwd, folder] of [
    [undefined, on.work],
    [".", on.work],
    ["inner", inner],
    ["way-in", inner],
    [inner, inner],
    ["inner/../inner/.", inner],
  ] as const) {
    assert.equal(outOf(await pwd(cwd)).trim(), folder, `${cwd}`);
  }
  on.marks();
  for (const cwd of [
    "..",
    "/",
    "way-out",
    far,
    "inner/../..",
    `${on.work}-2`,
    "nowhere",
    "~",
    "way-in/../..",
  ]) {
    refused(await pwd(cwd), "cwd_denied");
  }
  refused(await exec(agent, "bird", ["bird", "pwd"], { cwd: on.work }), "cwd_denied");
});

inBothEras("exit codes and signals are the command's own", async (agent) => {
  const { content } = await exec(agent, "bird", ["bird", "exit", "7"]);
  assert.deepEqual([content.exitCode, content.signal, content.timedOut], [7, undefined, false]);
  assert.ok(Number.isInteger(content.durationMs));
  const killed = await exec(agent, "bird", ["bird", "kill"]);
  assert.deepEqual([killed.content.exitCode, killed.content.signal], [null, "SIGKILL"]);
  const binary = await exec(agent, "bird", ["bird", "binary"]);
  assert.equal(binary.content.stdoutEncoding, "base64");
  assert.deepEqual([...Buffer.from(String(binary.content.stdout), "base64")], [0xff, 0xfe, 0, 1, 0xff]);
});

// EXEC-100, EXEC-101
test("the reply comes at the deadline, and nothing is left behind", limit, async () => {
  if (!linux) return;
  const agent = await agentOf();
  const seconds = oddSeconds();
  for (const [words, timedOut, most] of [
    [["leave", seconds], false, 1_500],
    [["sleep", seconds], true, 3_500],
    [["stubborn", seconds], true, 3_500],
  ] as const) {
    const start = performance.now();
    const { content, text } = await exec(agent, "brief", ["bird", ...words]);
    const took = performance.now() - start;
    assert.equal(content.timedOut, timedOut, text);
    assert.ok(took < most, `${words[0]}: ${took} ms`);
    assert.match(String(content.stdout), words[0] === "leave" ? /^hi$/m : /^begun$/m);
    assert.deepEqual(alive(seconds), [], words[0]);
  }
  const lines = on.lines().filter(({ event, capability }) => event === "response" && capability === "brief");
  assert.deepEqual(
    lines.slice(-3).map(({ outcome }) => outcome),
    ["ok", "timed_out", "timed_out"],
  );
});

test("three megabytes are cut in the middle, with a mark", limit, async () => {
  const { content } = await exec(await agentOf(), "bird", ["bird", "big"]);
  const text = String(content.stdout);
  assert.equal(content.truncated, true);
  assert.match(text.slice(0, 10), /^BEGINx+$/);
  assert.match(text.slice(-10), /^x+END$/);
  const cut = /\n\[janee: (\d+) bytes left out\]\n/.exec(text);
  assert.equal(text.length - (cut?.[0].length ?? 0), 1024 * 1024);
  assert.equal(Number(cut?.[1]), 3_000_008 - 1024 * 1024);
});

test("twenty at once, a megabyte each: none lost, none mixed", limit, async () => {
  const agent = await agentOf();
  const runs = Array.from({ length: 20 }, (_, at) => exec(agent, "bird", ["bird", "many", `run-${at}`]));
  for (const [at, told] of (await Promise.all(runs)).entries()) {
    const text = outOf(told);
    assert.equal(text.length, 1_000_000);
    assert.deepEqual([...new Set(text.split("\n").slice(0, -1))], [`run-${at}`]);
  }
});

inBothEras("an agent cannot name variables, a shell line or a path", async (agent) => {
  const wrong: readonly (readonly [object, string])[] = [
    [{ command: ["bird"], env: { LD_PRELOAD: "/x" } }, "protocol -32602"],
    [{ command: "bird; env" }, "protocol -32602"],
    [{ command: ["bird", 1] }, "protocol -32602"],
    [{ command: ["bird"], timeout: "1h" }, "protocol -32602"],
    [{ command: [] }, "bad_argv"],
    [{ command: ["bird", "a\0b"] }, "bad_argv"],
    [{ command: ["bird\n"] }, "command_denied"],
    [{ command: ["TWITTER_API_KEY=1", "bird"] }, "command_denied"],
    [{ command: ["sh", "-c", "env"] }, "command_denied"],
  ];
  for (const [input, code] of wrong) {
    refused(await agent.call("exec", { capability: "bird", ...input }), code);
  }
  refused(await agent.execute("bird", "/"), "not_a_request_capability");
});

inBothEras("what is not approved asks a person first, and no is no", async (_, era) => {
  const agent = await on.connect({ era });
  on.marks();
  agent.answer = say("deny");
  refused(await exec(agent, "asked", ["bird", "args", "x"]), "approval_declined");
  assert.equal(agent.asked.length, 1);
  refused(await exec(agent, "asked", ["bird", "args", "x"]), "approval_declined");
  const silent = await on.connect({ era, elicitation: "none" });
  refused(await exec(silent, "asked", ["bird", "args", "x"]), "approval_pending");
  const willing = await on.connect({ era });
  willing.answer = say("this session");
  assert.equal(outOf(await exec(willing, "asked", ["bird", "args", "x"])), "[x]");
  assert.equal(willing.asked.length, 1);
});

inBothEras("a rule that asks binds the yes to these words in this folder, once", async (agent) => {
  const questions: Question[] = agent.asked;
  agent.answer = say("once");
  const command = ["bird", "args", "a b", "--to=\u202ex"];
  for (const turn of [1, 2]) {
    assert.equal(outOf(await exec(agent, "ruled", command, { cwd: "inner" })), "[a b][--to=\u202ex]");
    assert.equal(questions.length, turn, "the same words again are another question");
  }
  const shown = questions[0]?.message ?? "";
  assert.ok(shown.includes('Command: bird args "a b"'), shown);
  assert.ok(shown.includes(`Program: ${join(on.bin, "bird")}`), shown);
  assert.ok(shown.includes(`In the folder: ${join(on.work, "inner")}`), shown);
  assert.ok(!shown.includes("\u202e"), "nothing restyles the question");
  on.marks();

  agent.answer = say("deny");
  refused(await exec(agent, "ruled", ["bird", "args", "a b", `no-${Math.random()}`]), "approval_declined");
  assert.equal(questions.length, 3);
  assert.equal(outOf(await exec(agent, "ruled", ["bird", "args", "open", "x"])), "[open][x]");
  assert.equal(questions.length, 3, "what is allowed does not ask");
  on.marks();
  refused(await exec(agent, "ruled", ["bird", "env"]), "argv_denied");
});

test("a yes for one command, folder or input is none for another", limit, async () => {
  await agentOf();
  const agent = await on.connect({ era: "modern", elicitation: "none" });
  const command = ["bird", "args", "wanted"];
  const ask = async (more: object = {}, words = command): Promise<Told> =>
    exec(agent, "ruled", words, { cwd: "inner", ...more });
  refused(await ask(), "approval_pending");
  const [question] = await on.home.json<{ id: string }[]>(["approvals"]);
  await on.home.do(["approve", question?.id ?? ""], unattended);
  on.marks();
  refused(await ask({ cwd: "." }), "approval_pending");
  refused(await ask({ stdin: "more" }), "approval_pending");
  refused(await ask({}, [...command, "more"]), "approval_pending");
  refused(await ask({}, ["bird", "args", "want", "ed"]), "approval_pending");
  assert.equal(outOf(await ask()), "[wanted]");
  on.marks();
  refused(await ask(), "approval_pending");
});

// APPR-019
test("a program that is swapped between the yes and the run does not run", limit, async () => {
  const agent = await agentOf();
  const file = join(on.bin, "swap");
  agent.answer = say("once");
  assert.equal(outOf(await exec(agent, "ruled", ["swap", "args", "1"])), "[1]");
  on.marks();
  agent.answer = () => {
    writeFileSync(file, `${readFileSync(file, "utf8")}\n# swapped`);
    return { action: "accept", content: { decision: "once" } };
  };
  refused(await exec(agent, "ruled", ["swap", "args", "2"]), "binary_untrusted");
  assert.equal(agent.asked.length, 2);
});

// EXEC-108
test("a folder that is swapped for a link between the yes and the run is not run in", limit, async () => {
  const agent = await agentOf();
  const folder = join(on.work, "swapped");
  mkdirSync(folder);
  const run = (): Promise<Told> => exec(agent, "ruled", ["bird", "pwd"], { cwd: "swapped" });
  agent.answer = say("once");
  assert.equal(outOf(await run()).trim(), folder);
  on.marks();
  agent.answer = () => {
    renameSync(folder, `${folder}-away`);
    symlinkSync(far, folder);
    return { action: "accept", content: { decision: "once" } };
  };
  refused(await run(), "cwd_denied");
  assert.equal(agent.asked.length, 2);
});

/** A command that goes on, in a capability, until `end`; nothing of it is left. */
async function endedBy(
  agent: Agent,
  capability: string,
  end: () => unknown,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Told> {
  const seconds = oddSeconds();
  const input = { capability, command: ["bird", "sleep", seconds] };
  const told = agent.call("exec", input, options);
  await until(20_000, "the command", () => alive(seconds).length === 3);
  await end();
  const answer = await told;
  await until(3_000, "the end of all descendants", () => alive(seconds).length === 0);
  const line = await until(5_000, "its line", () =>
    on.lines().find(({ event, argv }) => event === "response" && (argv as string[]).includes(seconds)),
  );
  assert.equal(line.outcome, "failed");
  return answer;
}

for (const era of eras) {
  test(`a session that ends takes its command with it (${era})`, limit, async () => {
    if (!linux) return;
    const agent = await agentOf(era);
    const capability = era === "legacy" ? "bird" : "other";
    const revoke = (): unknown => on.home.do(["revoke", "--capability", capability]);
    assert.equal(verdict(await endedBy(agent, capability, revoke)), "session_revoked");
    assert.equal(verdict(await endedBy(agent, "short", () => {})), "session_expired");
  });
}

test("a client that cancels or is gone takes its command with it", limit, async () => {
  if (!linux) return;
  await agentOf();
  const agent = await on.connect({ era: "legacy" });
  const controller = new AbortController();
  const cancelled = await endedBy(agent, "works", () => controller.abort(), { signal: controller.signal });
  assert.ok(cancelled.isError);
  const gone = await endedBy(agent, "works", () => agent.close());
  assert.ok(gone.isError);
});

test("janee exec that is stopped, or whose session is revoked, ends its command", limit, async () => {
  if (!linux) return;
  await agentOf();
  for (const end of ["revoke", "SIGTERM", "SIGINT", ...heard("SIGHUP", "SIGQUIT")] as const) {
    const seconds = oddSeconds();
    const [file = "", ...before] = janeeCommand();
    const child = spawn(file, [...before, "exec", "asked", "--", "bird", "sleep", seconds], {
      env: on.home.environment({ ...on.environment, ...unattended.env }),
      stdio: ["ignore", "ignore", "pipe"],
    });
    let stderr = "";
    child.stderr.on("data", (bytes: Buffer) => {
      stderr += bytes;
    });
    const ended = new Promise<number | null>((done) => child.on("close", done));
    await until(20_000, "the command", () => alive(seconds).length === 3);
    if (end === "revoke") await on.home.do(["revoke", "--capability", "asked"]);
    else process.kill(child.pid ?? 0, end);
    const status = await within(5_000, ended, "the end of janee exec");
    assert.ok(status !== 0, `${end}: ${status}`);
    assert.deepEqual(alive(seconds), [], end);
    assert.match(stderr, end === "revoke" ? /revoked/ : /stopped by a signal/);
    const line = on
      .lines()
      .find(({ event, argv }) => event === "response" && (argv as string[]).includes(seconds));
    assert.deepEqual(
      [line?.surface, line?.outcome, line?.code],
      ["exec", "failed", end === "revoke" ? "session_revoked" : "client_closed"],
    );
  }
});

test("over HTTP the same: run, scrubbed, refused, and ended when the client hangs up", limit, async () => {
  await agentOf();
  const serving = await on.home.serve([], { env: on.environment });
  const { token } = await on.home.json<{ token: string }>(["agent", "add", "far"], unattended);
  const agent = await Agent.http(serving.port, token, { era: "modern" });
  try {
    assert.equal(outOf(await exec(agent, "works", ["bird", "plain"])), `${mark}\n`);
    assert.equal(
      outOf(await exec(agent, "works", ["bird", "pwd"], { cwd: "inner" })).trim(),
      join(on.work, "inner"),
    );
    on.marks();
    refused(await exec(agent, "works", ["sh"]), "command_denied");
    refused(await exec(agent, "works", ["bird"], { cwd: ".." }), "cwd_denied");
    if (!linux) return;
    const controller = new AbortController();
    const cut = (): void => controller.abort();
    assert.ok((await endedBy(agent, "works", cut, { signal: controller.signal })).isError);
  } finally {
    await agent.close();
    await serving.stop();
  }
});

test("a key in a command that a person is asked about is in no line of the trail", limit, async () => {
  const agent = await agentOf();
  const before = on.home.audit().length;
  agent.answer = say("once");
  assert.equal(outOf(await exec(agent, "ruled", ["bird", "args", canary], { reason: canary })), `[${mark}]`);
  const lines = on.home.audit().slice(before);
  assert.ok(lines.some(({ event }) => event === "approval"));
  assertWithoutKey(Buffer.from(JSON.stringify(lines)), canary);
  assertWithoutKey(Buffer.from(JSON.stringify(agent.asked)), canary);
});

test("janee exec: for people and scripts", limit, async () => {
  await agentOf();
  const run = (args: readonly string[], options: object = {}) => on.run(["exec", ...args], options);
  on.marks();
  const held = await run(["asked", "--", "bird", "exit", "7"]);
  assert.equal(held.status, 4, held.stderr);
  const ruled = await run(["ruled", "--", "cli", "args", "x"]);
  assert.equal(ruled.status, 4, ruled.stderr);
  assert.match(ruled.stderr, /JANEE_UNATTENDED/);
  assert.deepEqual(on.marks(), []);

  assert.equal((await run(["asked", "--", "bird", "exit", "7"], unattended)).status, 7);
  assert.equal((await run(["asked", "--", "bird", "kill"], unattended)).status, 137);
  assert.equal((await run(["brief", "--", "bird", "sleep", "9"], unattended)).status, 124);
  const plain = await run(["asked", "--", "bird", "plain"], unattended);
  assert.deepEqual([plain.stdout, plain.stderr.includes(mark)], [`${mark}\n`, true]);
  const fed = await run(["asked", "--stdin", "--", "bird", "cat"], { ...unattended, stdin: "fed\n" });
  assert.equal(fed.stdout, "fed\n");
  const unfed = await run(["asked", "--", "bird", "cat"], { ...unattended, stdin: "fed\n" });
  assert.equal(unfed.stdout, "");
  const json = await run(["ruled", "--json", "--cwd", "inner", "--", "bird", "pwd"], unattended);
  const told = JSON.parse(json.stdout) as Record<string, unknown>;
  assert.deepEqual(
    [told.exitCode, told.signal, told.stdout, told.timedOut, told.omitted],
    [0, null, `${join(on.work, "inner")}\n`, false, 0],
  );
  const said = async (mode: string): Promise<Record<string, string>> =>
    JSON.parse((await run(["asked", "--json", "--", "bird", mode], unattended)).stdout);
  const binary = await said("binary");
  assert.deepEqual([binary.stdoutEncoding, binary.stdout], ["base64", "//4AAf8="]);
  assert.match((await said("big")).stdout ?? "", /\n\[janee: 1951432 bytes left out\]\n/);
  on.marks();
  for (const [args, words] of [
    [["asked", "--", "sh", "-c", "env"], /not one that the capability allows/],
    [["ruled", "--", "bird", "env"], /no rule on the arguments/],
    [["ruled", "--cwd", "..", "--", "bird", "args", "open"], /not a folder inside/],
    [["nothing", "--", "bird"], /no capability|unknown/],
  ] as const) {
    const { status, stderr, stdout } = await run([...args], unattended);
    assert.ok(status !== 0 && status !== null, `${args.join(" ")}: ${status}`);
    assert.match(`${stdout}${stderr}`, words);
  }
  assert.equal((await run(["asked"])).status, 2);
  assert.deepEqual(on.marks(), []);
});

test("a run has its lines, refused or not, and no key is in them", limit, async () => {
  const agent = await agentOf();
  const before = on.home.audit().length;
  const told = [
    await exec(agent, "works", ["bird", "args", `--key=${canary}`], { cwd: "inner", reason: "to see" }),
    await exec(agent, "works", ["bird", "exit", "3"]),
    await exec(agent, "works", ["nope", canary, Buffer.from(canary).toString("base64")]),
    await exec(agent, "works", ["bird", "args", canary], { cwd: `/${canary}` }),
    await exec(agent, "ruled", ["bird", "env", canary]),
    await exec(agent, canary, ["bird", canary]),
  ];
  assert.deepEqual(told.map(verdict), [
    ...["ok", "ok", "command_denied", "cwd_denied", "argv_denied", "unknown_capability"],
  ]);
  const lines = on.lines(before);
  assert.deepEqual(
    lines.map(({ event, argv, code, exitCode }) => [event, argv, code, exitCode]),
    [
      ["request", ["bird", "args", `--key=${mark}`], undefined, undefined],
      ["response", ["bird", "args", `--key=${mark}`], undefined, 0],
      ["request", ["bird", "exit", "3"], undefined, undefined],
      ["response", ["bird", "exit", "3"], undefined, 3],
      ["request", ["nope", mark, `${mark}==`], "command_denied", undefined],
      ["request", ["bird", "args", mark], "cwd_denied", undefined],
      ["request", ["bird", "env", mark], "argv_denied", undefined],
      ["request", ["bird", mark], "unknown_capability", undefined],
    ],
  );
  const [first, last] = lines;
  assert.deepEqual(
    [first?.surface, first?.capability, first?.service, first?.cwd, first?.reason],
    ["mcp", "works", "birds", join(on.work, "inner"), "to see"],
  );
  assert.equal(last?.redactions, 1);
  const shown = (await on.home.do(["logs", "--json"])).stdout;
  assertWithoutKey(Buffer.from(shown), canary);
  const ids = new Set(shown.split("\n").flatMap((line) => /"id":"([^"]+)"/.exec(line)?.[1] ?? []));
  for (const { id } of lines) assert.ok(ids.has(String(id)), `janee logs does not show ${id}`);
});

test("the trail is whole, the private folders are gone, and the key is nowhere", limit, async () => {
  await agentOf();
  assert.ok(lstatSync(join(on.home.path, "run")).isDirectory());
  await on.assertClean();
});
