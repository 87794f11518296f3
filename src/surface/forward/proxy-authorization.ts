// The token of a forward proxy's client: in Proxy-Authorization (RFC 9110 section 11.7.2), and nowhere else.
import type { Config } from "../../engine/config.ts";
import { Failure } from "../../engine/failure.ts";
import { looksLikeToken } from "../../engine/token.ts";
import type { Field } from "../../wire/http1.ts";
import type { Forward, Proxied } from "./face.ts";

/** `Basic` with the token as the user or the password, or `Bearer`. The other part of `Basic` may name a capability. */
export function readProxyAuthorization(
  fields: readonly Field[],
  forward: Forward,
  config: Config,
): Proxied | Failure {
  const value = fields.find(({ key }) => key === "proxy-authorization")?.value;
  const [, scheme, credentials] = /^(basic|bearer) +([A-Za-z0-9._~+/-]+=*)$/i.exec(value ?? "") ?? [];
  if (scheme === undefined || credentials === undefined) return tokenNeeded();
  if (scheme.toLowerCase() === "bearer") return named(credentials, "", forward, config);
  const pair = Buffer.from(credentials, "base64").toString("latin1");
  const colon = pair.indexOf(":");
  const user = colon < 0 ? pair : pair.slice(0, colon);
  const password = colon < 0 ? "" : pair.slice(colon + 1);
  if (looksLikeToken(user) && looksLikeToken(password)) {
    return new Failure("session_ambiguous", "both user and password of the proxy's URL are tokens", {
      next: "send one",
    });
  }
  return looksLikeToken(user)
    ? named(user, password, forward, config)
    : named(password, user, forward, config);
}

function named(token: string, other: string, forward: Forward, config: Config): Proxied | Failure {
  if (!looksLikeToken(token)) return tokenNeeded();
  const caller = forward.callerOf(token);
  const only = config.capabilities.has(other) ? other : undefined;
  return { by: caller ? { caller } : { token }, only };
}

export function tokenNeeded(): Failure {
  return new Failure("proxy_token_needed", "a session token is needed in Proxy-Authorization", {
    next: "ask the person for a session, and use http://x:<token>@host:port as the proxy",
  });
}
