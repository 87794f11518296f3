// git and gh run behind janee's guards: what the repository's own settings would run or redirect is looked at first,
// and only what talks to the service gets its credential.
import { Failure } from "../failure.ts";
import type { Program, SpawnOrder } from "../ports.ts";
import { gitTalks } from "./git.ts";
import { unsafeGitConfig } from "./git-config.ts";
import { gitGuards, gitLook } from "./git-guards.ts";

export type Tool = "git" | "gh" | "other";

export function toolOf({ name }: Program): Tool {
  const [, tool] = /(?:^|[\\/])(git|gh)(?:\.exe)?$/i.exec(name) ?? [];
  return (tool?.toLowerCase() as Tool | undefined) ?? "other";
}

/** What is added to the arguments and the environment of the command. */
export function guarded(
  tool: Tool,
  args: readonly string[],
  environment: ReadonlyMap<string, string>,
): Pick<SpawnOrder, "args" | "environment"> {
  if (tool === "other") return { args, environment };
  const guards = gitGuards();
  if (tool === "gh") return { args, environment: new Map([...guards.environment, ...environment]) };
  const secret = gitTalks(args) ? environment : new Map<string, string>();
  return {
    args: [...guards.args, ...args],
    environment: new Map([...guards.environment, ...secret]),
  };
}

/** Whether git itself will ask for the service's password. */
export function asksPassword(tool: Tool, args: readonly string[]): boolean {
  return tool === "git" && gitTalks(args);
}

/** How the settings of the repository are listed, without the credential. */
export function lookOrder(): Pick<SpawnOrder, "args" | "environment"> {
  return gitLook();
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
