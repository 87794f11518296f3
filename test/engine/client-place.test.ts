import assert from "node:assert/strict";
import { test } from "node:test";
import { projectFiles, type Surroundings, userFiles } from "../../src/engine/client-place.ts";
import { clients } from "../../src/engine/clients.ts";

const linux: Surroundings = { system: "linux", home: "/home/ada", environment: {} };
const macos: Surroundings = { system: "macos", home: "/Users/ada", environment: {} };
const windows: Surroundings = {
  system: "windows",
  home: "C:\\Users\\ada",
  environment: { APPDATA: "D:\\Roaming" },
};

function placesIn(where: Surroundings): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(clients).map(([name, client]) => [name, userFiles(client, where).at(-1)]),
  );
}

test("the file of every client on Linux", () => {
  assert.deepEqual(placesIn(linux), {
    "claude-desktop": "/home/ada/.config/Claude/claude_desktop_config.json",
    "claude-code": "/home/ada/.claude.json",
    cursor: "/home/ada/.cursor/mcp.json",
    vscode: "/home/ada/.config/Code/User/mcp.json",
    codex: "/home/ada/.codex/config.toml",
    gemini: "/home/ada/.gemini/settings.json",
    windsurf: "/home/ada/.codeium/windsurf/mcp_config.json",
    zed: "/home/ada/.config/zed/settings.json",
    opencode: "/home/ada/.config/opencode/opencode.json",
    goose: "/home/ada/.config/goose/config.yaml",
  });
});

test("the file of every client on macOS", () => {
  assert.deepEqual(placesIn(macos), {
    "claude-desktop": "/Users/ada/Library/Application Support/Claude/claude_desktop_config.json",
    "claude-code": "/Users/ada/.claude.json",
    cursor: "/Users/ada/.cursor/mcp.json",
    vscode: "/Users/ada/Library/Application Support/Code/User/mcp.json",
    codex: "/Users/ada/.codex/config.toml",
    gemini: "/Users/ada/.gemini/settings.json",
    windsurf: "/Users/ada/.codeium/windsurf/mcp_config.json",
    zed: "/Users/ada/.config/zed/settings.json",
    opencode: "/Users/ada/.config/opencode/opencode.json",
    goose: "/Users/ada/.config/goose/config.yaml",
  });
});

test("the file of every client on Windows", () => {
  assert.deepEqual(placesIn(windows), {
    "claude-desktop": "D:\\Roaming\\Claude\\claude_desktop_config.json",
    "claude-code": "C:\\Users\\ada\\.claude.json",
    cursor: "C:\\Users\\ada\\.cursor\\mcp.json",
    vscode: "D:\\Roaming\\Code\\User\\mcp.json",
    codex: "C:\\Users\\ada\\.codex\\config.toml",
    gemini: "C:\\Users\\ada\\.gemini\\settings.json",
    windsurf: "C:\\Users\\ada\\.codeium\\windsurf\\mcp_config.json",
    zed: "D:\\Roaming\\Zed\\settings.json",
    opencode: "C:\\Users\\ada\\.config\\opencode\\opencode.json",
    goose: "D:\\Roaming\\Block\\goose\\config\\config.yaml",
  });
});

test("the variables by which people move these files, and relative ones that are ignored", () => {
  const moved = {
    ...linux,
    environment: { XDG_CONFIG_HOME: "/x/", CODEX_HOME: "/c", CLAUDE_CONFIG_DIR: "/k" },
  };
  assert.equal(placesIn(moved).zed, "/x/zed/settings.json");
  assert.equal(placesIn(moved).codex, "/c/config.toml");
  assert.equal(placesIn(moved)["claude-code"], "/k/.claude.json");
  const relative = { ...linux, environment: { XDG_CONFIG_HOME: "x", CODEX_HOME: "" } };
  assert.deepEqual(placesIn(relative), placesIn(linux));
  const bare = { ...windows, environment: {} };
  assert.equal(placesIn(bare).zed, "C:\\Users\\ada\\AppData\\Roaming\\Zed\\settings.json");
  assert.equal(placesIn({ ...linux, home: "/" }).cursor, "/.cursor/mcp.json");
});

test("the files of a project", () => {
  const all = Object.fromEntries(
    Object.entries(clients).map(([name, client]) => [name, projectFiles(client, "/p", "linux")]),
  );
  assert.deepEqual(all, {
    "claude-desktop": [],
    "claude-code": ["/p/.mcp.json"],
    cursor: ["/p/.cursor/mcp.json"],
    vscode: ["/p/.vscode/mcp.json"],
    codex: ["/p/.codex/config.toml"],
    gemini: ["/p/.gemini/settings.json"],
    windsurf: [],
    zed: ["/p/.zed/settings.json"],
    opencode: ["/p/opencode.jsonc", "/p/opencode.json"],
    goose: [],
  });
  const { vscode } = clients;
  assert.ok(vscode);
  assert.deepEqual(projectFiles(vscode, "C:\\p", "windows"), ["C:\\p\\.vscode\\mcp.json"]);
});

test("every client names the page of its vendor", () => {
  for (const { page } of Object.values(clients)) assert.match(page, /^https:\/\//);
});
