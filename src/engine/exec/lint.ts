// What a person should know about a capability in exec mode. Each finding is certain, never a guess.
import type { Capability } from "../config.ts";
import type { Finding } from "../config-place.ts";
import type { Position } from "../failure.ts";
import { type ArgsRule, coversArgs } from "./args-rule.ts";
import { presetFor, usesGit } from "./presets.ts";

/** More than anyone writes by hand; the comparison of all pairs grows with the square. */
const mostRules = 200;

export function lintExec(
  { name, exec }: Capability,
  places: ReadonlyMap<string, readonly Position[]> = new Map(),
): readonly Finding[] {
  if (!exec) return [];
  const open = exec.allowCommands.filter((command) => usesGit(command) && !exec.args.has(command));
  const unruled = open.map((command) => ({
    message: `capability ${name}: ${command} has no rules under args, so it may do all that janee lets ${command} do: also write, push and delete`,
  }));
  const ruled = [...exec.args].flatMap(([command, all]) => {
    const rules = all.slice(0, mostRules);
    return rules.flatMap((rule, index): Finding[] => {
      const at = places.get(command)?.[index];
      const problem = neverDecides(rule, rules.slice(0, index)) ?? neverPasses(command, rule);
      if (problem === undefined) return [];
      const message = `capability ${name}: "${rule.text}" ${problem}`;
      return [at ? { message, at } : { message }];
    });
  });
  return [...unruled, ...ruled];
}

function neverDecides(rule: ArgsRule, earlier: readonly ArgsRule[]): string | undefined {
  const above = earlier.find(({ pattern }) => coversArgs(pattern, rule.pattern));
  return above && `can never match: "${above.text}" above it decides first`;
}

/** A rule without stars stands for one command line, and that one can be tried. */
function neverPasses(command: string, { effect, pattern }: ArgsRule): string | undefined {
  if (effect === "deny" || pattern.some((element) => element.includes("*"))) return undefined;
  const reason = presetFor(command)?.(pattern);
  return reason && `allows nothing: ${reason}`;
}
