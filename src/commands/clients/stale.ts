// Whether a stanza still leads to this janee.
import { existsSync } from "node:fs";
import type { ClientServer } from "../../engine/client-server.ts";
import { serverName } from "../../engine/stanza.ts";
import type { Environment } from "../../host/keyring.ts";
import { programFile, thisProgram } from "../../host/program.ts";

export function isJanee({ name, command = "" }: ClientServer): boolean {
  return name === serverName || /(?:^|[\\/])janee(?:\.exe)?$/i.test(command);
}

/** Why it does not; undefined when it does, or when nothing tells. `serving`: the address of the running serve. */
export function whyStale(
  { command, args, url, environment: variables }: ClientServer,
  environment: Environment,
  serving: string | undefined,
): string | undefined {
  const home = variables.find(({ name }) => name === "JANEE_HOME")?.value;
  if (home !== undefined && !isReference(home) && !existsSync(home)) {
    return `names a JANEE_HOME that does not exist: ${home}`;
  }
  if (url !== undefined && command === undefined) return whyElsewhere(url, serving);
  if (command === undefined) return "names no program and no address";
  // Only the client knows what its variables hold.
  if (isReference(command)) return undefined;
  const file = programFile(command, environment);
  if (file === undefined) return `starts ${command}, which does not exist`;
  const here = thisProgram(environment);
  if (file !== programFile(here.command, environment)) return `starts ${command}, which is not this janee`;
  if (here.args.some((arg, index) => args[index] !== arg)) return "starts another source than this janee";
  return args[here.args.length] === "mcp" ? undefined : "does not start janee mcp";
}

function whyElsewhere(url: string, serving: string | undefined): string | undefined {
  if (serving === undefined || !URL.canParse(url) || !URL.canParse(serving)) return undefined;
  const [named, running] = [new URL(url), new URL(serving)];
  if (named.port === running.port) return undefined;
  return `names port ${named.port || "80"}, and janee serve listens on ${running.port || "80"}`;
}

function isReference(text: string): boolean {
  return /[${}%]/.test(text);
}
