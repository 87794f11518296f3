import type { Capability } from "../engine/config.ts";

/** The rules of a capability, one a line, as a person reads them. */
export function describeRules(capability: Capability): string[] {
  if (capability.mode === "exec") return [`commands: ${capability.exec?.allowCommands.join(", ") ?? "none"}`];
  const rules = capability.rules.rules;
  if (rules === undefined) return ["unrestricted: every method and path of the service"];
  if (rules.length === 0) return ["nothing is allowed"];
  const closed = rules.at(-1)?.path === "*" && rules.at(-1)?.method === "*";
  const texts = rules.map((rule) => rule.text);
  return closed ? texts : [...texts, "everything else is denied"];
}
