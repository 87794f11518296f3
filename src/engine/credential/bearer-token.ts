// What the schemes have in common that exchange a secret for a short-lived token and send it as Bearer (RFC 6750).
import type { BaseUrl } from "../config.ts";
import { Failure } from "../failure.ts";
import { parseRule, type Rule } from "../rule.ts";
import type { Target } from "../target.ts";
import type { Credential } from "./scheme.ts";
import type { Obtained } from "./tokens.ts";

/** Where such a token goes. */
export const tokenPlacement = {
  headerNames: () => ["authorization"],
  queryNames: () => [],
} as const;

export function bearerToken(obtained: Obtained): Credential {
  const { secret } = obtained.token;
  const placed = { headers: [["Authorization", `Bearer ${secret.reveal()}`]] as const, query: [] };
  return {
    redact: [secret, ...obtained.earlier].map((one) => one.reveal()),
    until: obtained.renewAt,
    exposed: new Map([["token", secret]]),
    sign: () => placed,
    refused: () => obtained.refused(),
  };
}

/** Whether a path of an agent is this one, in any spelling that a server could take for it. */
export function isPath(path: string, asked: string): boolean {
  const known = matchers.get(path) ?? parseRule("deny", `* ${path}`);
  matchers.set(path, known);
  return known instanceof Failure ? path === asked : known.matches(asked);
}

const matchers = new Map<string, Rule | Failure>();

/** For schemes whose issuer may lie on the service's own origin. */
export function refuseIssuers(
  base: BaseUrl | undefined,
  asked: Target,
  addresses: readonly (string | undefined)[],
): Failure | undefined {
  if (!base) return undefined;
  const below = issuersBelow.get(base) ?? new Map<string, string | undefined>();
  issuersBelow.set(base, below);
  for (const address of addresses) {
    if (address === undefined) continue;
    if (!below.has(address)) below.set(address, pathBelow(base, address));
    const path = below.get(address);
    if (path !== undefined && isPath(path, asked.path)) return tokensAreJanees();
  }
  return undefined;
}

/** Looked at on each request: a changed config has new objects, so that each address is parsed once. */
const issuersBelow = new WeakMap<BaseUrl, Map<string, string | undefined>>();

function pathBelow(base: BaseUrl, address: string): string | undefined {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.origin !== `${base.scheme}://${base.authority}`) return undefined;
  return url.pathname.startsWith(`${base.prefix}/`) ? url.pathname.slice(base.prefix.length) : undefined;
}

/** Where tokens are given out and taken back, agents have no business: what they got there nobody could bound. */
export function tokensAreJanees(): Failure {
  return new Failure(
    "token_endpoint_forbidden",
    "tokens of this service are fetched and given back by janee alone",
    {
      next: "do without it: the requests that are sent carry a token already",
    },
  );
}
