// Whether a command line may run. Pure: listing, MCP, `janee exec` and `why` ask the same question and get one answer.
import type { ExecPolicy } from "../config.ts";
import { Failure } from "../failure.ts";
import { decideArgs } from "./args-rule.ts";
import { checkArgv } from "./argv.ts";
import { presetFor, ruleArguments } from "./presets.ts";

export interface CommandDecision {
  readonly effect: "allow" | "ask";
  /** As the config shows it; absent where the command has no rules. */
  readonly rule?: string;
}

/** The command itself, then what no rule can allow, then the rules of the config. */
export function decideCommand(policy: ExecPolicy, command: readonly string[]): CommandDecision | Failure {
  const refused = checkArgv(command, policy.allowCommands);
  if (refused) return refused;
  const [name = "", ...args] = command;
  const reason = presetFor(name)?.(args);
  if (reason !== undefined) {
    const next = "write the command without it; no rule of the capability allows this";
    return new Failure("argv_denied", reason, { next });
  }
  const { effect, rule } = decideArgs(policy.args.get(name), ruleArguments(name, args));
  if (effect === "deny") {
    const next = "list_capabilities shows which arguments it allows";
    if (rule)
      return new Failure("argv_denied", "a rule on the arguments denies this", { rule: rule.text, next });
    return new Failure("argv_denied", "no rule on the arguments allows this", { next });
  }
  return rule ? { effect, rule: rule.text } : { effect };
}
