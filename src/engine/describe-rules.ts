import type { Capability } from "./config.ts";
import type { Rule } from "./rule.ts";

function isOpen(first: Rule | undefined): boolean {
  return first?.effect === "allow" && first.method === "*" && first.path === "*";
}

/** Whether it may do whatever its service can: without rules, or with one that allows all before any other. */
export function isWideOpen({ mode, rules }: Capability): boolean {
  return mode === "http" && (rules.unrestricted || isOpen(rules.rules?.[0]));
}

/** The rules of a capability as they are written, for programs: no word of janee's own among them. */
export function rulesAsWritten({ rules, exec }: Capability): string[] {
  if (exec) return [...exec.args.values()].flatMap((list) => list.map(({ text }) => text));
  return (rules.rules ?? []).map(({ text }) => text);
}

/** The rules of a capability, one a line, as a person reads them. */
export function describeRules(capability: Capability): string[] {
  if (capability.mode === "exec") return describeCommands(capability);
  const rules = capability.rules.rules;
  if (rules === undefined) return ["unrestricted: every method and path of the service"];
  if (rules.length === 0) return ["nothing is allowed"];
  if (isOpen(rules[0])) return ['allow: "*" (unrestricted: every method and path of the service)'];
  const closed = rules.at(-1)?.path === "*" && rules.at(-1)?.method === "*";
  const texts = rules.map((rule) => rule.text);
  return closed ? texts : [...texts, "everything else is denied"];
}

function describeCommands({ exec }: Capability): string[] {
  if (!exec) return ["commands: none"];
  const texts = [...exec.args].flatMap(([command, rules]) => {
    if (rules.length === 0) return [`${command}: nothing is allowed`];
    const closed = rules.at(-1)?.pattern.join() === "*";
    return [...rules.map(({ text }) => text), ...(closed ? [] : [`${command}: everything else is denied`])];
  });
  return [`commands: ${exec.allowCommands.join(", ") || "none"}`, ...texts];
}
