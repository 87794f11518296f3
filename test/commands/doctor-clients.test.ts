// What doctor finds in the files of MCP clients. HOME is a temporary folder in every test.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { type Home, inHome, janeeCommand } from "../support/janee.ts";

const limit = { timeout: 60_000 };

interface Finding {
  readonly level: string;
  readonly check: string;
  readonly message: string;
  readonly remedy?: string;
}

async function ready(home: Home): Promise<void> {
  home.writeConfig("services: {}\ncapabilities: {}\n");
  await home.do(["list"]);
}

async function clientFindings(home: Home, cwd = home.beside): Promise<Finding[]> {
  const { status, stdout } = await home.run(["doctor", "--json", "--port", "1"], { cwd });
  assert.equal(status, 0, stdout);
  return (JSON.parse(stdout) as { findings: Finding[] }).findings.filter(({ check }) => check === "clients");
}

function put(home: Home, path: string, content: unknown): string {
  const file = join(home.beside, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  return file;
}

test("doctor: no client's file, and files with nothing to say about", limit, () =>
  inHome(async (home) => {
    await ready(home);
    assert.deepEqual(
      (await clientFindings(home)).map(({ level }) => level),
      ["ok"],
    );
    for (const client of ["claude-desktop", "codex", "goose", "opencode"])
      await home.do(["connect", client, "--write"]);
    await home.do(["connect", "cursor", "--write", "--http"]);
    const findings = await clientFindings(home);
    assert.deepEqual(
      findings.map(({ level }) => level),
      ["ok"],
      JSON.stringify(findings),
    );
    assert.match(findings[0]?.message ?? "", /^5 files of MCP clients/);
  }),
);

test("doctor: stanzas that lead nowhere, elsewhere, or to another port", limit, () =>
  inHome(async (home) => {
    await ready(home);
    put(home, ".cursor/mcp.json", { mcpServers: { janee: { command: "/gone/janee", args: ["mcp"] } } });
    put(home, ".gemini/settings.json", {
      mcpServers: { janee: { command: process.execPath, args: ["-e", "1"] } },
    });
    put(home, ".codeium/windsurf/mcp_config.json", {
      mcpServers: { janee: { serverUrl: "http://127.0.0.1:9/mcp" } },
    });
    const [command, ...args] = janeeCommand();
    put(
      home,
      ".codex/config.toml",
      `[mcp_servers.janee]\ncommand = ${JSON.stringify(command)}\nargs = ${JSON.stringify([...args, "serve"])}\n`,
    );
    put(
      home,
      ".config/goose/config.yaml",
      `extensions:\n  janee:\n    cmd: ${command}\n    args: ${JSON.stringify([...args, "mcp"])}\n    envs: { JANEE_HOME: /gone/home }\n`,
    );
    const serving = await home.serve();
    const findings = await clientFindings(home);
    await serving.stop();
    const told = findings.map(({ message, remedy }) => `${message} → ${remedy}`).join("\n");
    assert.ok(findings.every(({ level }) => level === "warn"));
    assert.equal(findings.length, 5, told);
    assert.match(told, /\.cursor.*starts \/gone\/janee, which does not exist → janee connect cursor --write/);
    assert.match(told, /\.gemini.*(?:not this janee|another source).* → janee connect gemini --write/);
    assert.match(
      told,
      new RegExp(
        `windsurf.*names port 9, and janee serve listens on ${serving.port} → janee connect windsurf --http --write`,
      ),
    );
    assert.match(told, /\.codex.*does not start janee mcp → janee connect codex --write/);
    assert.match(told, /goose.*JANEE_HOME that does not exist: \/gone\/home/);
    await home.do(["connect", "cursor", "--write"]);
    const after = await clientFindings(home);
    assert.equal(
      after.some(({ message }) => message.includes(".cursor")),
      false,
    );
  }),
);

test("doctor: keys in the clear, each with its place and its remedy, none with its value", limit, () =>
  inHome(async (home) => {
    await ready(home);
    const values = [
      `gh${"p_"}${"Zq7".repeat(12)}`,
      `sk_${"live_"}${"Yw8".repeat(8)}`,
      `zq-${"Xv9".repeat(8)}`,
      `xo${"xb-"}${"Wu6".repeat(10)}`,
      `Vt5${"k".repeat(61)}`,
      `Us4-${"j".repeat(20)}`,
    ] as const;
    const [github, stripe, other, slack, vault, token] = values;
    const desktop = {
      mcpServers: {
        gh: { command: "npx", env: { GITHUB_PERSONAL_ACCESS_TOKEN: github, LOG: "debug" } },
        pay: { command: "x", args: ["--key", stripe] },
      },
    };
    put(home, ".config/Claude/claude_desktop_config.json", desktop);
    put(home, ".claude.json", {
      mcpServers: {},
      projects: {
        "/p": {
          mcpServers: { hidden: { type: "http", url: "https://x.example", headers: { "X-Api-Key": other } } },
        },
      },
    });
    put(home, ".codex/config.toml", `[mcp_servers.chat]\ncommand = "x"\nenv = { ANY = "${slack}" }\n`);
    put(
      home,
      ".config/goose/config.yaml",
      `extensions:\n  janee:\n    type: streamable_http\n    uri: http://127.0.0.1:5263/mcp\n    headers: { Authorization: "Bearer ${token}" }\n    envs: { JANEE_KEY: ${vault} }\n`,
    );
    const project = join(home.beside, "project");
    put(home, "project/.mcp.json", {
      mcpServers: {
        weather: { command: "x", env: { WEATHER_API_KEY: other, GOOD_TOKEN: "$" + "{GOOD_TOKEN}" } },
      },
    });
    const before = readFileSync(join(home.beside, ".claude.json"), "utf8");

    const findings = await clientFindings(home, project);
    const told = findings.map(({ message, remedy }) => `${message} → ${remedy}`).join("\n");
    assert.ok(findings.every(({ level }) => level === "warn"));
    assert.equal(findings.length, 7, told);
    assert.match(
      told,
      /claude_desktop_config\.json: server "gh" .*GITHUB_PERSONAL_ACCESS_TOKEN → janee add github,/,
    );
    assert.match(told, /server "pay" .*argument --key → janee add stripe,/);
    assert.match(told, /\.claude\.json: server "hidden" .*header X-Api-Key → janee add NAME --base-url/);
    assert.match(told, /config\.toml: server "chat" .*ANY → janee add slack,/);
    assert.match(
      told,
      /config\.yaml: server "janee" holds a token in the clear: header Authorization → janee connect goose --http/,
    );
    assert.match(told, /server "janee" holds the key of the vault in the clear: JANEE_KEY → .*janee rotate/);
    assert.match(
      told,
      /project\S*\.mcp\.json: server "weather" .*WEATHER_API_KEY → janee add weather --base-url/,
    );

    const plain = await home.run(["doctor", "--port", "1"], { cwd: project });
    for (const value of values) {
      for (const part of [value, value.slice(0, 12), value.slice(-8)]) {
        assert.equal((home.printed + plain.stdout + plain.stderr).includes(part), false);
      }
    }
    assert.equal(readFileSync(join(home.beside, ".claude.json"), "utf8"), before);
  }),
);

test("doctor: a client's file that is broken or too large is a warning with its place", limit, () =>
  inHome(async (home) => {
    await ready(home);
    put(home, ".cursor/mcp.json", '{\n  "mcpServers": {\n    "a" "zq-secret"\n');
    put(home, ".claude.json", `{"history":"${"x".repeat(4 * 1024 * 1024)}"}`);
    put(home, ".codex/config.toml", 'a = "zq-secret\n');
    mkdirSync(join(home.beside, ".gemini", "settings.json"), { recursive: true });
    const findings = await clientFindings(home);
    assert.ok(findings.every(({ level }) => level === "warn"));
    const told = findings.map(({ message }) => message).join("\n");
    assert.match(told, /mcp\.json:3:9: the file is not valid JSON/);
    assert.match(told, /\.claude\.json is larger than 4 MiB: not read/);
    assert.match(told, /config\.toml:1:\d+: the file is not valid TOML/);
    assert.match(told, /settings\.json is not a regular file|settings\.json/);
    assert.equal(home.printed.includes("zq-secret"), false);
  }),
);
