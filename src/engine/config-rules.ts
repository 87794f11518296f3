import { isMap, isScalar } from "yaml";
import type { Place } from "./config-place.ts";
import { Failure } from "./failure.ts";
import { didYouMean } from "./nearest.ts";
import { type Effect, effects, parseRule, type Rule } from "./rule.ts";

const code = "config_invalid_rule";
const shape = "a list with one rule per line, such as - allow: GET /v1/*";

export interface PlacedRule {
  readonly rule: Rule;
  readonly place: Place;
}

export function rulesOf(place: Place): readonly PlacedRule[] | undefined {
  if (place.empty) {
    const message =
      "rules without a value: write rules: [] to allow nothing, or remove the key to allow everything";
    return place.refuse(message, { code });
  }
  if (isMap(place.node)) {
    return place.refuse(`rules in map form have no order: expected ${shape}`, { code });
  }
  return place.items(shape, { code })?.flatMap((item) => {
    const rule = ruleOf(item);
    return rule ? [{ rule, place: item }] : [];
  });
}

function ruleOf(place: Place): Rule | undefined {
  const form = "one rule, such as - allow: GET /v1/*";
  if (!isMap(place.node)) {
    const text = isScalar(place.node) ? place.node.value : undefined;
    const glued = typeof text === "string" && /^(?:allow|deny|ask):/i.test(text);
    if (glued) return place.refuse(`expected ${form}: lower case, and a space after the colon`, { code });
    return place.expected(form, { code });
  }
  const entries = place.entries({ code });
  const [first, second] = [...(entries ?? [])];
  if (!entries || !first) return place.refuse(`expected ${form}`, { code });
  if (second) {
    const message = "two keys in one rule have no order: give each rule a line and a dash of its own";
    return place.reading.refuse(second[1].keyOffset, message, { code });
  }
  const [key, value] = first;
  const effect = effects.find((one) => one === key);
  if (!effect) {
    const message = `expected allow, deny or ask${didYouMean(key, effects)}`;
    return place.reading.refuse(value.keyOffset, message, { code });
  }
  return parsed(effect, value);
}

function parsed(effect: Effect, place: Place): Rule | undefined {
  const node = place.node;
  if (!isScalar(node) || typeof node.value !== "string") {
    const quoted = `expected "METHOD PATH" or "*" as text: quote the rule, and give each rule a line of its own`;
    return place.refuse(quoted, { code });
  }
  const end = node.range?.[1] ?? 0;
  if (node.type === "PLAIN" && /^[ \t]#\S/.test(place.reading.text.slice(end, end + 3))) {
    const message =
      '" #" begins a comment here, so the rule ends before it: put comments on their own line, or write "%23"';
    return place.reading.refuse(end, message, { code });
  }
  const rule = parseRule(effect, node.value);
  return rule instanceof Failure ? place.refuse(rule.message, { code: rule.code }) : rule;
}
