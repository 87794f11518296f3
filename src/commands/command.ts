import type { Failure } from "../engine/failure.ts";
import type { Environment } from "../host/keyring.ts";

export interface Flag {
  readonly type: "boolean" | "string";
  readonly short?: string;
  readonly multiple?: boolean;
  /** What stands for the value in help: `NAME`. */
  readonly value?: string;
  readonly help: string;
  /** The schemes that take it; absent: it goes with any. */
  readonly schemes?: readonly string[];
}

export interface Arguments {
  readonly positionals: readonly string[];
  /** What came behind `--`. */
  readonly rest: readonly string[];
  flag(name: string): boolean;
  text(name: string): string | undefined;
  texts(name: string): readonly string[];
  /** The values of several flags in the order in which they were typed. */
  inOrder(...names: string[]): readonly { readonly name: string; readonly value: string }[];
}

/** Where a command reads and prints. Results go to stdout, everything said to a person to stderr. */
export interface Talk {
  readonly environment: Environment;
  readonly json: boolean;
  /** One line, or lines, of the result. */
  print(text: string): void;
  printJson(value: unknown): void;
  say(text: string): void;
}

export interface Command {
  /** Behind the command's name: `<service> [flags]`. */
  readonly usage: string;
  readonly flags: Readonly<Record<string, Flag>>;
  readonly positionals: { readonly least: number; readonly most: number };
  /** The positionals are another command's line, flags and all: its first word ends the own flags. */
  readonly runsCommand?: boolean;
  /** What stands behind `--` is not its own; otherwise `--` only ends the flags, as everywhere. */
  readonly takesRest?: boolean;
  /** Lines of further help. */
  readonly notes?: readonly string[];
  /** The exit status, or a failure that is printed with its own. */
  run(args: Arguments, talk: Talk): Promise<number | Failure>;
}
