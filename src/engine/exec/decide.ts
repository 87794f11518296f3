import type { ExecPolicy } from "../config.ts";
import type { Failure } from "../failure.ts";
import { commandDenied } from "./denied.ts";

export interface CommandDecision {
  readonly effect: "allow" | "ask";
  readonly rule?: { readonly text: string };
}

export function decideCommand(policy: ExecPolicy, command: readonly string[]): CommandDecision | Failure {
  const [name = ""] = command;
  return policy.allowCommands.includes(name) ? { effect: "allow" } : commandDenied();
}
