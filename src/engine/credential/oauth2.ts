// OAuth 2.0: a client's own credentials, or a refresh token that a person's login gave, are exchanged for access tokens
// (RFC 6749 sections 4.4 and 6). Refresh tokens that rotate are stored before their access token is used.
import type { Service } from "../config.ts";
import { Failure } from "../failure.ts";
import type { Exchanged } from "../ports.ts";
import { Secret } from "../secret.ts";
import { bearerToken, refuseIssuers, tokenPlacement } from "./bearer-token.ts";
import type { Auth, CredentialTools, MadeScheme, OpenedSecrets } from "./scheme.ts";
import { askForToken, type Client, clientRequest, type Form, type Grant, Refusal } from "./token-endpoint.ts";
import type { Token } from "./tokens.ts";

const oneOf =
  (...texts: readonly string[]) =>
  (text: string): string | undefined =>
    texts.includes(text) ? undefined : `expected ${texts.join(" or ")}`;

/** RFC 6749 section 3.3. */
export const problemInScope = (text: string): string | undefined =>
  /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(text) ? undefined : "expected scopes, each of them one word";

export const oauth2: MadeScheme = {
  type: "oauth2",
  title: "OAuth 2.0",
  page: "https://www.rfc-editor.org/rfc/rfc6749",
  fields: [
    { name: "tokenUrl", kind: "url", required: true, expected: "the token endpoint, a URL" },
    { name: "clientId", kind: "text", required: true, expected: "the client's id" },
    {
      name: "clientSecret",
      kind: "secret",
      required: false,
      expected: "the client's secret, unless it is public",
    },
    {
      ...{ name: "grant", kind: "text", required: false },
      expected: "client_credentials, or refresh_token for what janee login gives",
      problem: oneOf("client_credentials", "refresh_token"),
    },
    { name: "scope", kind: "list", required: false, expected: "scopes", problem: problemInScope },
    { name: "audience", kind: "text", required: false, expected: "the audience, where the issuer wants one" },
    { name: "resource", kind: "url", required: false, expected: "the resource (RFC 8707), a URL" },
    {
      ...{ name: "clientAuth", kind: "text", required: false },
      expected: "basic (the default) or post: where the client's secret stands",
      problem: oneOf("basic", "post"),
    },
    {
      ...{ name: "refreshToken", kind: "secret", required: false, renewed: "also" },
      expected: "a refresh token, where there is one already: else janee login gets it",
    },
    {
      name: "authorizeUrl",
      kind: "url",
      required: false,
      expected: "for janee login: the authorization endpoint",
    },
    {
      name: "deviceUrl",
      kind: "url",
      required: false,
      expected: "for janee login: the device endpoint (RFC 8628)",
    },
    { name: "revokeUrl", kind: "url", required: false, expected: "where tokens are given back (RFC 7009)" },
    {
      ...{ name: "renewal", kind: "secret", required: false, renewed: "alone" },
      expected: "nothing: janee writes here which login a refresh token comes from",
    },
  ],
  ...tokenPlacement,
  // The client's secret and the refresh token travel to these addresses.
  place: ({ open }) =>
    JSON.stringify([
      "header:authorization, by a token from",
      ...["tokenUrl", "deviceUrl", "revokeUrl"].map((field) => open.get(field) ?? ""),
    ]),
  problemIn(open, secrets) {
    const grant = open.get("grant");
    if (grant === "client_credentials" && !secrets.has("clientSecret"))
      return '"clientSecret" is missing: client_credentials are nothing else';
    if (grant === "client_credentials" && secrets.has("refreshToken"))
      return '"refreshToken" does not go with grant: client_credentials';
    return undefined;
  },
  yieldsToken: true,
  async make(service, opened, tools) {
    const purpose = purposeOf(service, opened, tools);
    const obtained = await tools.tokens.obtain(service.name, purpose, () =>
      fetchToken(service, opened, tools),
    );
    return obtained instanceof Failure ? obtained : bearerToken(obtained);
  },
  refuse: ({ auth, base }, target) =>
    refuseIssuers(
      base,
      target,
      ["tokenUrl", "authorizeUrl", "deviceUrl", "revokeUrl"].map((field) => auth.open.get(field)),
    ),
};

export function grantOf({ open, secret }: Auth): "client_credentials" | "refresh_token" {
  const named = open.get("grant");
  if (named === "client_credentials" || named === "refresh_token") return named;
  const byLogin = secret.has("refreshToken") || open.has("authorizeUrl") || open.has("deviceUrl");
  return byLogin ? "refresh_token" : "client_credentials";
}

export function clientOf({ open }: Auth, opened: OpenedSecrets): Client {
  return {
    id: open.get("clientId") ?? "",
    secret: opened.get("clientSecret")?.reveal(),
    auth: open.get("clientAuth") === "post" ? "post" : "basic",
  };
}

/** Scope, audience and resource: what a token may be used for. */
export function wishesOf({ open }: Auth): Form {
  return [
    ["scope", open.get("scope")?.replaceAll(",", " ")],
    ["audience", open.get("audience")],
    ["resource", open.get("resource")],
  ];
}

/**
 * A refresh token that the issuer put in the place of another stands for the same login: processes that see the new
 * one in the config go on with the access token they have. One that a person gave begins a login of its own.
 */
function loginOf(opened: OpenedSecrets, tools: CredentialTools): string {
  const token = opened.get("refreshToken");
  if (!token) return "";
  const digest = tools.digest.sha256(`janee login ${token.reveal()}`);
  const [login, of] = opened.get("renewal")?.reveal().split(".") ?? [];
  return login && of === digest ? login : digest;
}

function purposeOf(service: Service, opened: OpenedSecrets, tools: CredentialTools): readonly string[] {
  const { auth, base } = service;
  const open = [...auth.open].map(([name, value]) => `${name}=${value}`).sort();
  const secret = opened.get("clientSecret");
  const key = secret ? tools.digest.sha256(secret.reveal()) : "";
  return [auth.type, base?.text ?? "", key, loginOf(opened, tools), ...open];
}

function fetchToken(
  service: Service,
  opened: OpenedSecrets,
  tools: CredentialTools,
): Promise<Token | Failure> {
  if (grantOf(service.auth) === "refresh_token") {
    if (!opened.has("refreshToken")) return Promise.resolve(needsLogin(service));
    return tools.exchange(service, (current) => refreshed(service, current, tools));
  }
  return ask(service, opened, [["grant_type", "client_credentials"], ...wishesOf(service.auth)], tools).then(
    (grant) => (grant instanceof Failure ? grant : tokenOf(service, opened, grant, tools)),
  );
}

function ask(
  service: Service,
  opened: OpenedSecrets,
  fields: Form,
  tools: CredentialTools,
): Promise<Grant | Failure> {
  const url = service.auth.open.get("tokenUrl") ?? "";
  return askForToken(service, url, clientOf(service.auth, opened), fields, tools);
}

/** Killed between the answer and its being stored, this grant is lost, and the person has to log in anew. */
async function refreshed(
  service: Service,
  current: OpenedSecrets,
  tools: CredentialTools,
): Promise<Exchanged<Token> | Failure> {
  const held = current.get("refreshToken");
  if (!held) return needsLogin(service);
  const fields: Form = [
    ["grant_type", "refresh_token"],
    ["refresh_token", held.reveal()],
    ...wishesOf(service.auth),
  ];
  const grant = await ask(service, current, fields, tools);
  if (grant instanceof Refusal && grant.error === "invalid_grant") return needsLogin(service, true);
  if (grant instanceof Failure) return grant;
  const result = tokenOf(service, current, grant, tools);
  const { refresh } = grant;
  if (!refresh || refresh.equals(held)) return { keep: new Map(), result };
  const digest = tools.digest.sha256(`janee login ${refresh.reveal()}`);
  const renewal = new Secret(`${loginOf(current, tools)}.${digest}`);
  return {
    keep: new Map([
      ["refreshToken", refresh],
      ["renewal", renewal],
    ]),
    result,
  };
}

function needsLogin(service: Service, wasRefused = false): Failure {
  const why = wasRefused
    ? "the issuer takes its refresh token no more (invalid_grant)"
    : "nobody has logged in yet";
  return new Failure("login_required", `"${service.name}": ${why}`, {
    next: `ask the person to run: janee login ${service.name}`,
  });
}

function tokenOf(service: Service, opened: OpenedSecrets, grant: Grant, tools: CredentialTools): Token {
  const { access, expiresAt } = grant;
  const url = service.auth.open.get("revokeUrl");
  if (url === undefined) return { secret: access, expiresAt };
  const fields: Form = [
    ["token", access.reveal()],
    ["token_type_hint", "access_token"],
  ];
  return {
    ...{ secret: access, expiresAt },
    async withdraw() {
      const sent = clientRequest(clientOf(service.auth, opened), fields);
      const reply = await tools.endpoint.ask(service, { method: "POST", url, ...sent });
      return !(reply instanceof Failure) && reply.status === 200;
    },
  };
}
