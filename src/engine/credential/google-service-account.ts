// A Google service account: an assertion that its key signs is exchanged for an access token (RFC 7523 section 2.1).
// https://developers.google.com/identity/protocols/oauth2/service-account
import type { Service } from "../config.ts";
import { Failure } from "../failure.ts";
import type { Secret } from "../secret.ts";
import { bearerToken, refuseIssuers, tokenPlacement } from "./bearer-token.ts";
import { signedJwt } from "./jwt.ts";
import { problemInScope } from "./oauth2.ts";
import type { Auth, CredentialTools, MadeScheme } from "./scheme.ts";
import { askForToken } from "./token-endpoint.ts";
import type { Token } from "./tokens.ts";

const usualTokenUri = "https://oauth2.googleapis.com/token";
const assertionGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer";

const address = (text: string): string | undefined =>
  /^[^\s@]+@[^\s@]+$/.test(text)
    ? undefined
    : "expected an address, such as name@project.iam.gserviceaccount.com";

export const googleServiceAccount: MadeScheme = {
  type: "google-service-account",
  title: "Google service account",
  page: "https://developers.google.com/identity/protocols/oauth2/service-account",
  fields: [
    {
      ...{ name: "privateKey", kind: "pem", required: true, signs: "RS256" },
      expected: "the account's key: the JSON file as Google gives it, or the private key in PEM",
    },
    {
      ...{ name: "clientEmail", kind: "text", required: true },
      expected: "the account's address",
      problem: address,
    },
    { name: "privateKeyId", kind: "text", required: false, expected: "the id of the key" },
    {
      ...{ name: "scope", kind: "list", required: true },
      expected: "scopes, such as https://www.googleapis.com/auth/devstorage.read_only",
      problem: problemInScope,
    },
    {
      ...{ name: "subject", kind: "text", required: false },
      expected: "the user on whose behalf it acts, by domain-wide delegation",
      problem: address,
    },
    {
      name: "tokenUri",
      kind: "url",
      required: false,
      expected: `the token endpoint (default ${usualTokenUri})`,
    },
  ],
  ...tokenPlacement,
  place: (auth) => JSON.stringify(["header:authorization, by a token from", tokenUriOf(auth)]),
  yieldsToken: true,
  unpack: unpackKeyFile,
  async make(service, opened, tools) {
    const key = opened.get("privateKey");
    if (!key) throw new Error("the private key was not opened");
    const { auth, base } = service;
    const open = [...auth.open].map(([name, value]) => `${name}=${value}`).sort();
    const purpose = [auth.type, base?.text ?? "", tools.digest.sha256(key.reveal()), ...open];
    const obtained = await tools.tokens.obtain(service.name, purpose, () => fetchToken(service, key, tools));
    return obtained instanceof Failure ? obtained : bearerToken(obtained);
  },
  refuse: ({ auth, base }, target) => refuseIssuers(base, target, [tokenUriOf(auth)]),
};

function tokenUriOf({ open }: Auth): string {
  return open.get("tokenUri") ?? usualTokenUri;
}

/** The JSON that the console hands out; what is no JSON is taken for the key itself. */
function unpackKeyFile(
  text: string,
): { readonly [field: string]: string } | { readonly problem: string } | undefined {
  if (!text.trimStart().startsWith("{")) return undefined;
  const file = objectIn(text);
  if (file?.type !== "service_account") {
    return { problem: 'the JSON is no key of a service account: expected "type": "service_account"' };
  }
  const { private_key: privateKey, client_email: clientEmail } = file;
  if (typeof privateKey !== "string" || typeof clientEmail !== "string") {
    return { problem: "the JSON has no private_key or no client_email" };
  }
  const { private_key_id: privateKeyId, token_uri: tokenUri } = file;
  return {
    ...{ privateKey, clientEmail },
    ...(typeof privateKeyId === "string" ? { privateKeyId } : {}),
    ...(typeof tokenUri === "string" && tokenUri !== usualTokenUri ? { tokenUri } : {}),
  };
}

function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Clocks may differ; Google takes no assertion that lasts longer than an hour. */
const skewSeconds = 60;
const lifeSeconds = 600;

async function fetchToken(service: Service, key: Secret, tools: CredentialTools): Promise<Token | Failure> {
  const { open } = service.auth;
  const url = tokenUriOf(service.auth);
  const now = Math.floor(tools.now() / 1000);
  const subject = open.get("subject");
  const id = open.get("privateKeyId");
  const claims = {
    ...{ iss: open.get("clientEmail") ?? "", scope: (open.get("scope") ?? "").replaceAll(",", " ") },
    ...{ aud: url, iat: now - skewSeconds, exp: now + lifeSeconds },
    ...(subject === undefined ? {} : { sub: subject }),
  };
  const assertion = await signedJwt(claims, key, tools.keys, id === undefined ? {} : { kid: id });
  if (assertion instanceof Failure) return assertion;
  const fields = [
    ["grant_type", assertionGrant],
    ["assertion", assertion],
  ] as const;
  const grant = await askForToken(service, url, undefined, fields, tools);
  return grant instanceof Failure ? grant : { secret: grant.access, expiresAt: grant.expiresAt };
}
