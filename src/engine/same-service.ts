import type { Service } from "./config.ts";

/**
 * Whether what was prepared for one reading of the config may still go out under the other: to the same place, in the
 * same way. Another credential is no reason to fail a request that was let through before it was given.
 */
export function sameService(a: Service, b: Service): boolean {
  return a === b || fingerprint(a) === fingerprint(b);
}

function fingerprint(service: Service): string {
  const { auth, maxAgeMs: _, ...rest } = service;
  return JSON.stringify([rest, auth.type, [...auth.open], [...auth.secret.keys()]]);
}
