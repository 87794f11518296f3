// `allow`, `ask` or `deny`, then the arguments of one command. Top to bottom, the first match wins; with rules and
// no match: denied. `*` alone is any run of arguments, also none; inside an element it is any run of characters.
import { type Effect, globMatcher } from "../rule.ts";

export interface ArgsRule {
  readonly effect: Effect;
  readonly pattern: readonly string[];
  /** As the config shows it: `gh: allow: ["issue", "list", "*"]`. */
  readonly text: string;
  readonly matches: (args: readonly string[]) => boolean;
}

export interface ArgsDecision {
  readonly effect: Effect;
  /** Absent when no rule matched, or when the command has no rules. */
  readonly rule?: ArgsRule;
}

export function argsRule(command: string, effect: Effect, pattern: readonly string[]): ArgsRule {
  const shown = pattern.map((element) => JSON.stringify(element)).join(", ");
  return { effect, pattern, text: `${command}: ${effect}: [${shown}]`, matches: matcher(pattern) };
}

/** `undefined`: the command has no rules of its own. */
export function decideArgs(rules: readonly ArgsRule[] | undefined, args: readonly string[]): ArgsDecision {
  if (!rules) return { effect: "allow" };
  const rule = rules.find((one) => one.matches(args));
  return rule ? { effect: rule.effect, rule } : { effect: "deny" };
}

type Test = (argument: string) => boolean;

/** The runs between stars are searched from the left, each as early as it fits: no star needs a second try. */
function matcher(pattern: readonly string[]): (args: readonly string[]) => boolean {
  const runs: Test[][] = [[]];
  for (const element of pattern) {
    if (element === "*") runs.push([]);
    else runs.at(-1)?.push(elementMatcher(element));
  }
  const [first = [], ...others] = runs;
  const last = others.pop();
  if (!last) return (args) => args.length === first.length && fits(first, args, 0);
  return (args) => {
    const end = args.length - last.length;
    if (end < first.length || !fits(first, args, 0)) return false;
    let from = first.length;
    for (const run of others) {
      while (from + run.length <= end && !fits(run, args, from)) from++;
      from += run.length;
      if (from > end) return false;
    }
    return fits(last, args, end);
  };
}

function fits(run: readonly Test[], args: readonly string[], from: number): boolean {
  return run.every((test, at) => {
    const argument = args[from + at];
    return argument !== undefined && test(argument);
  });
}

function elementMatcher(element: string): Test {
  return element.includes("*") ? globMatcher(element.split("*")) : (argument) => argument === element;
}

/** Every argument list that `narrow` matches is one that `wide` matches; false where that is not certain. */
export function coversArgs(wide: readonly string[], narrow: readonly string[]): boolean {
  return coversRun(wide, narrow, (one, other) => other !== "*" && coversRun([...one], [...other], Object.is));
}

const mostCells = 250_000;

function coversRun(
  outer: readonly string[],
  inner: readonly string[],
  covers: (one: string, other: string) => boolean,
): boolean {
  if (outer.length * inner.length > mostCells) return false;
  // row[at]: the rest of `outer` covers the rest of `inner` from `at` on.
  let below = Array.from({ length: inner.length + 1 }, (_, at) => at === inner.length);
  for (const token of outer.toReversed()) {
    const row: boolean[] = Array.from({ length: inner.length + 1 }, () => false);
    for (let at = inner.length; at >= 0; at--) {
      const other = inner[at];
      if (token === "*") row[at] = below[at] === true || (other !== undefined && row[at + 1] === true);
      else row[at] = other !== undefined && other !== "*" && covers(token, other) && below[at + 1] === true;
    }
    below = row;
  }
  return below[0] === true;
}
