// The variables that vendors' own tools and SDKs read: where a placeholder stands for the key, and where requests go.
import type { BaseUrl, Service } from "./config.ts";
import { knownAt, knownServices } from "./services/index.ts";
import type { KnownService } from "./services/shape.ts";

/** What a tool of the vendor's reads instead of its own default. */
const baseUrls: Readonly<Record<string, { readonly name: string; readonly path: string }>> = {
  anthropic: { name: "ANTHROPIC_BASE_URL", path: "" },
  openai: { name: "OPENAI_BASE_URL", path: "/v1" },
};

/** Hosts beside that of the API, for the same key. */
const furtherHosts: Readonly<Record<string, string>> = {
  "github.com": "github",
  "uploads.github.com": "github",
};

/** By the service's address, else by its name: `openai`, or `openai-work`. undefined: nobody's that is known. */
export function vendorOf({ name, base }: Service): KnownService | undefined {
  const elsewhere = furtherHosts[base?.host ?? ""];
  const there =
    elsewhere === undefined ? knownAt(name, base?.text) : { service: knownServices.get(elsewhere) };
  if (there?.service) return there.service;
  const parts = name.split("-");
  for (let length = parts.length - 1; length > 0; length -= 1) {
    const known = knownServices.get(parts.slice(0, length).join("-"));
    if (known) return known;
  }
  return undefined;
}

/** The variables of a service: its vendor's, or one of its own name. */
export function variablesOf(service: Service): readonly string[] {
  const known = vendorOf(service)?.variables ?? [];
  if (known.length > 0) return known;
  const own = `${service.name.replace(/[^a-z0-9]+/g, "_").toUpperCase()}_API_KEY`;
  return [/^[0-9]/.test(own) ? `_${own}` : own];
}

/** Where the vendor's tools are to send their requests, in the variable that they read. */
export function baseUrlVariable(service: Service): readonly [name: string, url: string] | undefined {
  const variable = baseUrls[vendorOf(service)?.name ?? ""];
  return variable && service.base && [variable.name, baseUrlOf(service.base, variable.path)];
}

function baseUrlOf({ scheme, authority, prefix }: BaseUrl, path: string): string {
  return `${scheme}://${authority}${prefix === "" ? path : prefix}`;
}
