// Flags are strict: unknown ones are refused with the nearest right name, repeated ones are kept.
import { parseArgs } from "node:util";
import { Failure } from "../engine/failure.ts";
import { didYouMean } from "../engine/nearest.ts";
import type { Arguments, Command, Flag } from "./command.ts";

export const commonFlags: Readonly<Record<string, Flag>> = {
  json: { type: "boolean", help: "print JSON" },
  help: { type: "boolean", short: "h", help: "show this help" },
};

export function readArguments(name: string, command: Command, argv: readonly string[]): Arguments | Failure {
  const flags = { ...command.flags, ...commonFlags };
  const { own, rest } = command.runsCommand ? splitCommand(argv, flags) : splitAtDashes(argv);
  const { tokens } = parseArgs({
    args: [...own],
    options: flags,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values = new Map<string, string[]>();
  const positionals: string[] = [];
  const typed: { name: string; value: string }[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const flag = flags[token.name];
    if (!flag) return unknownFlag(name, token.rawName, flags);
    const given = token.value;
    if (flag.type === "boolean" && given !== undefined) return usage(name, `${token.rawName} takes no value`);
    if (flag.type === "string" && (given === undefined || given === "")) {
      return usage(name, `${token.rawName} needs a value: ${token.rawName} ${flag.value ?? "VALUE"}`);
    }
    const known = values.get(token.name) ?? [];
    if (known.length > 0 && !flag.multiple && flag.type === "string") {
      return usage(name, `${token.rawName} was given twice`);
    }
    values.set(token.name, [...known, given ?? ""]);
    typed.push({ name: token.name, value: given ?? "" });
  }
  const wantsHelp = values.has("help");
  const { least, most } = command.positionals;
  if (!command.runsCommand && !command.takesRest) positionals.push(...rest);
  if (!wantsHelp && positionals.length < least)
    return usage(name, `expected: janee ${name} ${command.usage}`);
  if (!wantsHelp && positionals.length > most) {
    return usage(name, `unexpected argument; expected: ${`janee ${name} ${command.usage}`.trimEnd()}`);
  }
  return {
    positionals,
    rest,
    flag: (flag) => values.has(flag),
    text: (flag) => values.get(flag)?.at(-1),
    texts: (flag) => values.get(flag) ?? [],
    inOrder: (...names) => typed.filter((one) => names.includes(one.name)),
  };
}

interface Split {
  readonly own: readonly string[];
  readonly rest: readonly string[];
}

function splitAtDashes(argv: readonly string[]): Split {
  const split = argv.indexOf("--");
  return split < 0 ? { own: argv, rest: [] } : { own: argv.slice(0, split), rest: argv.slice(split + 1) };
}

/** The own flags end at `--`, or at the first word that is neither a flag nor the value of one. */
function splitCommand(argv: readonly string[], flags: Readonly<Record<string, Flag>>): Split {
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? "";
    if (word === "--") return { own: argv.slice(0, at), rest: argv.slice(at + 1) };
    if (!word.startsWith("-")) return { own: argv.slice(0, at), rest: argv.slice(at) };
    if (flags[word.slice(2)]?.type === "string") at += 1;
  }
  return { own: argv, rest: [] };
}

function unknownFlag(name: string, written: string, flags: Readonly<Record<string, Flag>>): Failure {
  const names = Object.keys(flags).map((flag) => `--${flag}`);
  return usage(name, `unknown flag ${written.slice(0, 40)}${didYouMean(written, names)}`);
}

function usage(name: string, message: string): Failure {
  return new Failure("usage", message, { next: `janee ${name} --help` });
}
