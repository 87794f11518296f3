// What doctor finds in the files of MCP clients: stanzas that lead nowhere, and keys in the clear.
import type { ClientServer } from "../engine/client-server.ts";
import { Failure } from "../engine/failure.ts";
import { plainKeys, shownName } from "../engine/plain-key.ts";
import { surroundings } from "../host/client-file.ts";
import type { Environment } from "../host/keyring.ts";
import { servingUrl } from "../host/serving.ts";
import { type Scanned, scanClients } from "./clients/scan.ts";
import { isJanee, whyStale } from "./clients/stale.ts";
import type { Found } from "./doctor-checks.ts";

const check = "clients";
const warn = (message: string, remedy?: string): Found => ({
  level: "warn",
  check,
  message,
  ...(remedy !== undefined && { remedy }),
});

/** Whatever stands in a file of another program is no problem of janee's: it warns. */
export function checkClients(home: string, environment: Environment): Found[] {
  try {
    return lookedAt(home, environment);
  } catch (error) {
    return [warn(`could not be checked: ${error instanceof Error ? error.message : "unknown error"}`)];
  }
}

function lookedAt(home: string, environment: Environment): Found[] {
  const scanned = scanClients(surroundings(environment), process.cwd()).filter(
    ({ servers }) => servers !== undefined,
  );
  const serving = servingUrl(home);
  const found = scanned.flatMap((one) => examined(one, environment, serving));
  if (found.length > 0) return found;
  if (scanned.length === 0)
    return [{ level: "ok", check, message: "no file of an MCP client that janee knows" }];
  const files = scanned.length === 1 ? "1 file" : `${scanned.length} files`;
  return [{ level: "ok", check, message: `${files} of MCP clients: nothing stale, no key in the clear` }];
}

function examined(one: Scanned, environment: Environment, serving: string | undefined): Found[] {
  const { servers, file, client } = one;
  if (servers === undefined) return [];
  if (servers instanceof Failure) {
    const place = servers.at ? `${file}:${servers.at.line}:${servers.at.column}: ` : "";
    return [warn(`${place}${servers.message} (${client.title})`)];
  }
  return servers.flatMap((server) => [
    ...(isJanee(server) ? staleness(one, server, environment, serving) : []),
    ...keysOf(one, server),
  ]);
}

function staleness(
  one: Scanned,
  server: ClientServer,
  environment: Environment,
  serving: string | undefined,
): Found[] {
  const why = whyStale(server, environment, serving);
  return why === undefined
    ? []
    : [warn(`${one.file}: server "${shownName(server.name)}" ${why}`, renewal(one, server))];
}

function renewal({ name, project }: Scanned, { url }: ClientServer): string {
  return `janee connect ${name}${url === undefined ? "" : " --http"}${project ? " --project" : ""} --write`;
}

function keysOf(one: Scanned, server: ClientServer): Found[] {
  const where = `${one.file}: server "${shownName(server.name)}"`;
  const vaultKey = server.environment.some(
    ({ name, value }) => name === "JANEE_KEY" && value !== "" && !/[${}%]/.test(value),
  );
  const found = plainKeys(server).map(({ place, remedy }) => {
    // What lies in janee's own entry is an agent's token, which no service replaces.
    return isJanee(server)
      ? warn(`${where} holds a token in the clear: ${place}`, renewal(one, server))
      : warn(`${where} holds a key in the clear: ${place}`, `${remedy}, then take it out of the file`);
  });
  if (!vaultKey) return found;
  const message = `${where} holds the key of the vault in the clear: JANEE_KEY`;
  return [...found, warn(message, "take it out of the file, then: janee rotate")];
}
