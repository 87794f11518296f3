// Services whose scheme this version does not speak: why, and what a person can do until one that does.
import { schemeTypes } from "../credential/index.ts";
import type { KnownAuth, KnownService } from "./shape.ts";

const reasons: ReadonlyMap<string, string> = new Map([
  ["azure", "tokens of an hour come from Microsoft Entra for a client's secret"],
  ["google-service-account", "tokens of an hour come for a JWT that the account's key signs"],
  ["oauth2", "short-lived tokens come from a token endpoint (OAuth 2.0)"],
]);

/** An access token that some other tool got serves as a bearer token until it expires. */
const withTokens = ["azure", "google-service-account", "oauth2"];

/** How a service authenticates that no scheme is there for; undefined where one is. */
export function laterScheme(auth: KnownAuth): string | undefined {
  if (typeof auth === "string" || !("scheme" in auth)) return undefined;
  return schemeTypes.includes(auth.scheme) ? undefined : auth.scheme;
}

export interface NotYet {
  readonly why: string;
  /** What to do until then. */
  readonly next: string;
}

export function whyLater({ name, title }: KnownService, scheme: string): NotYet {
  const reason = reasons.get(scheme);
  const what = `${title} needs ${scheme}, which this version of janee does not have yet`;
  return {
    why: reason === undefined ? what : `${what}: ${reason}`,
    next: withTokens.includes(scheme)
      ? `until then give it an access token, which expires: janee add ${name} --auth-type bearer --key-stdin`
      : "until then janee cannot stand in front of it: keep the key where no agent can read it",
  };
}

/** For a person: `bearer`, `header x-api-key`, `oauth2 (not yet)`. */
export function describeAuth(auth: KnownAuth): string {
  if (typeof auth === "string") return auth;
  if ("scheme" in auth) return laterScheme(auth) ? `${auth.scheme} (not yet)` : auth.scheme;
  if ("username" in auth) return "basic";
  return "header" in auth ? `header ${names(auth.header)}` : `param ${names(auth.param)}`;
}

function names(one: string | readonly string[]): string {
  return [one].flat().join(" and ");
}
