// Which preset goes with which command. It applies always, before the rules of the config: those can narrow it only.
import { ghPreset } from "./gh.ts";
import { gitArguments, gitPreset, gitTalks } from "./git.ts";
import { vendorCommands, vendorPreset } from "./vendors.ts";

export type Preset = (args: readonly string[]) => string | undefined;

/** Undefined for a command that janee knows nothing about. */
export function presetFor(command: string): Preset | undefined {
  const name = baseName(command);
  if (name === "git") return gitPreset;
  if (name === "gh") return ghPreset;
  return vendorCommands.includes(name) ? (args) => vendorPreset(name, args) : undefined;
}

/** The arguments as the rules of the config see them: what changes nothing is not in the way of a rule. */
export function ruleArguments(command: string, args: readonly string[]): readonly string[] {
  return baseName(command) === "git" ? gitArguments(args) : args;
}

/** Whether a run gets the credential. A git that talks to no service needs none, and a repository could take it. */
export function needsCredential(command: readonly string[]): boolean {
  const [name = "", ...args] = command;
  return baseName(name) !== "git" || gitTalks(args);
}

/** Commands in front of a repository that somebody else may have written: git, and gh, which starts git. */
export function usesGit(command: string): boolean {
  return /^(?:git|gh)$/.test(baseName(command));
}

function baseName(command: string): string {
  return (command.split(/[\\/]/).at(-1) ?? "").toLowerCase().replace(/\.exe$/, "");
}
