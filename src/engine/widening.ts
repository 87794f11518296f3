// What a new config lets an existing credential do that the old one did not: the lines a person is asked
// about, and the audit trail keeps. What is not provably narrower counts as wider.
import type { Config } from "./config.ts";
import { capabilityChanges } from "./widening/capability.ts";
import { type Change, other } from "./widening/change.ts";
import { networkChanges, storeChanges } from "./widening/network.ts";
import { serviceChanges } from "./widening/service.ts";

export interface PolicyChanges {
  /** An existing credential can do more, or go elsewhere. */
  readonly widened: readonly string[];
  /** Added, removed, narrowed. */
  readonly other: readonly string[];
}

/** Whether a key is gone whose absence opens a capability: an edit that means it, or a file that was cut off. */
export function dropsGuard(before: Config, after: Config): boolean {
  return [...before.capabilities.values()].some((old) => {
    const now = after.capabilities.get(old.name);
    if (!now) return false;
    const opened = !old.rules.unrestricted && now.rules.unrestricted;
    const unlimited = old.limit !== undefined && now.limit === undefined;
    const forAll = old.allowedAgents !== undefined && now.allowedAgents === undefined;
    const unasked = old.approval !== now.approval || (old.requireReason && !now.requireReason);
    const unguarded = [...(old.exec?.args.keys() ?? []), ...(old.exec?.sha256.keys() ?? [])].some(
      (command) => {
        if (!now.exec?.allowCommands.includes(command)) return false;
        const argsGone = old.exec?.args.has(command) && !now.exec.args.has(command);
        return argsGone || (old.exec?.sha256.has(command) && !now.exec.sha256.has(command));
      },
    );
    return opened || unlimited || forAll || unasked || unguarded;
  });
}

export function widenings(before: Config, after: Config): readonly string[] {
  return changes(before, after).widened;
}

export function changes(before: Config, after: Config): PolicyChanges {
  const found: Change[] = [
    ...serviceChanges(before, after),
    ...capabilityChanges(before, after),
    ...networkChanges(before, after),
    ...storeChanges(before, after),
  ];
  if (before.audit.sync !== after.audit.sync)
    found.push(other(`audit: sync ${after.audit.sync ? "on" : "off"}`));
  const pick = (widens: boolean): string[] =>
    found.filter((one) => one.widens === widens).map((one) => one.line);
  return { widened: pick(true), other: pick(false) };
}
