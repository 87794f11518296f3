// The clients that `janee connect` knows: where each keeps its MCP servers, and how it writes one down.
// Pure data, each from the vendor's own page or source (`page`).
import { agentTokenVariable, type HttpServer, type Program, type Stanza } from "./stanza.ts";

export type System = "linux" | "macos" | "windows";

/** `config`: $XDG_CONFIG_HOME or ~/.config. `support`: ~/Library/Application Support. `appdata`: %APPDATA%. */
export type Base =
  | "home"
  | "config"
  | "support"
  | "appdata"
  | { readonly variable: string; readonly or: string };

export type Place = readonly [base: Base, ...path: string[]];

export interface Client {
  readonly title: string;
  readonly page: string;
  /** `json` alone allows no comments: the client would not read the file either. */
  readonly format: "json" | "jsonc" | "toml" | "yaml";
  /** The first that exists is taken, else the last. */
  readonly places: Readonly<Record<System, readonly Place[]>>;
  /** Below the current directory, in the same order. */
  readonly project?: readonly string[];
  /** The table of servers in the file. */
  readonly servers: readonly string[];
  /** Where a newer version of the client keeps them, once its file is written that way. */
  readonly newerServers?: readonly string[];
  readonly stdio: (program: Program) => Stanza;
  /** A reason instead, where the client would need the token itself in its file. */
  readonly http: ((server: HttpServer) => Stanza) | string;
  /** The entry's own table of environment variables. */
  readonly environment: string;
  /** What a fresh entry has besides; a person's change of it stays. */
  readonly defaults?: Stanza;
  /** Where the client itself asks for the token: an entry of its list of inputs. */
  readonly input?: { readonly list: string; readonly entry: Readonly<Record<string, string | boolean>> };
  readonly afterwards: string;
}

const everywhere = (...places: readonly Place[]): Client["places"] => ({
  linux: places,
  macos: places,
  windows: places,
});

const perSystem = (...path: string[]): Client["places"] => ({
  linux: [["config", ...path]],
  macos: [["support", ...path]],
  windows: [["appdata", ...path]],
});

const command = ({ command, args, environment }: Program): Stanza => ({
  command,
  args,
  ...(environment && { env: environment }),
});

const vsCodeInput = "janee-agent-token";

export const clients: Readonly<Record<string, Client>> = {
  "claude-desktop": {
    title: "Claude Desktop",
    // The page names macOS and Windows; on Linux the application keeps it as other Electron programs do.
    page: "https://modelcontextprotocol.io/docs/develop/connect-local-servers",
    format: "json",
    places: perSystem("Claude", "claude_desktop_config.json"),
    servers: ["mcpServers"],
    stdio: command,
    http: "Claude Desktop's file only names programs to start",
    environment: "env",
    afterwards: "quit Claude Desktop and start it again",
  },
  "claude-code": {
    title: "Claude Code",
    page: "https://code.claude.com/docs/en/mcp",
    format: "json",
    places: everywhere([{ variable: "CLAUDE_CONFIG_DIR", or: "" }, ".claude.json"]),
    project: [".mcp.json"],
    servers: ["mcpServers"],
    stdio: (program) => ({ type: "stdio", ...command(program) }),
    http: ({ url }) => ({ type: "http", url, headers: bearer(`\${${agentTokenVariable}}`) }),
    environment: "env",
    afterwards: "start Claude Code anew; /mcp shows its servers",
  },
  cursor: {
    title: "Cursor",
    page: "https://cursor.com/docs/mcp",
    format: "jsonc",
    places: everywhere(["home", ".cursor", "mcp.json"]),
    project: [".cursor/mcp.json"],
    servers: ["mcpServers"],
    stdio: (program) => ({ type: "stdio", ...command(program) }),
    http: ({ url }) => ({ url, headers: bearer(`\${env:${agentTokenVariable}}`) }),
    environment: "env",
    afterwards: "start Cursor anew, and switch janee on in its MCP settings",
  },
  vscode: {
    title: "VS Code",
    // Headers know ${input:…}; ${env:…} is sent as it stands there: https://github.com/microsoft/vscode/issues/336232
    page: "https://code.visualstudio.com/docs/copilot/reference/mcp-configuration",
    format: "jsonc",
    places: perSystem("Code", "User", "mcp.json"),
    project: [".vscode/mcp.json"],
    servers: ["servers"],
    stdio: (program) => ({ type: "stdio", ...command(program) }),
    http: ({ url }) => ({ type: "http", url, headers: bearer(`\${input:${vsCodeInput}}`) }),
    input: {
      list: "inputs",
      entry: {
        type: "promptString",
        id: vsCodeInput,
        description: "janee agent token (janee agent add NAME)",
        password: true,
      },
    },
    environment: "env",
    afterwards: "VS Code offers to start janee in the file itself, or with MCP: List Servers",
  },
  codex: {
    title: "Codex",
    page: "https://developers.openai.com/codex/mcp",
    format: "toml",
    places: everywhere([{ variable: "CODEX_HOME", or: ".codex" }, "config.toml"]),
    project: [".codex/config.toml"],
    servers: ["mcp_servers"],
    stdio: command,
    http: ({ url }) => ({ url, bearer_token_env_var: agentTokenVariable }),
    environment: "env",
    afterwards: "start Codex anew; /mcp shows its servers (a project's file counts in trusted projects only)",
  },
  gemini: {
    title: "Gemini CLI",
    page: "https://geminicli.com/docs/tools/mcp-server/",
    format: "jsonc",
    places: everywhere(["home", ".gemini", "settings.json"]),
    project: [".gemini/settings.json"],
    servers: ["mcpServers"],
    stdio: command,
    http: ({ url }) => ({ httpUrl: url, headers: bearer(`\${${agentTokenVariable}}`) }),
    environment: "env",
    afterwards: "start Gemini CLI anew; /mcp shows its servers",
  },
  windsurf: {
    title: "Windsurf",
    page: "https://docs.windsurf.com/windsurf/cascade/mcp",
    format: "jsonc",
    places: everywhere(["home", ".codeium", "windsurf", "mcp_config.json"]),
    servers: ["mcpServers"],
    stdio: command,
    http: ({ url }) => ({ serverUrl: url, headers: bearer(`\${env:${agentTokenVariable}}`) }),
    environment: "env",
    afterwards: "refresh the MCP servers in Cascade",
  },
  zed: {
    title: "Zed",
    page: "https://zed.dev/docs/ai/mcp",
    format: "jsonc",
    places: {
      linux: [["config", "zed", "settings.json"]],
      macos: [["home", ".config", "zed", "settings.json"]],
      windows: [["appdata", "Zed", "settings.json"]],
    },
    project: [".zed/settings.json"],
    servers: ["context_servers"],
    stdio: command,
    // https://github.com/zed-industries/zed/issues/60459
    http: "Zed sends headers as they are written and reads no variable, so the token would lie in its settings",
    environment: "env",
    afterwards: "Zed takes it up by itself; the agent panel's settings show it",
  },
  opencode: {
    title: "opencode",
    // Version 2 reads the older form too, and has one of its own: https://opencode.ai/docs/migrate-v1/
    page: "https://opencode.ai/v2/docs/mcp-servers/",
    format: "jsonc",
    places: everywhere(["config", "opencode", "opencode.jsonc"], ["config", "opencode", "opencode.json"]),
    project: ["opencode.jsonc", "opencode.json"],
    servers: ["mcp"],
    newerServers: ["mcp", "servers"],
    stdio: ({ command, args, environment }) => ({
      type: "local",
      command: [command, ...args],
      ...(environment && { environment }),
    }),
    http: ({ url }) => ({ type: "remote", url, headers: bearer(`{env:${agentTokenVariable}}`) }),
    environment: "environment",
    afterwards: "start opencode anew",
  },
  goose: {
    title: "Goose",
    // How headers take variables stands in its source: crates/goose/src/agents/extension_manager.rs
    page: "https://block.github.io/goose/docs/guides/config-files",
    format: "yaml",
    places: {
      linux: [["config", "goose", "config.yaml"]],
      macos: [["config", "goose", "config.yaml"]],
      windows: [["appdata", "Block", "goose", "config", "config.yaml"]],
    },
    servers: ["extensions"],
    stdio: ({ command, args, environment }) => ({
      type: "stdio",
      cmd: command,
      args,
      ...(environment && { envs: environment }),
    }),
    http: ({ url }) => ({
      type: "streamable_http",
      uri: url,
      headers: bearer(`\${${agentTokenVariable}}`),
      env_keys: [agentTokenVariable],
    }),
    environment: "envs",
    defaults: {
      enabled: true,
      name: "janee",
      description: "API keys stay with janee",
      timeout: 300,
    },
    afterwards: "start a new Goose session",
  },
};

function bearer(reference: string): Readonly<Record<string, string>> {
  return { Authorization: `Bearer ${reference}` };
}

export function clientNamed(name: string): Client | undefined {
  return Object.hasOwn(clients, name) ? clients[name] : undefined;
}
