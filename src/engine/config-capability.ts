import type { Capability, Service } from "./config.ts";
import { envMapOf, execKeys, execOf } from "./config-exec.ts";
import { durationOf, hourMs, limitOf } from "./config-fields.ts";
import type { Fields, Place } from "./config-place.ts";
import { rulesOf } from "./config-rules.ts";
import type { Auth } from "./credential/scheme.ts";
import type { Position } from "./failure.ts";
import { didYouMean } from "./nearest.ts";
import { RuleList } from "./rule.ts";

export const capabilityKeys: readonly string[] = [
  ...["service", "mode", "description", "ttl", "autoApprove", "approval", "requireReason", "limit"],
  ...["allowedAgents", "rules"],
  ...execKeys,
];
export const modes: readonly string[] = ["http", "exec"];
export const approvals: readonly string[] = ["any", "out-of-band"];

export interface ReadCapability {
  readonly capability: Capability;
  readonly rulePlaces: readonly Position[];
  /** Where each rule on arguments stands, by its command. */
  readonly argsPlaces: ReadonlyMap<string, readonly Position[]>;
}

/** `declared` holds every service that the file names, sound or not. */
export function capabilityOf(
  name: string,
  place: Place,
  services: ReadonlyMap<string, Service>,
  declared: ReadonlySet<string>,
): ReadCapability | undefined {
  const fields = place.fields(capabilityKeys, elsewhere);
  if (!fields) return undefined;
  const mode = choiceOf(fields, "mode", modes) === "exec" ? "exec" : "http";
  const service = serviceNameOf(fields, mode, services, declared);
  const limit = fields.get("limit");
  const rules = mode === "http" ? fields.get("rules") : refuseRules(fields);
  const placed = rules && (rulesOf(rules) ?? []);
  const exec = mode === "exec" ? execOf(fields, services.get(service ?? "")?.auth) : refuseExec(fields);
  const capability: Capability = {
    name,
    service: service ?? "",
    mode,
    description: fields.get("description")?.string(),
    ttlMs: ttlOf(fields.get("ttl"), name),
    autoApprove: fields.flag("autoApprove"),
    approval: choiceOf(fields, "approval", approvals) === "out-of-band" ? "out-of-band" : "any",
    requireReason: fields.flag("requireReason"),
    limit: limit && limitOf(limit),
    allowedAgents: fields.get("allowedAgents")?.strings("a list of agents, such as [claude-code]"),
    // Exec mode sends no requests, so there is nothing to leave open.
    rules: new RuleList(mode === "exec" ? [] : placed?.map(({ rule }) => rule)),
    exec: exec?.policy,
    ...runMapOf(mode, fields, services.get(service ?? "")?.auth),
  };
  const rulePlaces = placed?.map((one) => one.place.position) ?? [];
  return { capability, rulePlaces, argsPlaces: exec?.argsPlaces ?? new Map() };
}

const elsewhere = new Map([
  ...["baseUrl", "auth", "key"].map((key) => [key, "it belongs to a service"] as const),
  ...["allow", "deny", "ask"].map((key) => [key, 'it belongs into the list "rules"'] as const),
]);

function serviceNameOf(
  fields: Fields,
  mode: string,
  services: ReadonlyMap<string, Service>,
  declared: ReadonlySet<string>,
): string | undefined {
  const place = fields.need("service", "the name of a service");
  const name = place?.string("the name of a service");
  if (place === undefined || name === undefined) return undefined;
  if (!declared.has(name)) {
    return place.refuse(`there is no service of this name under "services"${didYouMean(name, declared)}`, {
      next: "write the service under services: first, with its baseUrl and auth, or take the capability out and use janee add",
    });
  }
  const service = services.get(name);
  if (service && !service.base && mode === "http") {
    const message = "this service has no baseUrl, which a capability in http mode needs";
    return place.refuse(message, { next: "give the service a baseUrl, or the capability mode: exec" });
  }
  return name;
}

function choiceOf(fields: Fields, key: string, choices: readonly string[]): string | undefined {
  const place = fields.get(key);
  const what = choices.join(" or ");
  const text = place?.string(what);
  if (place === undefined || text === undefined || choices.includes(text)) return text;
  return place.refuse(`expected ${what}${didYouMean(text, choices)}`);
}

export const longestUnwarnedMs = 8 * hourMs;

export function longLived(capability: string): string {
  return `capability ${capability}: a ttl over 8h; a session that lives this long is worth stealing`;
}

function ttlOf(place: Place | undefined, name: string): number {
  const ttl = place && durationOf(place, "30m or 1h", { most: 24 * hourMs, mostText: "24h" });
  if (place && ttl !== undefined && ttl > longestUnwarnedMs) {
    place.warn(longLived(name));
  }
  return ttl ?? hourMs;
}

function refuseRules(fields: Fields): undefined {
  const rules = fields.get("rules");
  if (!rules) return undefined;
  const message = '"rules" judge requests and go with mode: http; exec mode takes allowCommands';
  return rules.reading.refuse(rules.keyOffset, message);
}

/** `envMap` in http mode is for `janee run`: its values hold no credential, only what stands for one. */
function runMapOf(mode: string, fields: Fields, auth: Auth | undefined): Pick<Capability, "runMap"> {
  const place = mode === "http" ? fields.get("envMap") : undefined;
  return place ? { runMap: envMapOf(place, auth) } : {};
}

function refuseExec(fields: Fields): undefined {
  for (const key of execKeys) {
    const place = key === "envMap" ? undefined : fields.get(key);
    if (place) place.reading.refuse(place.keyOffset, `"${key}" goes with mode: exec`);
  }
}
