// The merging of every client's file: text in, text out. Nothing here touches a file.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parse as parseToml } from "smol-toml";
import { parse as parseYaml } from "yaml";
import { invalid } from "../../../src/commands/clients/invalid.ts";
import { mergeStanza, renderStanza } from "../../../src/commands/clients/merge.ts";
import { parseClientFile } from "../../../src/commands/clients/parse.ts";
import { same } from "../../../src/commands/clients/same.ts";
import { type Client, clientNamed, clients } from "../../../src/engine/clients.ts";
import { Failure } from "../../../src/engine/failure.ts";
import { type Stanza, valueAt } from "../../../src/engine/stanza.ts";

const limit = { timeout: 30_000 };
const program = { command: "/opt/janee/bin/janee", args: ["mcp", "--capability", "a,b"] };
const url = "http://127.0.0.1:5263/mcp";
const names = Object.keys(clients);

function client(name: string): Client {
  const found = clientNamed(name);
  assert.ok(found);
  return found;
}

function stdio(name: string, environment?: Record<string, string>): Stanza {
  return client(name).stdio({ ...program, ...(environment && { environment }) });
}

function merged(name: string, text: string, stanza: Stanza = stdio(name)): string {
  const result = mergeStanza(client(name), text, "/f", stanza);
  assert.ok(!(result instanceof Failure), result instanceof Failure ? JSON.stringify(result) : "");
  return result;
}

function refused(name: string, text: string): Failure {
  const result = mergeStanza(client(name), text, "/f", stdio(name));
  assert.ok(result instanceof Failure, String(result));
  return result;
}

function tree(name: string, text: string): unknown {
  const root = parseClientFile(client(name).format, text, "/f");
  assert.ok(!(root instanceof Failure));
  return root;
}

/** A file with other servers, an own order and, where the client allows them, comments. */
const existing: Readonly<Record<string, string>> = {
  "claude-desktop": `{\n    "theme": "dark",\n    "mcpServers": {\n        "files": {"command": "npx", "args": ["-y", "files"]}\n    },\n    "last": 1\n}\n`,
  "claude-code": `{"numStartups":7,"mcpServers":{"gh":{"type":"http","url":"https://x.example/mcp"}},\n"projects":{"/p":{"mcpServers":{}}}}`,
  cursor: `// mine\n{\n\t"mcpServers": {\n\t\t// the files\n\t\t"files": { "command": "npx" }, // here\n\t},\n}\n`,
  vscode: `{\r\n  // inputs first\r\n  "inputs": [{ "id": "other", "type": "promptString" }],\r\n  "servers": { "files": { "type": "stdio", "command": "npx" } }\r\n}\r\n`,
  codex: `# my settings\nmodel = "o9" # the good one\nwhen = 1979-05-27T07:32:00Z\nbig = 9223372036854775807\n\n[mcp_servers.files]\ncommand = "npx"\nargs = [\n  "-y", # yes\n  "files",\n]\n\n# how it looks\n[tui]\ntheme = "dark"\ntext = """\n[mcp_servers.janee]\n"""\n`,
  gemini: `{\n  "ui": { "theme": "x" }, // short\n  "mcpServers": {}\n}\n`,
  windsurf: `{\n  "mcpServers": {\n    "files": { "command": "npx", "disabledTools": ["a"] }\n  }\n}`,
  zed: `// Zed settings\n//\n{\n  "theme": "One Dark",\n  "context_servers": {\n    "files": { "command": "npx", "args": [] }, // last\n  },\n  /* and this */ "vim_mode": true,\n}\n`,
  opencode: `{\n  "$schema": "https://opencode.ai/config.json",\n  "mcp": {\n    "files": { "type": "local", "command": ["npx"], "enabled": false },\n  },\n}\n`,
  goose: `# goose\nGOOSE_MODEL: gpt   # spaced\nextensions:\n    files:   # mine\n        type: stdio\n        cmd: npx\n        args: [ -y,  files ]\n    notes:\n        description: |\n            two\n            lines\n# the end\nOTHER:  'x'\n`,
};

for (const name of names) {
  const at = [...client(name).servers, "janee"];

  test(`${name}: a fresh file holds the stanza, and the same again changes nothing`, limit, () => {
    const text = renderStanza(client(name), stdio(name));
    const entry = valueAt(tree(name, text), at) as Stanza;
    for (const [key, value] of Object.entries(stdio(name))) assert.deepEqual(entry[key], value);
    assert.equal(merged(name, text), text);
    assert.ok(text.endsWith("\n") || client(name).format.startsWith("json"));
  });

  test(`${name}: what is there stays, and janee comes besides`, limit, () => {
    const before = existing[name] ?? "";
    const after = merged(name, before);
    for (const line of before.split(/\r?\n/).map((one) => one.trim())) {
      // Behind an item that was the last, a comma may come.
      const kept = line.replace(/[}\],\s]+$/, "");
      assert.ok(after.includes(kept), `"${kept}" is gone from:\n${after}`);
    }
    const was = tree(name, before) as Record<string, unknown>;
    const is = tree(name, after) as Record<string, unknown>;
    assert.deepEqual(
      Object.keys(is).filter((key) => key in was),
      Object.keys(was),
    );
    assert.ok(
      same(valueAt(is, [...client(name).servers, "files"]), valueAt(was, [...client(name).servers, "files"])),
    );
    assert.ok(valueAt(is, at));
    assert.equal(after.includes("\r\n"), before.includes("\r\n"));
    assert.equal(merged(name, after), after);
  });

  test(`${name}: a stale stanza is renewed, what a person added to it stays`, limit, () => {
    const old = merged(
      name,
      existing[name] ?? "",
      client(name).stdio({
        command: "/gone/janee",
        args: ["mcp"],
        environment: { JANEE_HOME: "/old", MINE: "1" },
      }),
    );
    const added = withAddition(name, old);
    const after = merged(name, added);
    const entry = valueAt(tree(name, after), at) as Record<string, unknown>;
    assert.deepEqual({ ...(entry[client(name).environment] as object) }, { MINE: "1" });
    assert.equal(entry.note, "kept");
    assert.equal(after.includes("/gone/janee"), false);
    assert.equal(merged(name, after), after);
  });

  test(`${name}: to HTTP and back, nothing of the other form is left`, limit, () => {
    const { http } = client(name);
    if (typeof http === "string") return;
    const start = merged(name, existing[name] ?? "");
    const there = merged(name, start, http({ url }));
    assert.equal(there.includes("/opt/janee/bin/janee"), false);
    assert.ok(there.includes(url) && there.includes("JANEE_AGENT_TOKEN") !== (name === "vscode"));
    const back = merged(name, there);
    assert.equal(back.includes(url), false);
    assert.deepEqual(valueAt(tree(name, back), at), valueAt(tree(name, start), at));
  });

  test(`${name}: a file that does not parse is refused with its place and without its content`, limit, () => {
    const broken =
      client(name).format === "yaml"
        ? `a: 1\nb: "secretvalue\n`
        : client(name).format === "toml"
          ? `a = 1\nb = "secretvalue\n`
          : `{\n  "secretvalue" 1\n}`;
    const failure = refused(name, broken);
    assert.equal(failure.code, "config_invalid");
    assert.equal(failure.at?.file, "/f");
    assert.ok((failure.at?.line ?? 0) >= 2);
    assert.equal(JSON.stringify(failure).includes("secretvalue"), false);
  });

  test(`${name}: a table of servers that is none is refused`, limit, () => {
    const [table = ""] = client(name).servers;
    const wrong =
      { toml: `${table} = 1\n`, yaml: `${table}: [1]\n` }[client(name).format as string] ??
      `{ "${table}": [] }`;
    assert.equal(refused(name, wrong).at?.line, 1);
  });
}

/** As a person would, by hand. */
function withAddition(name: string, text: string): string {
  if (client(name).format === "toml")
    return text.replace("[mcp_servers.janee]\ncommand", '[mcp_servers.janee]\nnote = "kept" # mine\ncommand');
  if (client(name).format === "yaml") return text.replace(/(\n *)(cmd: \/gone)/, "$1note: kept # mine$1$2");
  return text.replace(/"janee"\s*:\s*\{/, '"janee": { "note": "kept",');
}

test("comments of every kind survive in the files that allow them", limit, () => {
  for (const name of ["cursor", "zed", "codex", "goose"]) {
    const before = existing[name] ?? "";
    const comments = before.match(/(?:\/\/|#|\/\*).*/g) ?? [];
    assert.ok(comments.length >= 2);
    for (const comment of comments) assert.ok(merged(name, before).includes(comment), comment);
  }
  const renewed = merged(
    "codex",
    withAddition(
      "codex",
      merged("codex", existing.codex ?? "", client("codex").stdio({ command: "/gone/janee", args: [] })),
    ),
  );
  assert.ok(renewed.includes('note = "kept" # mine'));
});

test("clients that read plain JSON alone get no file with comments in it", limit, () => {
  for (const name of ["claude-desktop", "claude-code"]) {
    assert.match(refused(name, '{\n  // no\n  "mcpServers": {}\n}').message, /allows no comments/);
    refused(name, '{ "mcpServers": {}, }');
  }
});

test("a file with nothing in it, a byte order mark, a comment alone", limit, () => {
  for (const name of names) {
    for (const text of ["", "\n", "  \n"])
      assert.ok(valueAt(tree(name, merged(name, text)), [...client(name).servers, "janee"]));
  }
  const marked = merged("vscode", '\uFEFF{ "servers": {} }');
  assert.ok(marked.startsWith("\uFEFF{") && merged("vscode", marked) === marked);
  assert.ok(merged("zed", "// nothing yet\n").startsWith("// nothing yet\n"));
  assert.ok(merged("goose", "# nothing yet\n").startsWith("# nothing yet\n"));
  assert.deepEqual(Object.keys(parseYaml(merged("goose", "extensions:\nA: 1\n")) as object).sort(), [
    "A",
    "extensions",
  ]);
  assert.ok(valueAt(parseYaml(merged("goose", "extensions: {}\n")), ["extensions", "janee"]));
});

test("a key that stands there twice is refused: each program would take another", limit, () => {
  assert.match(refused("cursor", '{ "mcpServers": {},\n "mcpServers": {} }').message, /twice/);
  assert.match(refused("zed", '{ "context_servers": { "janee": {}, "janee": {} } }').message, /twice/);
});

test("VS Code: the question for the token is added once, behind those of others", limit, () => {
  const http = client("vscode").http;
  assert.ok(typeof http === "function");
  const after = merged("vscode", existing.vscode ?? "", http({ url }));
  const inputs = valueAt(tree("vscode", after), ["inputs"]) as { id: string }[];
  assert.deepEqual(
    inputs.map(({ id }) => id),
    ["other", "janee-agent-token"],
  );
  assert.equal(merged("vscode", after, http({ url })), after);
  const result = mergeStanza(client("vscode"), '{ "inputs": {} }', "/f", http({ url }));
  assert.ok(result instanceof Failure);
});

test("opencode: a file in the form of version 2 gets its stanza there", limit, () => {
  const after = merged("opencode", '{ "mcp": { "servers": { "files": { "type": "local" } } } }');
  assert.ok(valueAt(tree("opencode", after), ["mcp", "servers", "janee"]));
  assert.equal(valueAt(tree("opencode", after), ["mcp", "janee"]), undefined);
  const other = merged("opencode", '{ "mcp": { "servers": { "type": "local", "command": ["x"] } } }');
  assert.ok(valueAt(tree("opencode", other), ["mcp", "janee"]));
});

test(
  "Codex: tables of the entry, other spellings of its header, and forms that cannot be edited",
  limit,
  () => {
    const tables = `[mcp_servers . "janee"] # mine\ncommand = "/gone"\nargs = [\n  "mcp", # always\n]\nstartup_timeout_sec = 5\n\n[mcp_servers.janee.env]\nJANEE_HOME = "/old"\nMINE = "1" # mine\n\n[mcp_servers.janee.tools.x]\napproval = "never"\n\n# next\n[next]\n`;
    const after = merged("codex", tables, stdio("codex", { JANEE_HOME: "/new" }));
    const entry = valueAt(parseToml(after), ["mcp_servers", "janee"]) as Record<string, unknown>;
    assert.deepEqual({ ...(entry.env as object) }, { JANEE_HOME: "/new", MINE: "1" });
    assert.equal(entry.startup_timeout_sec, 5);
    for (const kept of ["# mine", 'MINE = "1" # mine', 'approval = "never"', "# next\n[next]"])
      assert.ok(after.includes(kept), kept);
    assert.equal(merged("codex", after, stdio("codex", { JANEE_HOME: "/new" })), after);
    for (const other of [
      'mcp_servers = { janee = { command = "/gone" } }\n',
      'mcp_servers.janee.command = "/gone"\n',
      '[mcp_servers]\njanee = { command = "/gone" }\n',
      'mcp_servers = { files = { command = "x" } }\n',
    ]) {
      const failure = refused("codex", other);
      assert.ok(failure.at && failure.next, other);
    }
  },
);

test("values of any kind come back from TOML as they went in", limit, () => {
  const odd = ["back\\slash", 'quo"te', "new\nline", "\u007f\u0001", "käse 💡", "C:\\Users\\x\\janee.exe"];
  const text = renderStanza(client("codex"), {
    command: odd[5] ?? "",
    args: odd,
    env: { "a b": odd[1] ?? "" },
  });
  const entry = valueAt(parseToml(text), ["mcp_servers", "janee"]) as {
    command: string;
    args: string[];
    env: object;
  };
  assert.equal(entry.command, odd[5]);
  assert.deepEqual(entry.args, odd);
  assert.deepEqual({ ...entry.env }, { "a b": odd[1] });
});

test("no stanza of any client holds a secret or asks for one in the file", limit, () => {
  for (const name of names) {
    const { http } = client(name);
    const texts = [
      renderStanza(client(name), stdio(name)),
      ...(typeof http === "string" ? [] : [renderStanza(client(name), http({ url }))]),
    ];
    for (const text of texts) assert.equal(/JANEE_KEY\b|jn[a-z]_|<.*token.*>/.test(text), false, text);
  }
});

test("nesting without end is a failure, not a crash", limit, () => {
  const deep = "[".repeat(200_000);
  assert.ok(parseClientFile("jsonc", deep, "/f") instanceof Failure);
  assert.ok(invalid("/f", "x", { line: 1, column: 1 }) instanceof Failure);
});
