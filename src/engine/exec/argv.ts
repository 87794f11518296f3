// What any command line must be before a rule is asked: a list of plain strings whose first is a listed name.
import { Failure } from "../failure.ts";
import { commandDenied } from "./denied.ts";

export const mostArguments = 1000;
export const mostBytes = 128 * 1024;

/** Takes whatever came off a wire: that it is a list of strings is part of what is checked. */
export function checkArgv(command: readonly string[], allowed: readonly string[]): Failure | undefined {
  const problem = problemInArgv(command);
  if (problem) {
    const next = 'give the command as a list of strings, such as ["gh", "issue", "list"]';
    return new Failure("bad_argv", problem, { next });
  }
  // Byte for byte: "/tmp/gh", "./gh", "GH" and "gh " are other commands than "gh".
  return allowed.some((name) => name === command[0]) ? undefined : commandDenied();
}

function problemInArgv(command: unknown): string | undefined {
  if (!Array.isArray(command))
    return "expected the command as a list: there is no shell that would split text";
  if (command.length === 0) return "expected a command, found an empty list";
  if (command.length > mostArguments) return `expected at most ${mostArguments} arguments`;
  let bytes = 0;
  // By index, which sees the holes of a list that `for of` and `some` would pass over differently.
  for (let at = 0; at < command.length; at++) {
    const argument: unknown = command[at];
    if (typeof argument !== "string") return `expected strings only: argument ${at} is none`;
    if (argument.includes("\0")) return `argument ${at} holds a NUL character`;
    if (!argument.isWellFormed()) return `argument ${at} holds half of a character (a lone surrogate)`;
    bytes += Buffer.byteLength(argument) + 1;
    if (bytes > mostBytes) return `the command line is over ${mostBytes / 1024} KiB`;
  }
  return command[0] === "" ? "expected the name of a command, found nothing" : undefined;
}
