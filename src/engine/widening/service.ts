// A service: where its credential goes, by which checks, and what of its answers is masked.
import { type Config, type Service, serviceFlags } from "../config.ts";
import { schemeOf } from "../credential/index.ts";
import { type Auth, isMade, type StoredSecret } from "../credential/scheme.ts";
import { type Change, named, other, wider } from "./change.ts";

export function serviceChanges(before: Config, after: Config): Change[] {
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

export function oneService(before: Service, after: Service): Change[] {
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
