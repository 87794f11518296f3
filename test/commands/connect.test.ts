// janee connect from outside, in a home of its own: HOME is a temporary folder in every test.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { type Home, inHome, installedCommand, janeeCommand, onDeno } from "../support/janee.ts";

const limit = { timeout: 60_000 };
const windows = process.platform === "win32";

interface Written {
  readonly file: string;
  readonly changed: boolean;
  readonly backup?: string;
}

function cursorFile(home: Home): string {
  return join(home.beside, ".cursor", "mcp.json");
}

function put(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function backupsIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.includes(".janee-backup-"));
}

test("connect prints the stanza on stdout and where it belongs on stderr, and writes nothing", limit, () =>
  inHome(async (home) => {
    const { stdout, stderr } = await home.do(["connect", "cursor"]);
    const { mcpServers } = JSON.parse(stdout) as { mcpServers: { janee: Record<string, unknown> } };
    const [command, ...args] = janeeCommand();
    assert.equal(mcpServers.janee.command, realpathSync(command ?? ""));
    assert.deepEqual(mcpServers.janee.args, [...args, "mcp"]);
    assert.deepEqual((mcpServers.janee.env as Record<string, string>).JANEE_HOME, home.path);
    assert.ok(stderr.includes(cursorFile(home)));
    assert.equal(existsSync(cursorFile(home)), false);
  }),
);

test("connect --write makes the file, and the second time it is already there", limit, () =>
  inHome(async (home) => {
    for (const client of [
      "claude-desktop",
      "claude-code",
      "cursor",
      "vscode",
      "codex",
      "gemini",
      "windsurf",
      "zed",
      "opencode",
      "goose",
    ]) {
      const first = await home.json<Written>(["connect", client, "--write"]);
      assert.ok(first.changed && first.backup === undefined && first.file.startsWith(home.beside), client);
      if (!windows) assert.equal(statSync(first.file).mode & 0o777, 0o600);
      const text = readFileSync(first.file, "utf8");
      const second = await home.do(["connect", client, "--write"]);
      assert.match(second.stdout, /^already there: /);
      assert.equal(readFileSync(first.file, "utf8"), text);
      assert.deepEqual(backupsIn(dirname(first.file)), []);
    }
    const listed = await home.json<{ name: string; exists: boolean; janee: boolean }[]>(["connect"]);
    assert.equal(listed.length, 10);
    assert.ok(listed.every(({ exists, janee }) => exists && janee));
  }),
);

test("connect --write keeps what is there, the mode, and a copy of the old file", limit, () =>
  inHome(async (home) => {
    const old = '// mine\n{\n  "mcpServers": {\n    "files": { "command": "npx" } // theirs\n  }\n}\n';
    put(cursorFile(home), old);
    if (!windows) chmodSync(cursorFile(home), 0o640);
    const { stdout } = await home.do(["connect", "cursor", "--write"]);
    assert.match(stdout, /^wrote .+mcp\.json\nbackup .+janee-backup-/);
    const text = readFileSync(cursorFile(home), "utf8");
    assert.ok(
      text.startsWith('// mine\n{\n  "mcpServers": {\n    "files": { "command": "npx" }, // theirs\n'),
    );
    const [backup = ""] = backupsIn(dirname(cursorFile(home)));
    assert.equal(readFileSync(join(dirname(cursorFile(home)), backup), "utf8"), old);
    assert.equal(readdirSync(dirname(cursorFile(home))).length, 2);
    if (windows) return;
    assert.equal(statSync(cursorFile(home)).mode & 0o777, 0o640);
    assert.equal(statSync(join(dirname(cursorFile(home)), backup)).mode & 0o777, 0o600);
  }),
);

test("connect --write goes through a link and leaves it one", { ...limit, skip: windows }, () =>
  inHome(async (home) => {
    const real = join(home.beside, "dotfiles", "cursor.json");
    put(real, "{}\n");
    mkdirSync(dirname(cursorFile(home)));
    symlinkSync(real, cursorFile(home));
    const { stdout } = await home.do(["connect", "cursor", "--write"]);
    assert.ok(stdout.includes(`(a link to ${realpathSync(real)})`));
    assert.ok(lstatSync(cursorFile(home)).isSymbolicLink());
    assert.ok(readFileSync(real, "utf8").includes('"janee"'));
    assert.equal(backupsIn(dirname(cursorFile(home))).length, 1);
    assert.deepEqual(backupsIn(dirname(real)), []);
    symlinkSync(join(home.beside, "nowhere.json"), join(home.beside, "dangling.json"));
    const dangling = await home.run(["connect", "cursor", "--write", "--file", "dangling.json"]);
    assert.equal(dangling.status, 5);
    assert.equal(existsSync(join(home.beside, "nowhere.json")), false);
  }),
);

test("connect refuses a file that does not parse, with its place, and leaves it alone", limit, () =>
  inHome(async (home) => {
    const broken = '{\n  "mcpServers": {\n    "files" { "env": { "A_TOKEN": "zq-secret-value" } }\n  }\n}\n';
    put(cursorFile(home), broken);
    const { status, stdout, stderr } = await home.run(["connect", "cursor", "--write"]);
    assert.equal(status, 3);
    assert.match(stderr, /mcp\.json:3:13: the file is not valid JSON/);
    assert.equal((stdout + stderr).includes("zq-secret"), false);
    assert.equal(readFileSync(cursorFile(home), "utf8"), broken);
    assert.deepEqual(readdirSync(dirname(cursorFile(home))), ["mcp.json"]);
  }),
);

test(
  "connect --http names the address of the running serve and the variable of the token, never a token",
  limit,
  () =>
    inHome(async (home) => {
      home.writeConfig("services: {}\ncapabilities: {}\n");
      const without = await home.do(["connect", "codex", "--http"]);
      assert.match(without.stdout, /^url = "http:\/\/127\.0\.0\.1:5263\/mcp"$/m);
      assert.match(without.stdout, /^bearer_token_env_var = "JANEE_AGENT_TOKEN"$/m);
      assert.match(without.stderr, /set JANEE_AGENT_TOKEN .*janee agent add NAME/);
      const serving = await home.serve();
      const { stdout, stderr } = await home.do(["connect", "claude-code", "--http", "--agent", "scout"]);
      assert.ok(stdout.includes(`"url": "http://127.0.0.1:${serving.port}/mcp"`));
      assert.ok(stdout.includes(`"Authorization": "Bearer \${JANEE_AGENT_TOKEN}"`));
      assert.match(stderr, /janee agent add scout/);
      await serving.stop();
      for (const client of ["claude-desktop", "zed"]) {
        const refused = await home.run(["connect", client, "--http"]);
        assert.equal(refused.status, 2);
      }
      assert.equal((await home.run(["connect", "codex", "--http", "--capability", "a"])).status, 2);
    }),
);

test("connect passes --capability and --agent on, and never a key", limit, () =>
  inHome(async (home) => {
    const env = { JANEE_KEY: "zq".repeat(32) };
    const args = ["connect", "goose", "--capability", "a, b", "--agent", "scout"];
    const { stdout, stderr } = await home.do(args, { env });
    assert.match(stdout, /- mcp\n +- --capability\n +- a,b\n +- --agent\n +- scout\n/);
    assert.equal((stdout + stderr).includes(env.JANEE_KEY), false);
    assert.equal(stdout.includes("JANEE_KEY"), false);
    assert.match(stderr, /JANEE_KEY is not written/);
    for (const wrong of [
      ["--capability", "A b"],
      ["--capability", "a,,b"],
      ["--agent", "-x"],
      ["--agent", "a b"],
    ]) {
      assert.equal((await home.run(["connect", "goose", ...wrong])).status, 2, wrong.join(" "));
    }
  }),
);

test("connect --project writes below the current directory, and nowhere else", limit, () =>
  inHome(async (home) => {
    const project = join(home.beside, "project");
    mkdirSync(project);
    await home.do(["connect", "claude-code", "--project", "--write"], { cwd: project });
    await home.do(["connect", "vscode", "--project", "--write"], { cwd: project });
    assert.ok(existsSync(join(project, ".mcp.json")) && existsSync(join(project, ".vscode", "mcp.json")));
    assert.equal(existsSync(join(home.beside, ".claude.json")), false);
    const listed = await home.do(["connect"], { cwd: project });
    assert.match(listed.stdout, /^claude-code .*janee is in \(project\)/m);
    const none = await home.run(["connect", "windsurf", "--project"], { cwd: project });
    assert.equal(none.status, 2);
    assert.match(none.stderr, /claude-code, cursor, vscode/);
    assert.equal((await home.run(["connect", "cursor", "--project", "--file", "x"])).status, 2);
    if (windows) return;
    put(join(home.beside, "elsewhere.json"), "{}");
    mkdirSync(join(project, ".cursor"));
    symlinkSync(join(home.beside, "elsewhere.json"), join(project, ".cursor", "mcp.json"));
    const outside = await home.run(["connect", "cursor", "--project", "--write"], { cwd: project });
    assert.equal(outside.status, 5);
    assert.equal(readFileSync(join(home.beside, "elsewhere.json"), "utf8"), "{}");
  }),
);

test(
  "connect: another file, an unknown client, a client that is misspelt, flags without a client",
  limit,
  () =>
    inHome(async (home) => {
      await home.do(["connect", "zed", "--write", "--file", "here/settings.json"]);
      assert.ok(readFileSync(join(home.beside, "here", "settings.json"), "utf8").includes("context_servers"));
      const misspelt = await home.run(["connect", "claude-dekstop"]);
      assert.equal(misspelt.status, 2);
      assert.match(misspelt.stderr, /did you mean "claude-desktop"\?/);
      assert.equal((await home.run(["connect", "--write"])).status, 2);
      const list = await home.do(["connect"]);
      assert.match(list.stdout, /^zed +Zed +no file +\S+settings\.json$/m);
    }),
);

test("connect takes opencode's commented file where there is one", limit, () =>
  inHome(async (home) => {
    const file = join(home.beside, ".config", "opencode", "opencode.jsonc");
    put(file, "{\n  // mine\n}\n");
    const written = await home.json<Written>(["connect", "opencode", "--write"]);
    assert.equal(written.file, file);
    assert.ok(readFileSync(file, "utf8").includes("// mine"));
  }),
);

const isBinary = !onDeno && !windows;

// A package manager moves the file with each version, and the link on PATH stays.
const placeOnPath = (): Promise<void> =>
  inHome(async (home) => {
    const [binary = ""] = installedCommand();
    const bin = join(home.beside, "bin");
    mkdirSync(bin);
    symlinkSync(binary, join(bin, "janee"));
    const command = [binary];
    const named = await home.do(["connect", "codex"], { command, env: { PATH: `relative:${bin}:/usr/bin` } });
    assert.ok(named.stdout.includes(`command = "${join(bin, "janee")}"`), named.stdout);
    const other = await home.do(["connect", "codex"], { command, env: { PATH: "/usr/bin:/bin" } });
    assert.ok(other.stdout.includes(`command = "${realpathSync(binary)}"`), other.stdout);
  });
if (isBinary) test("connect names the place on PATH where that leads to this binary", limit, placeOnPath);

// Clients pass little of their environment on: what the stanza says must be enough.
test("what the stanza names is a janee mcp that answers, with nothing else in its environment", limit, () =>
  inHome(async (home) => {
    home.writeConfig("services: {}\ncapabilities: {}\n");
    await home.do(["list"]);
    const { stdout } = await home.do(["connect", "claude-desktop", "--agent", "desk"]);
    const { mcpServers } = JSON.parse(stdout) as {
      mcpServers: { janee: { command: string; args: string[]; env: Record<string, string> } };
    };
    const { command, args, env } = mcpServers.janee;
    const { DENO_DIR = "" } = home.environment();
    const child = spawn(command, args, { cwd: "/", env: { HOME: home.beside, DENO_DIR, ...env } });
    try {
      const params = {
        protocolVersion: "2025-11-25",
        capabilities: {},
        clientInfo: { name: "t", version: "1" },
      };
      child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params })}\n`);
      const answer = await new Promise<string>((done, failed) => {
        let text = "";
        child.stdout.on("data", (chunk: Buffer) => {
          text += chunk.toString("utf8");
          if (text.includes("\n")) done(text);
        });
        child.on("error", failed);
        child.on("close", () => failed(new Error("it has ended")));
      });
      assert.match(answer, /"serverInfo":\{[^}]*"janee"/);
    } finally {
      child.stdin.end();
      await new Promise((done) => child.on("close", done));
    }
  }),
);
