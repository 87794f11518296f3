// What a new config lets an existing credential do that the old one did not: the lines a person is asked
// about, and the audit trail keeps. What is not provably narrower counts as wider.
import {
  type Capability,
  type Config,
  type ExecPolicy,
  type NetworkSettings,
  type RateLimit,
  type Service,
  serviceFlags,
} from "./config.ts";
import { schemeOf } from "./credential/index.ts";
import { type Auth, isMade, type StoredSecret } from "./credential/scheme.ts";
import type { ArgsRule } from "./exec/args-rule.ts";
import type { Effect, Rule, RuleList } from "./rule.ts";

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

interface Change {
  readonly widens: boolean;
  readonly line: string;
}

function wider(line: string): Change {
  return { widens: true, line };
}

function other(line: string): Change {
  return { widens: false, line };
}

function named(subject: string, list: readonly Change[]): Change[] {
  return list.map(({ widens, line }) => ({ widens, line: `${subject}: ${line}` }));
}

function serviceChanges(before: Config, after: Config): Change[] {
  const found: Change[] = [];
  const references = new Set([...before.services.values()].flatMap((service) => referencesOf(service.auth)));
  for (const [name, service] of after.services) {
    const old = before.services.get(name);
    if (old) found.push(...named(`service ${name}`, oneService(old, service)));
    else if (referencesOf(service.auth).some((text) => references.has(text))) {
      found.push(wider(`service ${name}: added, with the credential of another service`));
    } else found.push(other(`service ${name}: added`));
  }
  for (const name of before.services.keys()) {
    if (!after.services.has(name)) found.push(other(`service ${name}: removed`));
  }
  return found;
}

function oneService(before: Service, after: Service): Change[] {
  const found: Change[] = [];
  const [from, to] = [before.base?.text, after.base?.text];
  if (from !== to) found.push(wider(`baseUrl ${from ?? "none"} → ${to ?? "none"}`));
  for (const flag of serviceFlags) {
    if (before[flag] === after[flag]) continue;
    found.push(after[flag] ? wider(`${flag} turned on`) : other(`${flag} turned off`));
  }
  if (before.caFile !== after.caFile)
    found.push(wider(`caFile ${before.caFile ?? "none"} → ${after.caFile ?? "none"}`));
  found.push(...authChanges(before.auth, after.auth));
  const fewer = before.capture.filter(({ text }) => !after.capture.some((one) => one.text === text));
  if (fewer.length > 0)
    found.push(wider(`capture no longer masks ${fewer.map(({ text }) => text).join(", ")}`));
  else if (before.capture.length !== after.capture.length) found.push(other("capture masks more"));
  const places = after.placeholders.filter((place) => !before.placeholders.includes(place));
  if (places.length > 0) found.push(wider(`placeholders are replaced in the ${places.join(", ")}`));
  else if (before.placeholders.length !== after.placeholders.length)
    found.push(other("placeholders in fewer places"));
  return found;
}

function authChanges(before: Auth, after: Auth): Change[] {
  if (before.type !== after.type) return [wider(`auth type ${before.type} → ${after.type}`)];
  const found: Change[] = [];
  const [from, to] = [schemeOf(before.type).place(before), schemeOf(after.type).place(after)];
  if (from !== to) found.push(wider(`the credential goes into ${to} instead of ${from}`));
  const openKeys = new Set([...before.open.keys(), ...after.open.keys()]);
  for (const key of openKeys) {
    if (before.open.get(key) === after.open.get(key)) continue;
    // Scope, permissions, account: what a token may do is not known to be less.
    found.push(isMade(schemeOf(after.type)) ? wider(`auth.${key} changed`) : other(`auth.${key} changed`));
  }
  const ofItself = renewedByJanee(before, after);
  for (const [field, stored] of after.secret) {
    const old = before.secret.get(field);
    if (!old || ofItself.has(field)) continue;
    if (sameStored(old, stored) || (stored.kind === "sealed" && old.kind === "plain")) continue;
    // Another reference is another existing secret, sent here from now on.
    if (stored.kind === "reference") found.push(wider(`auth.${field} comes from another reference`));
    else found.push(other(`auth.${field} given or sealed anew`));
  }
  return found;
}

/** Secrets that janee exchanged for new ones, as it notes beside them: no news for anyone. */
function renewedByJanee(before: Auth, after: Auth): ReadonlySet<string> {
  const scheme = schemeOf(after.type);
  const renewed = isMade(scheme) ? scheme.fields.filter((field) => field.renewed) : [];
  const noted = renewed.some(({ name, renewed: by }) => {
    const [from, to] = [before.secret.get(name), after.secret.get(name)];
    return by === "alone" && to !== undefined && !(from && sameStored(from, to));
  });
  return new Set(noted ? renewed.map(({ name }) => name) : []);
}

function sameStored(one: StoredSecret, two: StoredSecret): boolean {
  if (one.kind === "plain") return two.kind === "plain" && one.secret.equals(two.secret);
  return two.kind !== "plain" && one.text === two.text;
}

function referencesOf(auth: Auth): string[] {
  return [...auth.secret.values()].flatMap((stored) => (stored.kind === "reference" ? [stored.text] : []));
}

function capabilityChanges(before: Config, after: Config): Change[] {
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

function setChanges(key: string, before: readonly string[], after: readonly string[]): Change[] {
  const more = after.filter((one) => !before.includes(one));
  const less = before.filter((one) => !after.includes(one));
  return [
    ...(more.length > 0 ? [wider(`${key}: also ${listed(more)}`)] : []),
    ...(less.length > 0 ? [other(`${key}: no longer ${listed(less)}`)] : []),
  ];
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? "nobody" : names.join(", ");
}

function execChanges(before: ExecPolicy, after: ExecPolicy): Change[] {
  const found = setChanges("allowCommands", before.allowCommands, after.allowCommands);
  // The values may hold what nobody should read twice, so only the names are shown.
  const set = [...after.envMap].filter(([name, value]) => before.envMap.get(name) !== value);
  const gone = [...before.envMap.keys()].filter((name) => !after.envMap.has(name));
  if (set.length > 0) found.push(wider(`envMap: sets ${listed(set.map(([name]) => name))}`));
  if (gone.length > 0) found.push(other(`envMap: no longer sets ${listed(gone)}`));
  if (before.timeoutMs !== after.timeoutMs) {
    const line = `timeout ${durationText(before.timeoutMs)} → ${durationText(after.timeoutMs)}`;
    found.push({ widens: after.timeoutMs > before.timeoutMs, line });
  }
  if (before.workDir !== after.workDir) {
    found.push(wider(`workDir ${before.workDir ?? "none"} → ${after.workDir ?? "none"}`));
  }
  if (before.dangerous !== after.dangerous) {
    const line = "dangerous turned on: shells and tools that print their environment may be listed";
    found.push(after.dangerous ? wider(line) : other("dangerous turned off"));
  }
  for (const command of new Set([...before.args.keys(), ...after.args.keys()])) {
    found.push(...argsChanges(command, before, after));
  }
  found.push(...pinChanges(before, after));
  return found;
}

function argsChanges(command: string, before: ExecPolicy, after: ExecPolicy): Change[] {
  const [from, to] = [before.args.get(command), after.args.get(command)];
  // A command that comes or goes is named as such.
  if (!before.allowCommands.includes(command) || !after.allowCommands.includes(command)) return [];
  if (!to) return [wider(`args: ${command} has no rules any more`)];
  if (!from) return [other(`args: ${command} has ${to.length} rules now`)];
  if (from.length === to.length && from.every((rule, at) => sameArgs(rule, to[at]))) return [];
  const widens = !narrowsBy(from, to, sameArgs);
  const lines = [
    ...to.filter((rule) => !from.some((old) => sameArgs(old, rule))).map(({ text }) => `added: ${text}`),
    ...from.filter((old) => !to.some((rule) => sameArgs(old, rule))).map(({ text }) => `removed: ${text}`),
  ];
  const shown = lines.length > 0 ? lines : [`${command}: rules in another order or number`];
  return shown.map((line) => ({ widens, line: `args: ${line}` }));
}

function sameArgs(one: ArgsRule, two: ArgsRule | undefined): boolean {
  return one.text === two?.text;
}

function pinChanges(before: ExecPolicy, after: ExecPolicy): Change[] {
  return [...new Set([...before.sha256.keys(), ...after.sha256.keys()])].flatMap((command) => {
    const [from, to] = [before.sha256.get(command), after.sha256.get(command)];
    if (from === to || !before.allowCommands.includes(command) || !after.allowCommands.includes(command)) {
      return [];
    }
    if (from === undefined) return [other(`sha256: ${command} is pinned`)];
    return [
      wider(
        `sha256: ${command} ${to === undefined ? "is not pinned any more" : "is pinned to another file"}`,
      ),
    ];
  });
}

function ruleChanges(before: RuleList, after: RuleList): Change[] {
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

function sameRule(one: Rule, two: Rule | undefined): boolean {
  return one.effect === two?.effect && one.method === two.method && one.path === two.path;
}

const mostCells = 1_000_000;

/**
 * Some allows taken out, some denies put in, the order of the rest kept: under "first match wins" that never
 * lets through what was stopped before.
 */
export function narrows(before: readonly Rule[], after: readonly Rule[]): boolean {
  return narrowsBy(before, after, sameRule);
}

function narrowsBy<T extends { readonly effect: Effect }>(
  before: readonly T[],
  after: readonly T[],
  same: (one: T, two: T | undefined) => boolean,
): boolean {
  if ((before.length + 1) * (after.length + 1) > mostCells) return false;
  // row[at]: the rest of `before` can become the rest of `after` from `at` on.
  let below: boolean[] = [];
  for (let index = before.length; index >= 0; index--) {
    const rule = before[index];
    const row: boolean[] = [];
    for (let at = after.length; at >= 0; at--) {
      const next = after[at];
      if (!rule && !next) row[at] = true;
      else {
        const kept = rule !== undefined && same(rule, next) && below[at + 1] === true;
        const takenOut = rule?.effect === "allow" && below[at] === true;
        const putIn = next?.effect === "deny" && row[at + 1] === true;
        row[at] = kept || takenOut || putIn;
      }
    }
    below = row;
  }
  return below[0] === true;
}

function networkChanges(old: Config, now: Config): Change[] {
  const found: Change[] = [];
  const [before, after] = [old.network, now.network];
  // Without a service there is no credential that could take another way.
  const change = old.services.size > 0 ? wider : other;
  const [from, to] = [proxyText(before), proxyText(after)];
  if (from !== to) found.push(change(`proxy ${from} → ${to}`));
  else if (before.proxy?.authorization !== after.proxy?.authorization) {
    found.push(other("proxy: user or password changed"));
  }
  if (before.noProxy.join() !== after.noProxy.join()) {
    found.push(
      change(`noProxy ${before.noProxy.join(", ") || "none"} → ${after.noProxy.join(", ") || "none"}`),
    );
  }
  if (before.caFile !== after.caFile) {
    found.push(change(`caFile ${before.caFile ?? "none"} → ${after.caFile ?? "none"}`));
  }
  if (before.unmatched !== after.unmatched) {
    const [old = "deny", next = "deny"] = [before.unmatched, after.unmatched];
    if (old !== next) found.push((next === "tunnel" ? wider : other)(`unmatched ${old} → ${next}`));
  }
  return named("network", found);
}

/** Whoever gives out credentials decides what is sent, and the secret that opens the store goes to its address. */
function storeChanges(old: Config, now: Config): Change[] {
  const [before, after] = [old.stores.vault, now.stores.vault];
  if (!before)
    return after ? [other(`stores.vault: added, at ${after.service.base?.text ?? "no address"}`)] : [];
  if (!after) return [other("stores.vault: removed")];
  const found = oneService(before.service, after.service);
  const [from, to] = [loginText(before), loginText(after)];
  if (from !== to) found.push(wider(`${from} → ${to}`));
  return named("stores.vault", found);
}

function loginText({ login, namespace }: NonNullable<Config["stores"]["vault"]>): string {
  const role = login.type === "approle" ? login.roleId : login.type === "jwt" ? login.role : "";
  const mount = login.type === "token" ? "" : ` at ${login.mount} as ${role}`;
  return `login by ${login.type}${mount}${namespace === undefined ? "" : ` in ${namespace}`}`;
}

function proxyText({ proxy }: NetworkSettings): string {
  return proxy ? `http://${proxy.host}:${proxy.port}` : "none";
}

export function durationText(ms: number): string {
  for (const [unit, length] of [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["m", 60_000],
  ] as const) {
    if (ms % length === 0) return `${ms / length}${unit}`;
  }
  return `${ms / 1000}s`;
}
