// The token endpoint of OAuth 2.0 (RFC 6749 sections 3.2, 4.4, 5 and 6): what is asked, and what its answers mean.
import type { Service } from "../config.ts";
import { Failure } from "../failure.ts";
import { isReference } from "../reference.ts";
import { Secret } from "../secret.ts";
import type { EndpointReply } from "./endpoint.ts";
import type { CredentialTools } from "./scheme.ts";

export interface Client {
  readonly id: string;
  /** undefined: a public client. */
  readonly secret: string | undefined;
  /** Where id and secret stand (RFC 6749 section 2.3.1). */
  readonly auth: "basic" | "post";
}

export type Form = readonly (readonly [name: string, value: string | undefined])[];

export interface Grant {
  readonly access: Secret;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  readonly refresh: Secret | undefined;
}

/** Where the answer does not say how long the token lives. */
const unsaidSeconds = 300;

export function formOf(fields: Form): string {
  const given = fields.filter((field): field is readonly [string, string] => field[1] !== undefined);
  return new URLSearchParams(given.map(([name, value]) => [name, value])).toString();
}

/** The form as this client sends it, with the headers that go with it. */
export function clientRequest(
  client: Client | undefined,
  fields: Form,
): { readonly headers: readonly (readonly [string, string])[]; readonly body: string } {
  const headers: [string, string][] = [
    ["Accept", "application/json"],
    ["Content-Type", "application/x-www-form-urlencoded"],
    ["User-Agent", "janee"],
  ];
  const basic = client?.secret !== undefined && client.auth === "basic";
  if (basic) headers.push(["Authorization", `Basic ${basicPair(client.id, client.secret)}`]);
  const own: Form =
    basic || !client
      ? []
      : [
          ["client_id", client.id],
          ["client_secret", client.secret],
        ];
  return { headers, body: formOf([...fields, ...own]) };
}

/** Both are form-encoded first, so that a colon in the id is no border. */
function basicPair(id: string, secret: string): string {
  const encoded = [id, secret].map((text) => new URLSearchParams([["", text]]).toString().slice(1));
  return Buffer.from(encoded.join(":"), "utf8").toString("base64");
}

export async function askForToken(
  service: Service,
  url: string,
  client: Client | undefined,
  fields: Form,
  tools: CredentialTools,
): Promise<Grant | Failure> {
  const reply = await tools.endpoint.ask(service, { method: "POST", url, ...clientRequest(client, fields) });
  return reply instanceof Failure ? reply : grantIn(reply, service.name, tools.now());
}

/** `now`: milliseconds since 1970. */
export function grantIn(reply: EndpointReply, service: string, now: number): Grant | Failure {
  const { access_token: access, token_type: type, expires_in: lasts, refresh_token: refresh } = reply.json;
  if (reply.status !== 200 || !isToken(access)) return refusal(reply, service);
  if (typeof type === "string" && type.toLowerCase() !== "bearer") {
    return new Failure("credential_failed", "the token endpoint gave a token that is no bearer token", {
      next: "set the client to bearer tokens (RFC 6750) at the issuer",
    });
  }
  if (typeof refresh === "string" && isLikeReference(refresh)) {
    return new Failure(
      "credential_failed",
      "the token endpoint gave a refresh token that janee cannot keep",
      {
        next: "check tokenUrl: no issuer gives such a one",
      },
    );
  }
  const said = Number(lasts);
  const known = lasts !== undefined && lasts !== null && lasts !== "" && Number.isFinite(said) && said >= 0;
  return {
    access: new Secret(access),
    expiresAt: now + Math.min(known ? said : unsaidSeconds, longestSeconds) * 1000,
    refresh: isToken(refresh) ? new Secret(refresh) : undefined,
  };
}

/** In the config such a text means something else than itself. */
function isLikeReference(text: string): boolean {
  const lower = text.toLowerCase();
  return lower.startsWith("sealed:") || isReference(lower);
}

const longestSeconds = 366 * 24 * 3600;

/** VSCHAR without the blank (RFC 6749 appendix A): what a header can hold, and nothing else. */
function isToken(value: unknown): value is string {
  return typeof value === "string" && /^[\x21-\x7e]{1,65536}$/.test(value);
}

/** What to look at, for each error of the standards. What the issuer says beyond its code is not repeated. */
const advice: Readonly<Record<string, string>> = {
  invalid_request: "check the fields of the service's auth: the issuer misses one or takes none of this kind",
  invalid_client: "check the client's id and secret, and whether the issuer wants clientAuth: post or basic",
  invalid_grant: "what was exchanged for the token is wrong, was revoked or has run out: give it again",
  unauthorized_client: "at the issuer, allow this client to get tokens in this way",
  unsupported_grant_type: "the issuer gives no tokens in this way: check tokenUrl and grant",
  invalid_scope: "check scope: the issuer does not give it to this client",
  invalid_target: "check audience and resource",
  access_denied: "the person, or the issuer, said no",
  server_error: "try again later",
  temporarily_unavailable: "try again later",
  slow_down: "try again later",
};

/** The standard code in an answer, and nothing else that stands there. */
export function errorCodeIn({ json }: EndpointReply): string | undefined {
  const { error } = json;
  return typeof error === "string" && (Object.hasOwn(advice, error) || deviceCodes.has(error))
    ? error
    : undefined;
}

/** RFC 8628 section 3.5. */
const deviceCodes = new Set(["authorization_pending", "expired_token"]);

/** What the token endpoint said no with. */
export class Refusal extends Failure {
  /** Of the standards; undefined: none of theirs. */
  readonly error: string | undefined;

  constructor(error: string | undefined, message: string, next: string) {
    super("credential_failed", message, { next });
    this.error = error;
  }
}

export function refusal(reply: EndpointReply, service: string): Refusal {
  const code = errorCodeIn(reply);
  const what = code ?? (reply.status === 200 ? "an answer without a token" : "an answer of its own kind");
  const next = (code && advice[code]) ?? (reply.status >= 500 ? "try again later" : "check tokenUrl");
  return new Refusal(code, `no token for "${service}": ${what} (${reply.status})`, next);
}
