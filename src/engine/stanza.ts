// What stands in a client's file for one server: the keys that janee sets, and all that a person added.

/** The name under which janee stands in a client's table of servers. */
export const serverName = "janee";
export const agentTokenVariable = "JANEE_AGENT_TOKEN";

/** Variables of the stanza that are janee's own. They name places; none is a secret. */
export const carriedVariables = ["JANEE_HOME", "JANEE_KEY_FILE", "XDG_STATE_HOME"] as const;

export type StanzaValue = string | number | boolean | readonly string[] | Readonly<Record<string, string>>;
export type Stanza = Readonly<Record<string, StanzaValue>>;
export type Entry = Readonly<Record<string, unknown>>;

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

export interface HttpServer {
  readonly url: string;
}

interface Shape {
  readonly environment: string;
  readonly defaults?: Stanza;
  readonly stdio: (program: Program) => Stanza;
  readonly http: ((server: HttpServer) => Stanza) | string;
}

/** The entry as it will stand: keys of the other form go, keys that a person added stay. */
export function entryOf(client: Shape, existing: unknown, stanza: Stanza): Entry {
  const old = isTable(existing) ? existing : {};
  const own = new Set([
    ...Object.keys(client.stdio({ command: "", args: [] })),
    ...(typeof client.http === "string" ? [] : Object.keys(client.http({ url: "" }))),
  ]);
  const kept = Object.entries(old).filter(([key]) => !own.has(key) && key !== client.environment);
  const variables = environmentOf(old[client.environment], stanza[client.environment]);
  const { [client.environment]: _set, ...rest } = stanza;
  return {
    ...client.defaults,
    ...Object.fromEntries(kept),
    ...rest,
    ...(variables && { [client.environment]: variables }),
  };
}

function environmentOf(
  existing: unknown,
  wanted: StanzaValue | undefined,
): Record<string, unknown> | undefined {
  const own: readonly string[] = carriedVariables;
  const kept = isTable(existing) ? Object.entries(existing).filter(([name]) => !own.includes(name)) : [];
  const all = { ...Object.fromEntries(kept), ...(isTable(wanted) ? wanted : {}) };
  return Object.keys(all).length === 0 ? undefined : all;
}

export function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** The value at a path of keys; undefined where there is none. */
export function valueAt(root: unknown, path: readonly string[]): unknown {
  let value = root;
  for (const key of path) {
    if (!isTable(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}

/** Where this file keeps its servers: a client's newer form once the file is written that way. */
export function serversPath(
  client: { readonly servers: readonly string[]; readonly newerServers?: readonly string[] },
  root: unknown,
): readonly string[] {
  const newer = client.newerServers && valueAt(root, client.newerServers);
  // A server that happens to be called like the newer table has a type.
  const written = isTable(newer) && typeof newer.type !== "string";
  return client.newerServers && written ? client.newerServers : client.servers;
}
