// One MCP server as any client writes it down, read without trust: whatever does not fit is left out.
import { isTable } from "./stanza.ts";

export interface ClientServer {
  readonly name: string;
  readonly command?: string;
  readonly args: readonly string[];
  readonly url?: string;
  readonly environment: readonly Named[];
  readonly headers: readonly Named[];
}

export interface Named {
  readonly name: string;
  readonly value: string;
}

export function readServer(name: string, entry: unknown): ClientServer {
  const table = isTable(entry) ? entry : {};
  // Zed once had the program in a table of its own.
  const program = isTable(table.command) ? table.command : table;
  const words = texts(program.command);
  const command = words[0] ?? text(program.command) ?? text(program.path) ?? text(table.cmd);
  const url = text(table.url) ?? text(table.httpUrl) ?? text(table.serverUrl) ?? text(table.uri);
  const requestInit = isTable(table.requestInit) ? table.requestInit : {};
  const token = text(table.bearer_token);
  return {
    name,
    args: [...words.slice(1), ...texts(program.args)],
    environment: [program.env, table.env, table.environment, table.envs, table.settings]
      .filter((values, index, all) => all.indexOf(values) === index)
      .flatMap(pairs),
    headers: [
      ...[table.headers, table.http_headers, requestInit.headers].flatMap(pairs),
      ...(token === undefined ? [] : [{ name: "bearer_token", value: token }]),
    ],
    ...(command !== undefined && { command }),
    ...(url !== undefined && { url }),
  };
}

/** Every server of a table, and of each table that Claude Code keeps for one project. */
export function serversOf(root: unknown, path: readonly string[]): ClientServer[] {
  let table: unknown = root;
  for (const key of path) table = isTable(table) && Object.hasOwn(table, key) ? table[key] : undefined;
  const own = isTable(table) ? Object.entries(table).map(([name, entry]) => readServer(name, entry)) : [];
  const projects = isTable(root) && path[0] === "mcpServers" && isTable(root.projects) ? root.projects : {};
  return [
    ...own,
    ...Object.values(projects).flatMap((project) => (isTable(project) ? serversOf(project, path) : [])),
  ];
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
}

function pairs(values: unknown): Named[] {
  if (!isTable(values)) return [];
  return Object.entries(values).flatMap(([name, value]) =>
    typeof value === "string" ? [{ name, value }] : [],
  );
}
