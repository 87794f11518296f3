// One function decides: the proxy, MCP, exec, `test` and `why` all call it, so they cannot disagree.
// Pure: the same config, session, call and time give the same answer.
import { admitFields } from "./agent-fields.ts";
import type { Capability, Config, ExecPolicy, Service } from "./config.ts";
import { schemeOf } from "./credential/index.ts";
import { isMade } from "./credential/scheme.ts";
import { decideCommand } from "./exec/decide.ts";
import { Failure } from "./failure.ts";
import type { HeaderField } from "./ports.ts";
import { type Decision, isSendable, type RuleList } from "./rule.ts";
import { judge, type Session } from "./session.ts";
import { readTarget, type Target } from "./target.ts";
import type { Upgrade } from "./websocket/handshake.ts";

/** What an agent wants done, as it said it. */
export interface Wish {
  readonly capability: string;
  readonly method: string;
  /** Raw, behind the capability's name. */
  readonly target: string;
  readonly fields: readonly HeaderField[];
  /** A complete `application/x-www-form-urlencoded` body, whose fields can override the method. */
  readonly form?: string;
  readonly reason?: string;
  /** The handshake of another protocol: judged by the rule for its GET. */
  readonly upgrade?: Upgrade;
}

/** What every admission says, of a request as of a command. */
export interface Granted {
  readonly capability: Capability;
  readonly service: Service;
  readonly decision: { readonly effect: Decision["effect"]; readonly rule?: { readonly text: string } };
}

export interface Admission extends Granted {
  readonly method: string;
  /** What was matched is what is sent and audited. */
  readonly target: Target;
  readonly fields: readonly HeaderField[];
  readonly decision: Decision;
}

/** Whose use is judged: a session, or nobody's yet (`why` asks about the rules alone). */
export type Standing = { readonly session: Session | undefined } | "rules-only";

export function admit(config: Config, standing: Standing, wish: Wish, now: number): Admission | Failure {
  const capability = config.capabilities.get(wish.capability);
  if (!capability) return unknownCapability();
  const service = config.services.get(capability.service);
  if (!service?.base || capability.mode !== "http") {
    return new Failure(
      "not_a_request_capability",
      `"${capability.name}" runs commands: it takes no requests`,
    );
  }
  return judgeUse(capability, standing, wish, now) ?? admitRequest(capability, service, wish);
}

/** A command line, as it was asked for. */
export interface CommandWish {
  readonly capability: string;
  readonly command: readonly string[];
  readonly reason?: string;
}

export interface CommandAdmission extends Granted {
  readonly exec: ExecPolicy;
  /** What was matched is what runs and is audited. */
  readonly command: readonly string[];
}

export function admitCommand(
  config: Config,
  standing: Standing,
  wish: CommandWish,
  now: number,
): CommandAdmission | Failure {
  const capability = config.capabilities.get(wish.capability);
  if (!capability) return unknownCapability();
  const service = config.services.get(capability.service);
  const { exec } = capability;
  if (!service || !exec || capability.mode !== "exec") {
    return new Failure("not_an_exec_capability", `"${capability.name}" takes requests: it runs no commands`, {
      next: "send it requests instead, or use a capability of the mode exec",
    });
  }
  const problem = judgeUse(capability, standing, wish, now);
  if (problem) return problem;
  const decision = decideCommand(exec, wish.command);
  if (decision instanceof Failure) return decision;
  const { effect, rule } = decision;
  return {
    ...{ capability, service, exec, command: wish.command },
    decision: { effect, ...(rule === undefined ? {} : { rule: { text: rule } }) },
  };
}

/** Whether this session may use this capability at this instant. */
function judgeUse(
  capability: Capability,
  standing: Standing,
  wish: { readonly reason?: string },
  now: number,
): Failure | undefined {
  if (standing !== "rules-only") {
    const problem = judgeStanding(standing.session, capability, now);
    if (problem) return problem;
    const agents = capability.allowedAgents;
    const { agent, agentProven } = standing.session ?? {};
    if (agents && !(agentProven && agents.includes(agent ?? ""))) {
      return new Failure("agent_not_allowed", `"${capability.name}" is not for this agent`, {
        next: "ask the person, who can grant it in the name of an agent that may",
      });
    }
  }
  if (capability.requireReason && standing !== "rules-only" && !wish.reason && !standing.session?.reason) {
    return new Failure(
      "reason_required",
      `"${capability.name}" wants a reason with each session or request`,
      {
        next: "say in a few words what it is for",
      },
    );
  }
  return undefined;
}

/** The same words for what does not exist and for what this caller must not know of. */
export function unknownCapability(): Failure {
  return new Failure("unknown_capability", "there is no capability of this name", {
    next: "check its name, or ask the person which there are",
  });
}

function judgeStanding(
  session: Session | undefined,
  capability: Capability,
  now: number,
): Failure | undefined {
  if (!session) {
    return new Failure("session_unknown", "this session token is not known", {
      next: "ask the person for a session",
    });
  }
  if (session.capability !== capability.name) {
    return new Failure("session_wrong_capability", `this session is not for "${capability.name}"`, {
      next: `use the base URL that came with this session, or ask the person for one of "${capability.name}"`,
    });
  }
  return judge(session, now);
}

function admitRequest(capability: Capability, service: Service, wish: Wish): Admission | Failure {
  const method = wish.method;
  if (!isSendable(method)) {
    return new Failure("method_forbidden", "this method is never sent");
  }
  const read = readTarget(wish.target, { allowEmptySegments: service.allowEmptySegments });
  if (read instanceof Failure) return read;
  const fields = admitFields(wish.fields, service, wish.upgrade);
  if (fields instanceof Failure) return fields;
  const decision = capability.rules.decide(method, read.path);
  if (decision.effect === "deny") return denied(capability.rules, decision);
  const overridden = refuseOverride(capability.rules, method, read, wish.form);
  if (overridden) return overridden;
  const scheme = schemeOf(service.auth.type);
  const unsignable = isMade(scheme) ? scheme.refuse?.(service, read, wish.fields) : undefined;
  if (unsignable) return unsignable;
  const target = withoutParameters(read, scheme.queryNames(service.auth));
  return { capability, service, method, target, fields, decision };
}

function denied(rules: RuleList, decision: Decision): Failure {
  const next = "do without it, or ask the person to allow it";
  if (decision.rule) {
    return new Failure("rule_denied", "a rule denies this request", { rule: decision.rule.text, next });
  }
  const why = rules.rules?.length === 0 ? "the rules allow nothing" : "no rule allows this request";
  return new Failure("rule_denied", why, { next });
}

const overrideNames = new Set([
  "_method",
  "_httpmethod",
  "x-http-method-override",
  "x-http-method",
  "x-method-override",
]);

/**
 * Some frameworks let a parameter replace the method of a POST: then both methods must be allowed.
 * A `_method` in the query is ambiguous even so, and refused.
 */
export function refuseOverride(
  rules: RuleList,
  method: string,
  target: Target,
  form: string | undefined,
): Failure | undefined {
  if (target.query === undefined && form === undefined) return undefined;
  const inQuery = overridesIn(target.query);
  const ambiguous = inQuery.some(({ name }) => name === "_method");
  if (ambiguous && method !== "POST") return ambiguousQuery();
  for (const { value } of [...inQuery, ...overridesIn(form)]) {
    const decision = rules.decide(value.toUpperCase(), target.path);
    if (decision.effect === "allow") continue;
    const details = decision.rule ? { rule: decision.rule.text } : {};
    return new Failure(
      "method_override_denied",
      "a parameter would change the method to one that is not allowed",
      details,
    );
  }
  return ambiguous ? ambiguousQuery() : undefined;
}

function ambiguousQuery(): Failure {
  return new Failure("query_ambiguous", 'a "_method" in the query can change the method behind the rules', {
    next: "send the method you mean",
  });
}

function overridesIn(text: string | undefined): { name: string; value: string }[] {
  if (!text || !/method/i.test(looselyDecoded(text))) return [];
  const found: { name: string; value: string }[] = [];
  for (const [name, value] of parameters(text)) {
    const key = parameterKey(name);
    if (overrideNames.has(key)) found.push({ name: key, value: value.trim() });
  }
  return found;
}

/** No name that means anything is longer; what an agent pads a name with is not worth a look. */
const longestName = 256;

/** PHP ends a name at NUL, and reads a dot, a blank and a lone bracket in it as an underscore. */
function parameterKey(name: string): string {
  const whole = name.trimStart().slice(0, longestName);
  const end = whole.indexOf("\0");
  const key = (end < 0 ? whole : whole.slice(0, end)).trimEnd();
  const bracket = key.lastIndexOf("]") + 1;
  return `${key.slice(0, bracket)}${key.slice(bracket).replace(/[. [\]]/g, "_")}`.toLowerCase();
}

function* parameters(text: string): Iterable<[name: string, value: string]> {
  for (const part of text.split(/[&;]/)) {
    const equals = part.indexOf("=");
    const name = equals < 0 ? part : part.slice(0, equals);
    yield [looselyDecoded(name), looselyDecoded(equals < 0 ? "" : part.slice(equals + 1))];
  }
}

function looselyDecoded(text: string): string {
  const spaced = text.replaceAll("+", " ");
  return spaced.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** The agent's own copies of the parameters that janee injects do not go out. */
export function withoutParameters(target: Target, names: readonly string[]): Target {
  if (names.length === 0 || target.query === undefined) return target;
  const owned = new Set(names.map(parameterKey));
  // Some servers separate parameters by ";" too; each part keeps the separator in front of it.
  const parts = target.query.split(/(?=[&;])/);
  const kept = parts.filter((part) => {
    const [name = ""] = part.replace(/^[&;]/, "").split("=", 1);
    return !owned.has(parameterKey(looselyDecoded(name)));
  });
  if (kept.length === parts.length) return target;
  return { path: target.path, query: kept.length === 0 ? undefined : kept.join("").replace(/^[&;]/, "") };
}
