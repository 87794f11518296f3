import { awsSigv4 } from "./aws-sigv4.ts";
import { azure } from "./azure.ts";

import { basic } from "./basic.ts";
import { bearer } from "./bearer.ts";
import { cookie } from "./cookie.ts";
import { digest } from "./digest.ts";
import { githubApp } from "./github-app.ts";
import { googleServiceAccount } from "./google-service-account.ts";
import { headers } from "./headers.ts";
import { hmac } from "./hmac.ts";
import { mtls } from "./mtls.ts";
import { oauth1a } from "./oauth1a.ts";
import { oauth2 } from "./oauth2.ts";

import { query } from "./query.ts";
import type { FixedScheme, MadeScheme, Scheme } from "./scheme.ts";

export const fixedSchemes: readonly FixedScheme[] = [bearer, basic, headers, query, cookie];
export const madeSchemes: readonly MadeScheme[] = [
  ...[githubApp, oauth2, googleServiceAccount, azure, awsSigv4, hmac, oauth1a, digest, mtls],
];

const schemes: ReadonlyMap<string, Scheme> = new Map(
  [...fixedSchemes, ...madeSchemes].map((scheme) => [scheme.type, scheme]),
);

export const schemeTypes: readonly string[] = [...schemes.keys()];

export function schemeOf(type: string): Scheme {
  const scheme = schemes.get(type);
  if (!scheme) throw new Error(`no credential scheme "${type}": the config should have refused it`);
  return scheme;
}
