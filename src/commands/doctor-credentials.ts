// What `janee doctor` says of credentials: whether each can be had now, how old it is, how long it is still good, and
// whether its service takes it. None is shown.
import { expiryOf, setAtOf } from "../engine/age.ts";
import type { Config, Service } from "../engine/config.ts";
import { durationText } from "../engine/config-fields.ts";
import { Failure } from "../engine/failure.ts";
import { takesPem } from "../engine/pem.ts";
import { parseReference } from "../engine/reference.ts";
import { lookByHand } from "../engine/reference-command.ts";
import type { Secret } from "../engine/secret.ts";
import { timeLeft } from "../engine/time-left.ts";
import type { Vault } from "../engine/vault.ts";
import type { Environment } from "../host/keyring.ts";
import { References } from "../host/reference.ts";
import { type Found, problemOf } from "./doctor-checks.ts";
import { lastRefusals, refusedAt } from "./last-refusals.ts";
import { unfitSecrets } from "./unfit-secrets.ts";

/** Command lines that start slowly, and sign-ins that wait for a finger, want some time. */
const referenceLimitMs = 15_000;
const shortestScrubbed = 16;
const dayMs = 86_400_000;
const soonMs = 7 * dayMs;
const check = "credentials";

interface Look {
  readonly vault: Vault | undefined;
  readonly references: References;
  readonly now: number;
}

/** Opens each credential. References are followed at the same time. */
export async function checkCredentials(
  home: string,
  config: Config,
  vault: Vault | undefined,
  environment: Environment,
): Promise<Found[]> {
  const references = new References({
    environment,
    config: () => config,
    unseal: async (owner, field, sealed) =>
      vault?.open(owner, field, sealed) ?? new Failure("key_missing", "the vault does not open"),
    patienceMs: referenceLimitMs,
  });
  const look: Look = { vault, references, now: Date.now() };
  const services = [...config.services.values()];
  const looks = services.flatMap((service) =>
    [...service.auth.secret.keys()].map((field) => checkCredential(service, field, look)),
  );
  const found = (await Promise.all([...looks, ...services.map((service) => unfit(service, look))])).flat();
  const sealed = found.filter(({ level, message }) => level === "ok" && message === opens).length;
  const others = [...found.filter(({ message }) => message !== opens), ...refusedOnes(home, services)];
  if (sealed === 0) return others;
  const message = sealed === 1 ? "1 credential opens" : `${sealed} credentials open`;
  return [{ level: "ok", check, message }, ...others];
}

const opens = "opens";

async function unfit(service: Service, { vault }: Look): Promise<Found[]> {
  const problem = await unfitSecrets(service, vault);
  if (!problem) return [];
  const message = `the credential of ${service.name} is of no use: ${problem.message}`;
  return [{ level: "problem", check, message, remedy: `janee set ${service.name}`, about: "vault" }];
}

async function checkCredential(service: Service, field: string, look: Look): Promise<Found[]> {
  const stored = service.auth.secret.get(field);
  if (!stored) return [];
  const name = `the credential ${field} of ${service.name}`;
  if (stored.kind === "plain") {
    const remedy = "any command that loads the config seals it: janee list";
    const warning: Found = { level: "warn", check, message: `${name} stands in the clear`, remedy };
    return [warning, ...judged(stored.secret, name, service, look.now)];
  }
  if (stored.kind === "sealed") {
    if (!look.vault) return [];
    const secret = look.vault.open(service, field, stored.text);
    if (secret instanceof Failure) return [problemOf(check, secret)];
    const aged = ageOf(service, setAtOf(stored), name, look.now);
    return [...judged(secret, name, service, look.now), ...aged];
  }
  const secret = await look.references.follow(stored.text, takesPem(service.auth.type, field));
  if (secret instanceof Failure) return [unfollowed(secret, stored.text, name)];
  const said = judged(secret, name, service, look.now).filter(({ level }) => level !== "ok");
  const aged = service.maxAgeMs === undefined ? "" : "; its age is for where it lies to say, not for maxAge";
  return [
    { level: "ok", check: "references", message: `${name} can be had: ${kindOf(stored.text)}${aged}` },
    ...said,
  ];
}

function unfollowed(failure: Failure, text: string, name: string): Found {
  const reference = parseReference(text);
  const remedy = reference && "kind" in reference ? lookByHand(reference) : undefined;
  const problem = problemOf("references", failure);
  return { ...problem, message: `${name} cannot be had: ${failure.message}`, ...(remedy ? { remedy } : {}) };
}

function kindOf(text: string): string {
  const reference = parseReference(text);
  return reference && "kind" in reference ? `its ${reference.kind} reference was followed` : "";
}

function judged(secret: Secret, name: string, service: Service, now: number): Found[] {
  const found: Found[] = [];
  const again = `then: janee set ${service.name}`;
  if (secret.length < shortestScrubbed) {
    const message = `${name} has fewer than ${shortestScrubbed} characters: a short value is hard to scrub and easy to guess`;
    found.push({ level: "warn", check, message, remedy: `ask for a longer one, ${again}` });
  }
  const expiry = expiryOf(secret);
  if (expiry !== undefined && expiry - now < soonMs) {
    const date = new Date(expiry).toISOString().slice(0, 16);
    const message =
      expiry <= now
        ? `${name} expired at ${date}Z`
        : `${name} expires in ${lengthOf(expiry - now)}, at ${date}Z`;
    found.push({ level: "warn", check, message, remedy: `get a new one at the service, ${again}` });
  }
  return found.length > 0 ? found : [{ level: "ok", check, message: opens }];
}

function ageOf(service: Service, setAt: number | undefined, name: string, now: number): Found[] {
  const { maxAgeMs } = service;
  if (maxAgeMs === undefined) return [];
  const remedy = `make a new one at the service, then: janee set ${service.name}; janee test ${service.name}`;
  if (setAt === undefined) {
    const message = `${name} does not say when it was set, and maxAge is ${durationText(maxAgeMs)}`;
    return [{ level: "warn", check, message, remedy }];
  }
  if (now - setAt <= maxAgeMs) return [];
  const message = `${name} is ${lengthOf(now - setAt)} old, and maxAge is ${durationText(maxAgeMs)}`;
  return [{ level: "warn", check, message, remedy }];
}

function lengthOf(milliseconds: number): string {
  const days = Math.floor(milliseconds / dayMs);
  return days < 2 ? timeLeft(milliseconds) : `${days} days`;
}

function refusedOnes(home: string, services: readonly Service[]): Found[] {
  const refusals = lastRefusals(home);
  return services.flatMap((service): Found[] => {
    const time = refusedAt(service, refusals);
    if (time === undefined) return [];
    const message = `${service.name} last refused its credential (401) at ${time}`;
    const remedy = `janee test ${service.name}; a new one: janee set ${service.name}`;
    return [{ level: "warn", check, message, remedy }];
  });
}
