// Paths in arguments: what would read a process, and what lies outside the folder of the command.
import { shown } from "./options.ts";

/** /proc/self/environ is the credential in a file; `x/../../proc` and `//proc` are other spellings of it. */
export function readsProcess(argument: string): string | undefined {
  const flat = argument.replace(/\/(?:\.?\/)+/g, "/");
  if (!/(?:^|[=@:,\s]|\.\.)\/(?:proc|dev\/fd|dev\/std)(?:\/|$|in|err|out)/i.test(flat)) return undefined;
  return `${shown(argument)} leads into a process and its environment`;
}

export function problemInFolder(path: string): string | undefined {
  const plain = !/^[/~-]/.test(path) && !/^[A-Za-z]:/.test(path) && !/[\\:]/.test(path);
  if (plain && path !== "" && !path.split("/").includes("..")) return undefined;
  return `${shown(path)} is refused: expected a folder inside the working directory`;
}
