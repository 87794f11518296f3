// The text of config.yaml → what it means. Nothing starts on a bad file: the first complaint is returned.
import type { Capability, Config, NetworkSettings, Service, Unmatched } from "./config.ts";
import type { OnSecret } from "./config-auth.ts";
import { capabilityOf } from "./config-capability.ts";
import { fileOf, noProxyOf, problemInName, proxyOf } from "./config-fields.ts";
import { type Finding, type Place, Reading } from "./config-place.ts";
import { baseOf, serviceOf } from "./config-service.ts";
import { storesOf, vaultStoreName } from "./config-stores.ts";
import { type ConfigTree, parseTree } from "./config-tree.ts";
import { type Edit, editConfig } from "./edit-config.ts";
import { Failure, type Position } from "./failure.ts";
import type { Secret } from "./secret.ts";

export type { Finding } from "./config-place.ts";

export interface ReadConfig {
  readonly config: Config;
  /** Credentials that stand in the clear, to be sealed in place. */
  readonly plain: readonly PlainSecret[];
  /** Where each secret field stands in the file, in whatever form: `secretKey(service, field)` → path. */
  readonly secretPaths: ReadonlyMap<string, readonly string[]>;
  /** Where each rule of a capability stands, in their order. */
  readonly rulePlaces: ReadonlyMap<string, readonly Position[]>;
  /** Where each rule on a command's arguments stands: capability → command → places. */
  readonly argsPlaces: ReadonlyMap<string, ReadonlyMap<string, readonly Position[]>>;
  readonly warnings: readonly Finding[];
}

/** A config together with the tree it was read from, so that an edit of it need not parse it again. */
export interface ConfigDocument {
  readonly tree: ConfigTree;
  readonly read: ReadConfig;
}

export interface PlainSecret {
  readonly service: string;
  /** As in `Auth.secret`: `key`, `password`, `headers.X-Api-Key`, `params.api_key`. */
  readonly field: string;
  readonly path: readonly string[];
  readonly secret: Secret;
}

export const topKeys: readonly string[] = ["services", "capabilities", "network", "audit", "stores"];
export const networkKeys: readonly string[] = ["proxy", "noProxy", "caFile", "unmatched"];
export const auditKeys: readonly string[] = ["sync"];

export function secretKey(service: string, field: string): string {
  return `${service}/${field}`;
}

export function readConfig(text: string, file: string): ReadConfig | Failure {
  const document = readDocument(text, file);
  return document instanceof Failure ? document : document.read;
}

export function readDocument(text: string, file: string): ConfigDocument | Failure {
  if (/^\s*$/.test(text)) {
    // A file that janee wrote is never empty: it was cut off, or something wrote over it.
    return new Failure("store_refused", "config.yaml is empty, as after a broken write", {
      next: "restore it from a backup, or remove the file and run janee init",
      at: { file, line: 1, column: 1 },
    });
  }
  const tree = parseTree(text, file);
  return tree instanceof Failure ? tree : documentOf(tree);
}

/** Nothing is parsed again: what the edits were checked with is what is read. */
export function editDocument(document: ConfigDocument, edits: readonly Edit[]): ConfigDocument | Failure {
  const tree = editConfig(document.tree, edits);
  if (tree instanceof Failure) return tree;
  return tree === document.tree ? document : documentOf(tree);
}

export function documentOf(tree: ConfigTree): ConfigDocument | Failure {
  const read = meaningOf(tree);
  return read instanceof Failure ? read : { tree, read };
}

function meaningOf(tree: ConfigTree): ReadConfig | Failure {
  const reading = new Reading(tree);
  const root = reading.root();
  const fields = root.empty ? undefined : root.fields(topKeys);

  const plain: PlainSecret[] = [];
  const secretPaths = new Map<string, readonly string[]>();
  const keepFor =
    (service: string): OnSecret =>
    (field, path, stored) => {
      secretPaths.set(secretKey(service, field), path);
      if (stored.kind === "plain") plain.push({ service, field, path, secret: stored.secret });
    };
  const declared = namedEntries(fields?.get("services"));
  const services = new Map<string, Service>();
  for (const [name, place] of declared) {
    const service = serviceOf(name, place, keepFor(name));
    if (service) services.set(name, service);
  }

  const capabilities = new Map<string, Capability>();
  const rulePlaces = new Map<string, readonly Position[]>();
  const argsPlaces = new Map<string, ReadonlyMap<string, readonly Position[]>>();
  const names = new Set(declared.keys());
  for (const [name, place] of namedEntries(fields?.get("capabilities"))) {
    const read = capabilityOf(name, place, services, names);
    if (!read) continue;
    capabilities.set(name, read.capability);
    rulePlaces.set(name, read.rulePlaces);
    argsPlaces.set(name, read.argsPlaces);
  }

  const network = networkOf(fields?.get("network"));
  const auditPlace = fields?.get("audit");
  const audit = { sync: given(auditPlace)?.fields(auditKeys)?.flag("sync") ?? false };
  const stores = storesOf(given(fields?.get("stores")), (place) => baseOf(place), keepFor(vaultStoreName));
  if (reading.failure) return reading.failure;
  const config: Config = { services, capabilities, network, audit, stores };
  return { config, plain, secretPaths, rulePlaces, argsPlaces, warnings: reading.warnings };
}

/** A section without content is as good as none: that is how `janee init` writes it. */
function given(place: Place | undefined): Place | undefined {
  return place?.empty ? undefined : place;
}

function namedEntries(place: Place | undefined): ReadonlyMap<string, Place> {
  const entries = given(place)?.entries() ?? new Map<string, Place>();
  for (const [name, at] of entries) {
    const problem = problemInName(name);
    if (problem) at.reading.refuse(at.keyOffset, problem);
  }
  return entries;
}

function networkOf(place: Place | undefined): NetworkSettings {
  const fields = given(place)?.fields(networkKeys);
  const proxy = fields?.get("proxy");
  const noProxy = fields?.get("noProxy");
  const unmatched = unmatchedOf(fields?.get("unmatched"));
  return {
    proxy: proxy && proxyOf(proxy),
    noProxy: (noProxy && noProxyOf(noProxy)) ?? [],
    caFile: fileOf(fields?.get("caFile")),
    ...(unmatched === undefined ? {} : { unmatched }),
  };
}

export const unmatchedChoices: readonly Unmatched[] = ["deny", "tunnel"];

function unmatchedOf(place: Place | undefined): Unmatched | undefined {
  const text = place?.string("deny or tunnel");
  const choice = unmatchedChoices.find((one) => one === text);
  if (place && text !== undefined && choice === undefined) place.refuse("expected deny or tunnel");
  return choice;
}
