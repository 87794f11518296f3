// git and gh run behind janee's guards: what the repository's own settings would run or redirect is looked at first.
import { Failure } from "../failure.ts";
import type { SpawnOrder } from "../ports.ts";
import { unsafeGitConfig } from "./git-config.ts";
import { gitGuards } from "./git-guards.ts";
import { needsCredential, usesGit } from "./presets.ts";

/** The arguments and the environment of a command, with what janee adds to them. */
export function guarded(
  command: readonly string[],
  environment: ReadonlyMap<string, string>,
): Pick<SpawnOrder, "args" | "environment"> {
  const [name = "", ...args] = command;
  if (!usesGit(name)) return { args, environment };
  const guards = gitGuards();
  const isGit = !/gh(?:\.exe)?$/i.test(name);
  return {
    // The environment reaches the git that gh starts as well; arguments are git's alone.
    args: isGit ? [...guards.args, ...args] : args,
    environment: new Map([...guards.environment, ...environment]),
  };
}

/** Whether git itself will ask for the service's password. */
export function asksPassword(command: readonly string[]): boolean {
  return /(?:^|[\\/])git(?:\.exe)?$/i.test(command[0] ?? "") && needsCredential(command);
}

export function refuseSettings(listing: string): Failure | undefined {
  const key = unsafeGitConfig(listing);
  if (key === undefined) return undefined;
  return new Failure(
    "argv_denied",
    `this repository's own settings would run or redirect something: ${key}`,
    {
      next: "ask the person to look at the settings of this repository",
    },
  );
}
