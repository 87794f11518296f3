// Where a client keeps its file, on each system.
import type { Client, Place, System } from "./clients.ts";

export interface Surroundings {
  readonly system: System;
  /** The user's home folder. */
  readonly home: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The files that the client may have, the one that it prefers first. */
export function userFiles(client: Client, where: Surroundings): string[] {
  return client.places[where.system].map((place) => fileOf(place, where));
}

export function projectFiles(client: Client, folder: string, system: System): string[] {
  return (client.project ?? []).map((path) => joined(system, folder, ...path.split("/")));
}

function fileOf([base, ...path]: Place, where: Surroundings): string {
  const { system, home } = where;
  const set = (name: string): string | undefined => absolute(where.environment[name], system);
  if (typeof base === "object") {
    return joined(system, set(base.variable) ?? joined(system, home, base.or), ...path);
  }
  if (base === "home") return joined(system, home, ...path);
  if (base === "support") return joined(system, home, "Library", "Application Support", ...path);
  if (base === "appdata") {
    return joined(system, set("APPDATA") ?? joined(system, home, "AppData", "Roaming"), ...path);
  }
  return joined(system, set("XDG_CONFIG_HOME") ?? joined(system, home, ".config"), ...path);
}

/** A relative path in such a variable is to be ignored (XDG Base Directory Specification). */
function absolute(path: string | undefined, system: System): string | undefined {
  if (path === undefined) return undefined;
  const whole = system === "windows" ? /^(?:[A-Za-z]:[\\/]|\\\\)/ : /^\//;
  return whole.test(path) ? path : undefined;
}

function joined(system: System, ...parts: readonly string[]): string {
  const separator = system === "windows" ? "\\" : "/";
  const [first = "", ...rest] = parts.filter((part) => part !== "");
  return [first.replace(/(?<=.)[\\/]$/, ""), ...rest].join(separator).replace(/^\/\//, "/");
}
