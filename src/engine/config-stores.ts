// The `stores:` block: stores of secrets that references lead to, and how janee logs in to them.
import type { BaseUrl, Service, Stores, VaultLogin, VaultStore } from "./config.ts";
import { type OnSecret, storedSecret } from "./config-auth.ts";
import { fileOf } from "./config-fields.ts";
import type { Place } from "./config-place.ts";
import type { StoredSecret } from "./credential/scheme.ts";
import { didYouMean } from "./nearest.ts";
import { parseReference, refusedIn } from "./reference.ts";

export const storeKeys: readonly string[] = ["vault"];
export const vaultStoreKeys: readonly string[] = ["address", "namespace", "caFile", "auth"];
export const vaultAuthKeys: ReadonlyMap<string, readonly string[]> = new Map([
  ["token", ["type", "token"]],
  ["approle", ["type", "mount", "roleId", "secretId"]],
  ["jwt", ["type", "mount", "role", "jwt"]],
]);

/** No service can have this name: what is sealed for a store opens for that store alone. */
export const vaultStoreName = "_stores.vault";

/** `baseOf`: what holds for the address of a service holds for the address of a store. */
export function storesOf(
  place: Place | undefined,
  baseOf: (place: Place) => BaseUrl | undefined,
  onSecret: OnSecret,
): Stores {
  const vault = place?.fields(storeKeys)?.get("vault");
  return { vault: vault && vaultOf(vault, baseOf, onSecret) };
}

function vaultOf(
  place: Place,
  baseOf: (place: Place) => BaseUrl | undefined,
  onSecret: OnSecret,
): VaultStore | undefined {
  const fields = place.fields(vaultStoreKeys);
  const address = fields?.need("address", "address: https://vault.example.com:8200");
  const base = address && baseOf(address);
  const namespace = fields?.get("namespace");
  const auth = fields?.need("auth", "auth: {type: token, token: env:VAULT_TOKEN}");
  const read = auth && loginOf(auth, onSecret);
  if (!fields || !base || !read) return undefined;
  const service: Service = {
    ...{ name: vaultStoreName, base, caFile: fileOf(fields.get("caFile")) },
    ...{ allowCleartext: false, allowLinkLocal: false, allowEmptySegments: false },
    ...{ allowCookies: false, allowRange: false, capture: [], placeholders: [] },
    auth: { type: "bearer", open: new Map(), secret: new Map([[read.field, read.stored]]) },
  };
  return {
    ...{ service, login: read.login, secret: read.field },
    namespace: namespace && nameOf(namespace, "a namespace, such as team-a/apps"),
  };
}

interface ReadLogin {
  readonly login: VaultLogin;
  /** What the secret is sealed as: a token does not open as the secret of a role. */
  readonly field: string;
  readonly stored: StoredSecret;
}

function loginOf(place: Place, onSecret: OnSecret): ReadLogin | undefined {
  const types = [...vaultAuthKeys.keys()];
  const fields = place.fields([...new Set([...vaultAuthKeys.values()].flat())]);
  const choice = `one of ${types.join(", ")}`;
  const type = fields?.need("type", choice)?.string(choice);
  if (!fields || type === undefined) return undefined;
  const known = vaultAuthKeys.get(type);
  if (!known) return fields.get("type")?.refuse(`unknown type: expected ${choice}${didYouMean(type, types)}`);
  for (const key of [...vaultAuthKeys.values()].flat()) {
    if (known.includes(key)) continue;
    fields
      .get(key)
      ?.refuse(`"${key}" does not go with type: ${type}, which takes ${known.slice(1).join(", ")}`);
  }
  const mountPlace = fields.get("mount");
  const mount = (mountPlace && nameOf(mountPlace, "where the login is mounted, such as approle")) ?? type;
  const keep = (key: string, login: VaultLogin): ReadLogin | undefined => {
    const at = fields.need(key, `${key}: a reference such as file:/path, or the secret itself`);
    const stored = at && secretOf(at);
    if (!at || !stored) return undefined;
    const field = `${type}.${key}`;
    onSecret(field, at.path, stored);
    return { login, field, stored };
  };
  if (type === "token") return keep("token", { type });
  const roleKey = type === "approle" ? "roleId" : "role";
  const role = fields.need(roleKey, `${roleKey}: the role that janee logs in as`)?.string("the role");
  if (role === undefined) return undefined;
  return type === "approle"
    ? keep("secretId", { type, mount, roleId: role })
    : keep("jwt", { type: "jwt", mount, role });
}

function secretOf(place: Place): StoredSecret | undefined {
  const stored = storedSecret(place);
  if (stored?.kind !== "reference") return stored;
  const reference = parseReference(stored.text);
  const refused = reference && "kind" in reference ? refusedIn("store", reference.kind) : undefined;
  return refused ? place.refuse(refused) : stored;
}

function nameOf(place: Place, what: string): string | undefined {
  const text = place.string(what)?.replace(/\/+$/, "");
  if (text === undefined) return undefined;
  const plain = /^[A-Za-z0-9_-][A-Za-z0-9_.-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$/.test(text);
  return plain ? text : place.refuse(`expected ${what}`);
}
