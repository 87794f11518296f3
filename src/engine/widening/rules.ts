// Rules under "first match wins".
import type { Rule, RuleList } from "../rule.ts";
import { type Change, other, wider } from "./change.ts";
import { narrowsBy } from "./narrows.ts";

export function ruleChanges(before: RuleList, after: RuleList): Change[] {
  if (!after.rules) return before.rules ? [wider("rules removed: the whole service is open")] : [];
  if (!before.rules) return [other(`rules: from unrestricted to ${after.rules.length} rules`)];
  const [from, to] = [before.rules, after.rules];
  if (from.length === to.length && from.every((rule, at) => sameRule(rule, to[at]))) return [];
  const widens = !narrows(from, to);
  const lines = [
    ...to
      .filter((rule) => !from.some((old) => sameRule(old, rule)))
      .map((rule) => `rule added: ${rule.text}`),
    ...from
      .filter((old) => !to.some((rule) => sameRule(old, rule)))
      .map((old) => `rule removed: ${old.text}`),
  ];
  return (lines.length > 0 ? lines : ["rules in another order or number"]).map((line) => ({ widens, line }));
}

export function narrows(before: readonly Rule[], after: readonly Rule[]): boolean {
  return narrowsBy(before, after, sameRule);
}

function sameRule(one: Rule, two: Rule | undefined): boolean {
  return one.effect === two?.effect && one.method === two.method && one.path === two.path;
}
