// What the schemes have in common that exchange a secret for a short-lived token and send it as Bearer (RFC 6750).
import type { Secret } from "../secret.ts";
import type { Credential } from "./scheme.ts";

/** Where such a token goes. */
export const tokenPlacement = {
  headerNames: () => ["authorization"],
  queryNames: () => [],
} as const;

export function bearerToken(obtained: {
  readonly token: { readonly secret: Secret };
  readonly earlier: readonly Secret[];
  readonly renewAt: number;
}): Credential {
  const { secret } = obtained.token;
  const placed = { headers: [["Authorization", `Bearer ${secret.reveal()}`]] as const, query: [] };
  return {
    redact: [secret, ...obtained.earlier].map((one) => one.reveal()),
    until: obtained.renewAt,
    exposed: new Map([["token", secret]]),
    sign: () => placed,
  };
}
