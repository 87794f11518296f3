// A capability: who may use it, how long, how often, and whether a person is asked.
import type { Capability, Config, RateLimit } from "../config.ts";
import { durationText } from "../config-fields.ts";
import { type Change, listed, named, other, setChanges, wider } from "./change.ts";
import { execChanges } from "./exec.ts";
import { ruleChanges } from "./rules.ts";

export function capabilityChanges(before: Config, after: Config): Change[] {
  const found: Change[] = [];
  for (const [name, capability] of after.capabilities) {
    const old = before.capabilities.get(name);
    const existing = before.services.has(capability.service);
    const change = existing ? wider : other;
    if (!old) found.push(change(`capability ${name}: added, for service ${capability.service}`));
    else if (old.service !== capability.service) {
      found.push(change(`capability ${name}: service ${old.service} → ${capability.service}`));
    } else found.push(...named(`capability ${name}`, oneCapability(old, capability)));
  }
  for (const name of before.capabilities.keys()) {
    if (!after.capabilities.has(name)) found.push(other(`capability ${name}: removed`));
  }
  return found;
}

function oneCapability(before: Capability, after: Capability): Change[] {
  const found: Change[] = [];
  const judge = (changed: boolean, widens: boolean, line: string): void => {
    if (changed) found.push({ widens, line });
  };
  judge(before.mode !== after.mode, true, `mode ${before.mode} → ${after.mode}`);
  judge(
    before.ttlMs !== after.ttlMs,
    after.ttlMs > before.ttlMs,
    `ttl ${durationText(before.ttlMs)} → ${durationText(after.ttlMs)}`,
  );
  judge(
    before.autoApprove !== after.autoApprove,
    after.autoApprove,
    after.autoApprove ? "autoApprove turned on: no human confirms a session" : "autoApprove turned off",
  );
  judge(
    before.approval !== after.approval,
    after.approval === "any",
    `approval ${before.approval} → ${after.approval}`,
  );
  judge(
    before.requireReason !== after.requireReason,
    !after.requireReason,
    after.requireReason ? "a reason is required" : "no reason is required any more",
  );
  judge(
    before.limit?.text !== after.limit?.text,
    !narrowerLimit(before.limit, after.limit),
    `limit ${before.limit?.text ?? "none"} → ${after.limit?.text ?? "none"}`,
  );
  found.push(...agentChanges(before.allowedAgents, after.allowedAgents));
  found.push(...ruleChanges(before.rules, after.rules));
  if (before.exec && after.exec) found.push(...execChanges(before.exec, after.exec));
  judge(before.description !== after.description, false, "description changed");
  return found;
}

/** No window of the old limit lets more through under the new one. */
function narrowerLimit(before: RateLimit | undefined, after: RateLimit | undefined): boolean {
  if (!before) return true;
  return after !== undefined && after.windowMs >= before.windowMs && after.count <= before.count;
}

function agentChanges(before: readonly string[] | undefined, after: readonly string[] | undefined): Change[] {
  if (before === undefined) return after === undefined ? [] : [other(`allowedAgents: only ${listed(after)}`)];
  if (after === undefined) return [wider("allowedAgents removed: every agent may use it")];
  return setChanges("allowedAgents", before, after);
}
