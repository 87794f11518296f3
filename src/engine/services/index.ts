// The services that janee knows. Plain facts, each with the page that says so; only commands that need them load them.
import { chat } from "./chat.ts";
import { cloud } from "./cloud.ts";
import { code } from "./code.ts";
import { data } from "./data.ts";
import { exchanges } from "./exchanges.ts";
import { hosting } from "./hosting.ts";
import { mail } from "./mail.ts";
import { models } from "./models.ts";
import { monitoring } from "./monitoring.ts";
import { payments } from "./payments.ts";
import { type Field, genericPolicies, type KnownService, looksLikeKey } from "./shape.ts";
import { social } from "./social.ts";
import { speech } from "./speech.ts";
import { trackers } from "./trackers.ts";

export const fields: readonly Field[] = [
  ...[models, speech, code, payments, cloud, hosting, mail],
  ...[chat, trackers, data, monitoring, exchanges, social],
];

export interface Listed extends KnownService {
  readonly field: string;
}

/** By name, in the order of the alphabet. */
export const knownServices: ReadonlyMap<string, Listed> = new Map(
  fields
    .flatMap(({ field, services }) => services.map((service) => ({ ...service, field })))
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .map((service) => [service.name, service]),
);

/** What it is that lives at a URL under whatever name, and the part of the path that the URL holds already. */
export function knownAt(
  name: string,
  baseUrl: string | undefined,
): { readonly service: KnownService; readonly prefix: string } | undefined {
  const url = (baseUrl ?? "").replace(/\/$/, "");
  const there = [...knownServices.values()].filter((one) => !one.ownHost && within(url, one.baseUrl));
  const service = there.find((one) => one.name === name) ?? there[0] ?? knownServices.get(name);
  return service && { service, prefix: url.replace(/^[a-z]+:\/\/[^/]*/i, "") };
}

function within(url: string, base: string): boolean {
  return url === base || url.startsWith(`${base}/`);
}

/** Whose key it is, where only one vendor has keys like it. */
export function ownerOf(key: string): KnownService | undefined {
  return [...knownServices.values()].find(
    (one) => one.key?.own !== undefined && looksLikeKey({ own: one.key.own, like: [] }, key),
  );
}

/** The policies that `--policy` takes for a service. */
export function policiesOf(known: KnownService | undefined): Readonly<Record<string, readonly string[]>> {
  return known?.policies ?? genericPolicies;
}
