// An application of Microsoft Entra ID that acts as itself: its secret is exchanged for an access token.
// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
import type { Service } from "../config.ts";
import { Failure } from "../failure.ts";
import type { Secret } from "../secret.ts";
import { bearerToken, refuseIssuers, tokenPlacement } from "./bearer-token.ts";
import type { Auth, CredentialTools, MadeScheme } from "./scheme.ts";
import { askForToken, type Client } from "./token-endpoint.ts";
import type { Token } from "./tokens.ts";

const usualAuthority = "https://login.microsoftonline.com";

export const azure: MadeScheme = {
  type: "azure",
  title: "Azure client credentials",
  page: "https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow",
  fields: [
    {
      ...{ name: "tenant", kind: "text", required: true },
      expected: "the tenant's id or domain",
      problem: (text) => (/^[A-Za-z0-9.-]{1,253}$/.test(text) ? undefined : "expected an id or a domain"),
    },
    { name: "clientId", kind: "text", required: true, expected: "the application's (client's) id" },
    { name: "clientSecret", kind: "secret", required: true, expected: "a secret of the application" },
    {
      ...{ name: "resource", kind: "text", required: false },
      expected: "what the token is for, by default the origin of baseUrl: https://vault.azure.net",
      problem: (text) => (/^[\x21-\x7e]+$/.test(text) ? undefined : "expected the resource's address"),
    },
    {
      ...{ name: "authority", kind: "url", required: false },
      expected: `who gives tokens (default ${usualAuthority}; other clouds have their own)`,
      problem: (text) =>
        new URL(text).pathname === "/" && new URL(text).search === ""
          ? undefined
          : "expected an origin alone",
    },
  ],
  ...tokenPlacement,
  place: (auth) => JSON.stringify(["header:authorization, by a token from", tokenUrlOf(auth)]),
  yieldsToken: true,
  async make(service, opened, tools) {
    const secret = opened.get("clientSecret");
    if (!secret) throw new Error("the client's secret was not opened");
    const { auth, base } = service;
    const open = [...auth.open].map(([name, value]) => `${name}=${value}`).sort();
    const purpose = [auth.type, base?.text ?? "", tools.digest.sha256(secret.reveal()), ...open];
    const obtained = await tools.tokens.obtain(service.name, purpose, () =>
      fetchToken(service, secret, tools),
    );
    return obtained instanceof Failure ? obtained : bearerToken(obtained);
  },
  refuse: ({ auth, base }, target) => refuseIssuers(base, target, [tokenUrlOf(auth)]),
};

function tokenUrlOf({ open }: Auth): string {
  const { origin } = new URL(open.get("authority") ?? usualAuthority);
  return `${origin}/${open.get("tenant")}/oauth2/v2.0/token`;
}

async function fetchToken(
  service: Service,
  secret: Secret,
  tools: CredentialTools,
): Promise<Token | Failure> {
  const { auth, base } = service;
  const resource = auth.open.get("resource") ?? (base && `${base.scheme}://${base.authority}`);
  if (resource === undefined) {
    return new Failure("credential_failed", `"${service.name}" has neither a baseUrl nor a resource`, {
      next: `say what its token is for: janee set ${service.name} --resource https://…`,
    });
  }
  const client: Client = { id: auth.open.get("clientId") ?? "", secret: secret.reveal(), auth: "post" };
  const fields = [
    ["grant_type", "client_credentials"],
    // Everything that the application was given on this resource.
    ["scope", `${resource}/.default`],
  ] as const;
  const grant = await askForToken(service, tokenUrlOf(auth), client, fields, tools);
  return grant instanceof Failure ? grant : { secret: grant.access, expiresAt: grant.expiresAt };
}
