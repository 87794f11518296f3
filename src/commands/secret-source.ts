// A secret as it is given on a command line: typed, from standard input, from a variable, or from a file.
import { readFileSync } from "node:fs";
import { Failure } from "../engine/failure.ts";
import { readStdinAll } from "../host/terminal.ts";
import type { Arguments, Talk } from "./command.ts";

const longestKey = 64 * 1024;

export interface SecretSource {
  readonly flags: {
    readonly value: string;
    readonly variable: string;
    readonly file: string;
    readonly stdin?: string;
  };
  /** --key, --key-env, --key-file and --key-stdin mean this secret too. */
  readonly alsoKey: boolean;
}

export const keyFlags: SecretSource["flags"] = {
  value: "key",
  variable: "key-env",
  file: "key-file",
  stdin: "key-stdin",
};

/** Without the line break at its end; undefined where no flag gives it. */
export async function readSecretText(
  args: Arguments,
  talk: Talk,
  source: SecretSource,
  what: string,
): Promise<string | Failure | undefined> {
  const families = source.alsoKey ? [source.flags, keyFlags] : [source.flags];
  const given = families.flatMap((family) => Object.values(family)).filter((flag) => args.flag(flag));
  const once = [...new Set(given)];
  if (once.length === 0) return undefined;
  if (once.length > 1) return new Failure("usage", `give it once: not both --${once.join(" and --")}`);
  const family = families.find((flags) => Object.values(flags).includes(once[0] ?? "")) ?? keyFlags;
  const text = await textFrom(args, talk, family);
  if (text instanceof Failure) return text;
  const secret = text.replace(/(?:\r?\n)+$/, "");
  if (secret !== text && !secret.includes("\n"))
    talk.say("janee: the line break at the end of the key was left out");
  return secret === "" ? new Failure("usage", `${what} is empty`) : secret;
}

async function textFrom(
  args: Arguments,
  talk: Talk,
  flags: SecretSource["flags"],
): Promise<string | Failure> {
  const typed = args.text(flags.value);
  if (typed !== undefined) return typed;
  if (flags.stdin !== undefined && args.flag(flags.stdin)) {
    const read = await readStdinAll(longestKey);
    return read instanceof Failure ? read : read.toString();
  }
  const variable = args.text(flags.variable);
  if (variable !== undefined) {
    return (
      talk.environment[variable] ??
      new Failure("usage", `--${flags.variable}: the variable ${variable.slice(0, 64)} is not set`, {
        next: "export it in this shell, and give its name without the $",
      })
    );
  }
  return secretFile(args.text(flags.file) ?? "");
}

export function secretFile(path: string): string | Failure {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return new Failure("usage", `the file ${path} cannot be read`, {
      next: "name a file that is there and that you may read, from here or by its whole path",
    });
  }
}
