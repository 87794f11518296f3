// The variables that vendors' own tools and SDKs read: where a placeholder stands for the key, and where requests go.
import type { BaseUrl, Service } from "./config.ts";
import { knownServices } from "./known-services.ts";

export interface VendorVariables {
  /** The name under which janee knows the vendor. */
  readonly vendor: string;
  /** All of them hold a key of this vendor. */
  readonly keys: readonly string[];
  readonly baseUrl?: { readonly name: string; readonly path: string };
}

interface Vendor extends Omit<VendorVariables, "vendor"> {
  readonly hosts: readonly string[];
}

/** Beside what `known-services` says: further names, and hosts beside that of the API. */
const more: Readonly<Record<string, Vendor>> = {
  anthropic: {
    hosts: ["api.anthropic.com"],
    keys: ["ANTHROPIC_API_KEY"],
    baseUrl: { name: "ANTHROPIC_BASE_URL", path: "" },
  },
  github: {
    hosts: ["api.github.com", "github.com", "uploads.github.com"],
    keys: ["GITHUB_TOKEN", "GH_TOKEN"],
  },
  huggingface: { hosts: ["huggingface.co"], keys: ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"] },
  openai: {
    hosts: ["api.openai.com"],
    keys: ["OPENAI_API_KEY"],
    baseUrl: { name: "OPENAI_BASE_URL", path: "/v1" },
  },
  stripe: { hosts: ["api.stripe.com"], keys: ["STRIPE_API_KEY", "STRIPE_SECRET_KEY"] },
};

function vendors(): ReadonlyMap<string, Vendor> {
  const all = new Map<string, Vendor>(Object.entries(more));
  for (const [name, { baseUrl, variable }] of Object.entries(knownServices)) {
    const known = all.get(name) ?? { hosts: [], keys: [] };
    const host = new URL(baseUrl).hostname;
    const keys = [...new Set([...known.keys, variable])];
    all.set(name, { ...known, keys, hosts: [...new Set([...known.hosts, host])] });
  }
  return all;
}

/** By the service's host, else by its name: `openai`, or `openai-work`. undefined: nobody's that is known. */
export function vendorOf(service: Service): VendorVariables | undefined {
  const host = service.base?.host ?? "";
  const all = [...vendors()];
  const found =
    all.find(([, vendor]) => vendor.hosts.includes(host)) ??
    all.find(([name]) => service.name === name || service.name.startsWith(`${name}-`));
  if (!found) return undefined;
  const [vendor, { keys, baseUrl }] = found;
  return { vendor, keys, ...(baseUrl === undefined ? {} : { baseUrl }) };
}

/** The variables of a service: its vendor's, or one of its own name. */
export function variablesOf(service: Service): readonly string[] {
  const own = `${service.name.replace(/[^a-z0-9]+/g, "_").toUpperCase()}_API_KEY`;
  return vendorOf(service)?.keys ?? [/^[0-9]/.test(own) ? `_${own}` : own];
}

/** Where the vendor's tools are to send their requests. */
export function baseUrlOf(base: BaseUrl, path: string): string {
  const origin = `${base.scheme}://${base.authority}`;
  return `${origin}${base.prefix === "" ? path : base.prefix}`;
}
