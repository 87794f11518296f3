// Rules under "first match wins".
import type { Rule, RuleList } from "../rule.ts";
import { type Change, other, wider } from "./change.ts";
import { narrowsBy } from "./narrows.ts";

const reordered = "rules in another order or number";

export function ruleChanges(before: RuleList, after: RuleList): Change[] {
  if (!after.rules) return before.rules ? [wider("rules removed: the whole service is open")] : [];
  if (!before.rules) return [other(`rules: from unrestricted to ${after.rules.length} rules`)];
  const [from, to] = [before.rules, after.rules];
  if (from.length === to.length && from.every((rule, at) => sameRule(rule, to[at]))) return [];
  const lines = [
    ...lacking(from, to).map((rule) => ({ rule, line: `rule added: ${rule.text}`, narrowing: "deny" })),
    ...lacking(to, from).map((rule) => ({ rule, line: `rule removed: ${rule.text}`, narrowing: "allow" })),
  ];
  if (narrows(from, to)) return lines.length > 0 ? lines.map(({ line }) => other(line)) : [other(reordered)];
  // A new deny or a lost allow lets nothing more in by itself: the cause is another line, or the order, or both.
  const causes = lines.filter(({ rule, narrowing }) => rule.effect !== narrowing);
  const withoutCauses = (rules: readonly Rule[]): Rule[] =>
    rules.filter((rule) => !causes.some((cause) => cause.rule === rule));
  const order = narrows(withoutCauses(from), withoutCauses(to)) ? [] : [wider(reordered)];
  return [...order, ...lines.map((one) => ({ widens: causes.includes(one), line: one.line }))];
}

export function narrows(before: readonly Rule[], after: readonly Rule[]): boolean {
  return narrowsBy(before, after, sameRule);
}

function lacking(there: readonly Rule[], here: readonly Rule[]): Rule[] {
  return here.filter((rule) => !there.some((one) => sameRule(one, rule)));
}

function sameRule(one: Rule, two: Rule | undefined): boolean {
  return one.effect === two?.effect && one.method === two.method && one.path === two.path;
}
