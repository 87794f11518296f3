// How a person's login becomes a refresh token: the device flow (RFC 8628), or an authorization code that PKCE binds to
// the one who asked for it (RFC 7636, RFC 8252).
import type { Service } from "../config.ts";
import { Failure } from "../failure.ts";
import { clientOf, wishesOf } from "./oauth2.ts";
import type { CredentialTools, OpenedSecrets } from "./scheme.ts";
import {
  askForToken,
  clientRequest,
  type Form,
  formOf,
  type Grant,
  Refusal,
  refusal,
} from "./token-endpoint.ts";

export interface LoginParts {
  readonly service: Service;
  readonly opened: OpenedSecrets;
  readonly tools: CredentialTools;
  /** Milliseconds since 1970 at which nobody waits any more. */
  readonly deadline: number;
  wait(milliseconds: number): Promise<void>;
}

/** What a person has to do, as the issuer puts it. */
export interface DevicePrompt {
  readonly address: string;
  readonly code: string;
  /** With the code in it already. */
  readonly direct: string | undefined;
}

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code";
const usualIntervalSeconds = 5;

export async function deviceLogin(
  parts: LoginParts,
  show: (prompt: DevicePrompt) => void,
): Promise<Grant | Failure> {
  const { service, opened, tools } = parts;
  const url = service.auth.open.get("deviceUrl") ?? "";
  // A client without a secret names itself in the form; one with a secret may do that twice.
  const client = clientOf(service.auth, opened);
  const named: Form =
    client.secret !== undefined && client.auth === "basic" ? [["client_id", client.id]] : [];
  const sent = clientRequest(client, [...named, ...wishesOf(service.auth)]);
  const reply = await tools.endpoint.ask(service, { method: "POST", url, ...sent });
  if (reply instanceof Failure) return reply;
  const { device_code: device, user_code: code, verification_uri: address } = reply.json;
  const direct = reply.json.verification_uri_complete;
  if (reply.status !== 200 || typeof device !== "string" || typeof code !== "string" || !isWeb(address)) {
    return refusal(reply, service.name);
  }
  show({ address, code, direct: isWeb(direct) ? direct : undefined });
  const lasts = Number(reply.json.expires_in);
  const until = Math.min(parts.deadline, tools.now() + (lasts > 0 ? lasts * 1000 : Number.POSITIVE_INFINITY));
  return polled(parts, device, intervalIn(reply.json.interval), until);
}

async function polled(
  { service, opened, tools, wait }: LoginParts,
  device: string,
  interval: number,
  until: number,
): Promise<Grant | Failure> {
  const client = clientOf(service.auth, opened);
  const tokenUrl = service.auth.open.get("tokenUrl") ?? "";
  const fields: Form = [
    ["grant_type", deviceGrant],
    ["device_code", device],
    ["client_id", client.secret !== undefined && client.auth === "basic" ? client.id : undefined],
  ];
  let seconds = interval;
  while (tools.now() + seconds * 1000 < until) {
    await wait(seconds * 1000);
    const grant = await askForToken(service, tokenUrl, client, fields, tools);
    if (!(grant instanceof Failure)) return grant;
    // An issuer that could not be reached was not asked, and is to be asked less often (RFC 8628 section 3.5).
    const error = grant instanceof Refusal ? grant.error : "slow_down";
    if (error === "slow_down") seconds += usualIntervalSeconds;
    else if (error === "expired_token") break;
    else if (error === "access_denied") return denied(service);
    else if (error !== "authorization_pending") return grant;
  }
  return ranOut(service);
}

function intervalIn(value: unknown): number {
  const seconds = value === undefined ? usualIntervalSeconds : Number(value);
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 1), 60) : usualIntervalSeconds;
}

export interface Authorization {
  /** What the person opens. */
  readonly url: string;
  readonly state: string;
  readonly verifier: string;
  readonly redirect: string;
}

/** The authorization request (RFC 6749 section 4.1.1); what stands in the address already stays (section 3.1). */
export function authorization(service: Service, redirect: string, tools: CredentialTools): Authorization {
  const { auth } = service;
  const random = (): string => Buffer.from(tools.entropy.bytes(32)).toString("base64url");
  const [state, verifier] = [random(), random()];
  const url = new URL(auth.open.get("authorizeUrl") ?? "");
  const asked = formOf([
    ["response_type", "code"],
    ["client_id", auth.open.get("clientId")],
    ["redirect_uri", redirect],
    ...wishesOf(auth),
    ["state", state],
    // RFC 7636 section 4.2: base64url of the SHA-256 of the verifier's ASCII.
    ["code_challenge", tools.digest.sha256(verifier)],
    ["code_challenge_method", "S256"],
  ]);
  url.search = url.search === "" ? asked : `${url.search}&${asked}`;
  return { url: url.href, state, verifier, redirect };
}

/** The code in what the browser brought back: undefined where it is no answer to this very request. */
export function codeIn(
  answer: URLSearchParams,
  { state }: Authorization,
  service: Service,
): { readonly code: string } | Failure | undefined {
  if (answer.getAll("state").length !== 1 || answer.get("state") !== state) return undefined;
  const code = answer.get("code");
  if (code !== null && code !== "" && !answer.has("error")) return { code };
  return answer.get("error") === "access_denied"
    ? denied(service)
    : new Failure("credential_failed", `the issuer gave no code for "${service.name}"`, {
        next: "check authorizeUrl, the client's id, scope, and the redirect addresses that the client may use",
      });
}

export function exchangeCode(
  { service, opened, tools }: LoginParts,
  code: string,
  { verifier, redirect }: Authorization,
): Promise<Grant | Failure> {
  const client = clientOf(service.auth, opened);
  const fields: Form = [
    ["grant_type", "authorization_code"],
    ["code", code],
    ["redirect_uri", redirect],
    ["code_verifier", verifier],
  ];
  return askForToken(service, service.auth.open.get("tokenUrl") ?? "", client, fields, tools);
}

export function ranOut(service: Service): Failure {
  return new Failure("login_required", `nobody logged in to "${service.name}" in time`, {
    next: `run it again: janee login ${service.name}`,
  });
}

function denied(service: Service): Failure {
  return new Failure("login_required", `the login to "${service.name}" was refused (access_denied)`, {
    next: `to try again: janee login ${service.name}`,
  });
}

function isWeb(value: unknown): value is string {
  return typeof value === "string" && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
}
