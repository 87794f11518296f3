// Which options a command line may hold. An allow-list: an option that is not in it is refused, and so is every
// abbreviation, since what an abbreviation stands for is for the command's next version to decide.

export interface Grammar {
  readonly options: ReadonlyMap<string, "none" | "value" | "optional">;
  /** `-5` stands for a number (`git log -5`). */
  readonly numbers: boolean;
}

export interface GivenOption {
  /** As the grammar writes it: `-m`, `--message`. */
  readonly name: string;
  readonly value: string | undefined;
}

export interface ReadArguments {
  readonly options: readonly GivenOption[];
  readonly operands: readonly string[];
  /** What stands behind `--`; undefined when there is none. */
  readonly behind: readonly string[] | undefined;
}

/**
 * Words apart by blanks: `--all` takes no value, `--depth=` needs one, `--color?` takes one only behind a `=` (a short
 * one only glued to it), `-#` is any number.
 */
export function grammar(...lists: readonly string[]): Grammar {
  const words = lists.flatMap((list) => list.split(/\s+/)).filter((word) => word !== "");
  const options = new Map<string, "none" | "value" | "optional">();
  for (const word of words) {
    if (word.endsWith("=")) options.set(word.slice(0, -1), "value");
    else if (word.endsWith("?")) options.set(word.slice(0, -1), "optional");
    else options.set(word, "none");
  }
  return { options, numbers: words.includes("-#") };
}

/** Text such as "- a list" or "---" is no option anywhere, so it can be a value. */
const notAnOption = /^-(?:\s|--(?![\w])|-\s|$)/;

/** The reason, where the line holds something that the grammar does not know. */
export function readArguments(
  { options, numbers }: Grammar,
  args: readonly string[],
): ReadArguments | string {
  const given: GivenOption[] = [];
  const operands: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const argument = args[at] ?? "";
    const next = (name: string): string | undefined => {
      const value = args[at + 1];
      if (value === undefined) return undefined;
      // Whatever begins with a dash is judged as an option, so that no mistake about values lets one through.
      if (value.startsWith("-") && !notAnOption.test(value)) return undefined;
      at++;
      given.push({ name, value });
      return value;
    };
    if (argument === "--") return { options: given, operands, behind: args.slice(at + 1) };
    if (!argument.startsWith("-") || argument === "-") {
      operands.push(argument);
    } else if (argument.startsWith("--")) {
      const equals = argument.indexOf("=");
      const name = equals < 0 ? argument : argument.slice(0, equals);
      const kind = options.get(name);
      if (kind === undefined) return unknown(name, options);
      if (equals >= 0) {
        if (kind === "none") return `${shown(name)} takes no value`;
        given.push({ name, value: argument.slice(equals + 1) });
      } else if (kind !== "value") given.push({ name, value: undefined });
      else if (next(name) === undefined) return needsValue(name);
    } else if (numbers && /^-[0-9]{1,9}$/.test(argument)) {
      given.push({ name: "-#", value: argument.slice(1) });
    } else {
      const problem = readShort(argument, options, given, next);
      if (problem) return problem;
    }
  }
  return { options: given, operands, behind: undefined };
}

/** `-am text`, `-n5`: letters without a value, then at most one with a value, glued or next. */
function readShort(
  argument: string,
  options: Grammar["options"],
  given: GivenOption[],
  next: (name: string) => string | undefined,
): string | undefined {
  if (options.get(argument) === "none") {
    // `-vv` is one word where the grammar has it.
    given.push({ name: argument, value: undefined });
    return undefined;
  }
  const letters = [...argument.slice(1)];
  for (const [place, letter] of letters.entries()) {
    const name = `-${letter}`;
    const kind = options.get(name);
    if (kind === undefined) return unknown(name, options);
    const glued = letters.slice(place + 1).join("");
    if (kind === "none") given.push({ name, value: undefined });
    else if (glued !== "" || kind === "optional") {
      given.push({ name, value: glued === "" ? undefined : glued });
      return undefined;
    } else return next(name) === undefined ? needsValue(name) : undefined;
  }
  return undefined;
}

function unknown(name: string, options: Grammar["options"]): string {
  const long = [...options.keys()].filter((one) => one.startsWith("--") && one.startsWith(name));
  if (name.length > 2 && long.length > 0)
    return `${shown(name)} is abbreviated: write the option out (${long[0]})`;
  return `the option ${shown(name)} is not one that janee lets through here`;
}

function needsValue(name: string): string {
  return `${shown(name)} needs a value: write one that begins with "-" as ${name.startsWith("--") ? `${name}=…` : `${name}…, without a blank`}`;
}

/** What an agent wrote, for a message: bounded and printable. */
export function shown(text: string): string {
  const plain = text.replace(/[^\x20-\x7e]/g, "?");
  return plain.length > 60 ? `${plain.slice(0, 60)}…` : plain;
}
