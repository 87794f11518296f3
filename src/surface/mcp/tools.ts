// What each tool does, by the broker alone.
import { admit, unknownCapability } from "../../engine/admit.ts";
import { mayKnow } from "../../engine/caller.ts";
import type { Capability } from "../../engine/config.ts";
import { describeRules } from "../../engine/describe-rules.ts";
import { Failure } from "../../engine/failure.ts";
import type { Session } from "../../engine/session.ts";
import { timeLeft } from "../../engine/time-left.ts";
import type { Input, ToolName } from "./arguments.ts";
import { exec } from "./exec.ts";
import { execute } from "./execute.ts";
import type { Asked, McpFace } from "./face.ts";
import type { Output } from "./results.ts";

type Tool<Name extends ToolName> = (
  face: McpFace,
  input: Input<Name>,
  asked: Asked,
) => Promise<Output<Name> | Failure>;

export const tools: { readonly [Name in ToolName]: Tool<Name> } = {
  list_capabilities: async (face, _input, { caller }) => {
    const { config } = face.policy.current();
    const known = [...config.capabilities.values()].filter(({ name }) => mayKnow(caller, name));
    return { capabilities: known.map((capability) => listed(face, capability, caller.owner)) };
  },

  request_access: async (face, { capability, reason, proxy }, { surface, caller }) => {
    const wish = { surface, caller, capability, ...(reason === undefined ? {} : { reason }) };
    const session = await face.broker.requestAccess(wish);
    if (session instanceof Failure) return session;
    const opened = { capability, ...live(session) };
    if (!proxy) return opened;
    const url = face.servingUrl();
    const token = url && face.broker.tokenOf(session);
    if (!token) return { ...opened, note: "janee serve is not running, so there is no base URL" };
    return { ...opened, proxy: { baseUrl: `${url}/${capability}`, token } };
  },

  execute,
  exec,

  explain: async (face, { capability, method, path }, { caller }) => {
    const { config } = face.policy.current();
    if (!mayKnow(caller, capability)) return unknownCapability();
    const wish = { capability, method: method.toUpperCase(), target: path, fields: [] };
    const admission = admit(config, "rules-only", wish, face.sessions.now());
    if (admission instanceof Failure) {
      if (admission.code === "unknown_capability") return admission;
      const { code, message, rule } = admission;
      return { decision: "deny" as const, code, message, ...(rule === undefined ? {} : { rule }) };
    }
    const { effect, rule } = admission.decision;
    return { decision: effect, ...(rule === undefined ? {} : { rule: rule.text }) };
  },

  end_session: async (face, { session }, { surface, caller }) => {
    const ended = await face.broker.endSession(session, surface, caller);
    return ended instanceof Failure ? ended : { session, ended: true };
  },
};

function listed(
  face: McpFace,
  capability: Capability,
  owner: string,
): Output<"list_capabilities">["capabilities"][number] {
  const { name, service, mode, description, ttlMs, autoApprove, requireReason, limit } = capability;
  const session = face.sessions.live(owner, name);
  return {
    capability: name,
    service,
    mode,
    ...(description === undefined ? {} : { description }),
    ttl: timeLeft(ttlMs),
    rules: describeRules(capability),
    unrestricted: mode === "http" && capability.rules.unrestricted,
    needsApproval: !autoApprove || face.sessions.holds.held(owner, name),
    needsReason: requireReason,
    ...(limit === undefined ? {} : { limit: limit.text }),
    session: session ? live(session) : null,
  };
}

function live({ id, expiresAt }: Session): { session: string; expiresAt: string } {
  return { session: id, expiresAt: new Date(expiresAt).toISOString() };
}
