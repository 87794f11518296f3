// How another program starts this very janee.
import { existsSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Program } from "../engine/stanza.ts";
import type { Environment } from "./keyring.ts";
import { isCompiled, runtimeName } from "./runtime.ts";

const windows = process.platform === "win32";

/**
 * Always whole paths: programs with windows are started without the PATH of a shell. The place on PATH is preferred
 * where it leads to this executable, since it stays when a new version moves the file behind it.
 */
export function thisProgram(environment: Environment): Program {
  if (isCompiled) {
    const named = onPath("janee", environment);
    const same = named !== undefined && realPath(named) === realPath(process.execPath);
    return { command: same ? named : process.execPath, args: [] };
  }
  const main = fileURLToPath(new URL("../main.ts", import.meta.url));
  const before = runtimeName() === "deno" ? ["run", "-A", "--quiet"] : [];
  return { command: process.execPath, args: [...before, main] };
}

/** The file that a command names, links followed; undefined when there is none. */
export function programFile(command: string, environment: Environment): string | undefined {
  const place = isAbsolute(command) ? command : onPath(command, environment);
  return place === undefined ? undefined : realPath(place);
}

/** What a client must pass on because it starts programs with little of the environment. Places, never secrets. */
export function carriedEnvironment(environment: Environment, home: string): Record<string, string> {
  const user = homedir();
  const carried: Record<string, string> = {};
  if (home !== join(user, ".janee")) carried.JANEE_HOME = home;
  const state = environment.XDG_STATE_HOME;
  const usual = !state || !isAbsolute(state) || state === join(user, ".local", "state");
  if (process.platform === "linux" && !usual) carried.XDG_STATE_HOME = state;
  if (environment.JANEE_KEY_FILE) carried.JANEE_KEY_FILE = environment.JANEE_KEY_FILE;
  return carried;
}

function onPath(name: string, environment: Environment): string | undefined {
  if (/[\\/]/.test(name)) return undefined;
  const file = windows && !/\.exe$/i.test(name) ? `${name}.exe` : name;
  const folders = (environment.PATH ?? environment.Path ?? "").split(delimiter).filter(isAbsolute);
  return folders.map((folder) => join(folder, file)).find((path) => existsSync(path));
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
