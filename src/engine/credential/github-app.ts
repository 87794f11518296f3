// A GitHub App acts as itself: a JWT that its private key signs is exchanged for an installation token of an hour,
// which can be narrowed to repositories and permissions.
// https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
import type { BaseUrl, Service } from "../config.ts";
import { Failure } from "../failure.ts";
import { Secret } from "../secret.ts";
import { bearerToken, isPath, tokenPlacement, tokensAreJanees } from "./bearer-token.ts";
import { signedJwt } from "./jwt.ts";
import type { Auth, CredentialTools, MadeScheme } from "./scheme.ts";
import type { Token } from "./tokens.ts";

const number = (text: string): string | undefined =>
  /^[0-9]{1,20}$/.test(text) ? undefined : "expected a number";
const permission = (text: string): string | undefined =>
  /^[a-z_]+=(?:read|write|admin)$/.test(text)
    ? undefined
    : "expected read, write or admin for each permission";
const repository = (text: string): string | undefined =>
  /^[A-Za-z0-9._-]{1,100}$/.test(text) ? undefined : "expected names of repositories, without their owner";

export const githubApp: MadeScheme = {
  type: "github-app",
  title: "GitHub App",
  page: "https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app",
  fields: [
    { name: "appId", kind: "text", required: true, expected: "the app's id, a number, or its client id" },
    {
      name: "installationId",
      kind: "text",
      required: true,
      expected: "the installation's id, a number",
      problem: number,
    },
    {
      name: "privateKey",
      kind: "pem",
      required: true,
      expected: "the app's private key in PEM",
      flag: "pem",
      signs: "RS256",
    },
    {
      name: "repositories",
      kind: "list",
      required: false,
      expected: "names of repositories",
      problem: repository,
    },
    {
      name: "permissions",
      kind: "map",
      required: false,
      expected: "permissions, such as contents: read",
      problem: permission,
    },
  ],
  ...tokenPlacement,
  place: () => "header:authorization, by an installation token",
  yieldsToken: true,
  async make(service, opened, tools) {
    const { base } = service;
    if (!base)
      return new Failure("credential_failed", `"${service.name}" has no baseUrl to get a token from`);
    const key = opened.get("privateKey");
    if (!key) throw new Error("the private key was not opened");
    const purpose = purposeOf(service, base, tools.digest.sha256(key.reveal()));
    const obtained = await tools.tokens.obtain(service.name, purpose, () =>
      fetchToken(service, base, key, tools),
    );
    if (obtained instanceof Failure) return obtained;
    return bearerToken(obtained);
  },
  // An agent that withdraws the token takes it from everyone.
  refuse: (_service, { path }) => (isPath("/installation/token", path) ? tokensAreJanees() : undefined),
};

/** A token for reading must never serve one who may write: everything that narrows it is part of its name. */
function purposeOf({ auth }: Service, base: BaseUrl, key: string): readonly string[] {
  const open = ["appId", "installationId", "repositories", "permissions"].map(
    (field) => auth.open.get(field) ?? "",
  );
  return [auth.type, base.text, key, ...open];
}

/** Clocks may differ by a minute; GitHub takes no JWT that lasts longer than ten. */
const skewSeconds = 60;
const lifeSeconds = 540;

async function fetchToken(
  service: Service,
  base: BaseUrl,
  pem: Secret,
  tools: CredentialTools,
): Promise<Token | Failure> {
  const { auth } = service;
  const now = Math.floor(tools.now() / 1000);
  const claims = { iat: now - skewSeconds, exp: now + lifeSeconds, iss: auth.open.get("appId") ?? "" };
  const jwt = await signedJwt(claims, pem, tools.keys);
  if (jwt instanceof Failure) return jwt;
  const url = `${base.text.replace(/\/$/, "")}/app/installations/${auth.open.get("installationId")}/access_tokens`;
  const reply = await tools.endpoint.ask(service, {
    method: "POST",
    url,
    headers: headersFor(jwt),
    body: narrowing(auth),
  });
  if (reply instanceof Failure) return reply;
  const { token, expires_at: end } = reply.json;
  const expiresAt = typeof end === "string" ? Date.parse(end) : Number.NaN;
  if (reply.status === 201 && typeof token === "string" && token !== "" && Number.isFinite(expiresAt)) {
    const secret = new Secret(token);
    return { secret, expiresAt, withdraw: () => withdraw(service, base, secret, tools) };
  }
  return new Failure("credential_failed", `GitHub gave no installation token (${reply.status})`, {
    next: adviceFor(reply.status),
  });
}

function headersFor(token: string): readonly (readonly [string, string])[] {
  return [
    ["Authorization", `Bearer ${token}`],
    ["Accept", "application/vnd.github+json"],
    ["Content-Type", "application/json"],
    ["User-Agent", "janee"],
    ["X-GitHub-Api-Version", "2022-11-28"],
  ];
}

function narrowing({ open }: Auth): string {
  const repositories = open.get("repositories")?.split(",");
  const permissions = open
    .get("permissions")
    ?.split(",")
    .map((pair) => pair.split("=") as [string, string]);
  return JSON.stringify({
    ...(repositories ? { repositories } : {}),
    ...(permissions ? { permissions: Object.fromEntries(permissions) } : {}),
  });
}

function adviceFor(status: number): string {
  if (status === 401) return "check the app's id, its private key and this machine's clock";
  if (status === 404) return "check the installation's id and the baseUrl";
  if (status === 422) return "check repositories and permissions: the installation has less";
  return "try again later";
}

/** https://docs.github.com/en/rest/apps/installations#revoke-an-installation-access-token */
async function withdraw(
  service: Service,
  base: BaseUrl,
  token: Secret,
  tools: CredentialTools,
): Promise<boolean> {
  const url = `${base.text.replace(/\/$/, "")}/installation/token`;
  const headers = headersFor(token.reveal());
  const reply = await tools.endpoint.ask(service, { method: "DELETE", url, headers, body: "" });
  return !(reply instanceof Failure) && reply.status === 204;
}
