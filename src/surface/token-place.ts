// The session token stands where the client would have put its key. Exactly one place may hold it.
import type { Config } from "../engine/config.ts";
import { schemeOf } from "../engine/credential/index.ts";
import { Failure } from "../engine/failure.ts";
import type { HeaderField } from "../engine/ports.ts";
import { looksLikeToken } from "../engine/token.ts";

/** The token, undefined when no place holds one, or a failure when more than one does. */
export function findToken(
  config: Config,
  capability: string,
  target: string,
  fields: readonly HeaderField[],
): string | undefined | Failure {
  const serviceName = config.capabilities.get(capability)?.service;
  const service = serviceName === undefined ? undefined : config.services.get(serviceName);
  const scheme = service && schemeOf(service.auth.type);
  const headerNames = service && scheme ? scheme.headerNames(service.auth) : [];
  const found: string[] = [];
  for (const { key, value } of fields) {
    const mayHold = key === "authorization" || key === "x-api-key" || headerNames.includes(key);
    if (mayHold) found.push(...tokensIn(value));
  }
  const queryNames = service && scheme ? scheme.queryNames(service.auth) : [];
  if (queryNames.length > 0) found.push(...tokensInQuery(target, queryNames));
  if (found.length <= 1) return found[0];
  return new Failure("session_ambiguous", "more than one place holds a session token", {
    next: "send it once, where the API key would stand",
  });
}

/** Where a client's library puts the key's name when it signs: AWS Signature Version 4, and OAuth 1.0a. */
const namedIn =
  /^AWS4-HMAC-SHA256 +Credential=(jn[as]_[^/,\s]+)\/|^OAuth .*?oauth_(?:consumer_key|token)="(jn[as]_[^"]+)"/i;

/** A bare token, or one behind a scheme's name; in Basic (RFC 7617) the user or the password. */
function tokensIn(value: string): string[] {
  const [, ofAws, ofOauth] = namedIn.exec(value) ?? [];
  const named = ofAws ?? ofOauth;
  if (named !== undefined) return looksLikeToken(named) ? [named] : [];
  const space = value.lastIndexOf(" ");
  const credential = space < 0 ? value : value.slice(space + 1);
  if (looksLikeToken(credential)) return [credential];
  if (!/^basic +/i.test(value)) return [];
  return Buffer.from(credential, "base64").toString("latin1").split(":").filter(looksLikeToken);
}

function tokensInQuery(target: string, names: readonly string[]): string[] {
  const mark = target.indexOf("?");
  if (mark < 0) return [];
  const tokens: string[] = [];
  for (const [name, value] of new URLSearchParams(target.slice(mark + 1))) {
    if (names.includes(name) && looksLikeToken(value)) tokens.push(value);
  }
  return tokens;
}
