// How old a credential is, and how long it is still good, as far as it says so itself.
import type { Service } from "./config.ts";
import type { StoredSecret } from "./credential/scheme.ts";
import { sealedWhen } from "./seal.ts";
import type { Secret } from "./secret.ts";

export function setAtOf(stored: StoredSecret | undefined): number | undefined {
  return stored?.kind === "sealed" ? sealedWhen(stored.text) : undefined;
}

/** When the service got its newest secret; undefined where none of them says. */
export function lastSetAt(service: Service): number | undefined {
  const times = [...service.auth.secret.values()].flatMap((stored) => setAtOf(stored) ?? []);
  return times.length === 0 ? undefined : Math.max(...times);
}

const longestToken = 16 * 1024;

/** The `exp` of a JWT (RFC 7519 section 4.1.4), unverified: that it is wrong is for the service to find. */
export function expiryOf(secret: Secret): number | undefined {
  if (secret.length > longestToken) return undefined;
  const [, payload] = /^(?:Bearer )?eyJ[\w-]+\.(eyJ[\w-]+)\.[\w-]*$/.exec(secret.reveal()) ?? [];
  if (payload === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
    const isObject = typeof claims === "object" && claims !== null && "exp" in claims;
    const { exp } = isObject ? claims : { exp: undefined };
    return typeof exp === "number" && exp > 0 && exp < 1e11 ? exp * 1000 : undefined;
  } catch {
    return undefined;
  }
}
