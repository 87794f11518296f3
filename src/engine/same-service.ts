import type { Service } from "./config.ts";
import type { StoredSecret } from "./credential/scheme.ts";

/** Whether what was prepared for one reading of the config still serves the other: every field but the name's object. */
export function sameService(a: Service, b: Service): boolean {
  if (a === b) return true;
  return fingerprint(a) === fingerprint(b) && sameSecrets(a.auth.secret, b.auth.secret);
}

function fingerprint(service: Service): string {
  const { auth, ...rest } = service;
  return JSON.stringify([rest, auth.type, [...auth.open]]);
}

function sameSecrets(a: ReadonlyMap<string, StoredSecret>, b: ReadonlyMap<string, StoredSecret>): boolean {
  if (a.size !== b.size) return false;
  for (const [field, one] of a) {
    const other = b.get(field);
    if (!other || !sameSecret(one, other)) return false;
  }
  return true;
}

function sameSecret(a: StoredSecret, b: StoredSecret): boolean {
  if (a.kind === "plain") return b.kind === "plain" && a.secret.equals(b.secret);
  return b.kind === a.kind && b.text === a.text;
}
