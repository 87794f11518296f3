// How services check a signature, for stand-ins: each says what is wrong, or nothing.
import { createHash, createHmac, randomBytes } from "node:crypto";
import OAuth from "oauth-1.0a";
import { byAws4fetch, bySmithy } from "./aws.ts";
import type { Seen } from "./upstream.ts";

const skewMs = 60_000;

export interface AwsKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly region: string;
  readonly service: string;
}

function only(seen: Seen, name: string): string | undefined {
  const values = seen.values(name);
  return values.length === 1 ? values[0] : undefined;
}

/** What was signed is signed again by two libraries, from the bytes that came. */
export async function problemInAws(seen: Seen, key: AwsKey): Promise<string | undefined> {
  const shown = only(seen, "authorization") ?? "";
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=[0-9a-f]{64}$/.exec(
      shown,
    );
  if (!match) return `no signature of version 4: ${seen.values("authorization").length} fields`;
  const [, id, day, region, service, names = ""] = match;
  if (id !== key.accessKeyId || region !== key.region || service !== key.service) return "another scope";
  const time = only(seen, "x-amz-date") ?? "";
  const iso = time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z");
  if (!(Math.abs(Date.parse(iso) - Date.now()) < skewMs) || day !== time.slice(0, 8)) return "another time";
  const payload = only(seen, "x-amz-content-sha256");
  const hash = createHash("sha256").update(seen.body).digest("hex");
  const isUnsigned = payload === "UNSIGNED-PAYLOAD" && key.service === "s3";
  if (payload !== hash && !isUnsigned) return "the payload is another";
  if (only(seen, "x-amz-security-token") !== key.sessionToken) return "another session token";
  const signedNames = names.split(";");
  const present = [...new Set(seen.fields.map(([name]) => name.toLowerCase()))];
  const must = present.filter(
    (name) => name === "host" || name === "content-type" || name.startsWith("x-amz-"),
  );
  const missing = must.filter((name) => !signedNames.includes(name));
  if (missing.length > 0) return `not signed: ${missing.join(" ")}`;
  const url = new URL(`http://${only(seen, "host") ?? ""}${seen.target}`).href;
  if (new URL(url).pathname !== seen.target.split("?")[0]) return "the path is not as it came";
  const headers = Object.fromEntries(
    signedNames.filter((name) => name !== "host").map((name) => [name, seen.values(name).join(",")]),
  );
  const signable = { ...key, method: seen.method, url, headers, body: seen.body, time };
  // Callers of the SDK's signer escape the name of an object themselves, all of it.
  const isEscaped =
    key.service !== "s3" || /^(?:[A-Za-z0-9\-._~/]|%(?!2F)[0-9A-F]{2})*$/.test(new URL(url).pathname);
  for (const sign of isEscaped ? [byAws4fetch, bySmithy] : [byAws4fetch]) {
    if ((await sign(signable)) !== shown) return `SignatureDoesNotMatch by ${sign.name}`;
  }
  return undefined;
}

/** As Binance does: query and body up to the signature, which is the last parameter. */
export function problemInBinance(seen: Seen, key: { key: string; secret: string }): string | undefined {
  if (only(seen, "x-mbx-apikey") !== key.key) return "another key";
  const [, query = ""] = seen.target.split("?");
  const [text = "", signature] = query.split(/&?signature=/);
  const parameters = new URLSearchParams(query);
  if (parameters.getAll("timestamp").length !== 1) return "not one timestamp";
  if (!(Math.abs(Number(parameters.get("timestamp")) - Date.now()) < skewMs)) return "another time";
  const wanted = createHmac("sha256", key.secret).update(text).update(seen.body).digest("hex");
  return signature === wanted ? undefined : "signature does not match";
}

export function problemInOkx(
  seen: Seen,
  key: { key: string; secret: string; passphrase: string },
): string | undefined {
  if (only(seen, "ok-access-key") !== key.key) return "another key";
  if (only(seen, "ok-access-passphrase") !== key.passphrase) return "another passphrase";
  const time = only(seen, "ok-access-timestamp") ?? "";
  if (!(Math.abs(Date.parse(time) - Date.now()) < skewMs)) return "another time";
  const text = `${time}${seen.method}${seen.target}`;
  const wanted = createHmac("sha256", key.secret).update(text).update(seen.body).digest("base64");
  return only(seen, "ok-access-sign") === wanted ? undefined : "signature does not match";
}

export interface OauthKey {
  readonly key: string;
  readonly secret: string;
  readonly token: string;
  readonly tokenSecret: string;
}

export function problemInOauth(
  seen: Seen,
  own: OauthKey,
  nonces: Set<string>,
  scheme = "http",
): string | undefined {
  const shown = only(seen, "authorization") ?? "";
  const said = new Map(
    [...shown.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = "", value = ""]) => [
      name,
      decodeURIComponent(value),
    ]),
  );
  if (said.get("oauth_consumer_key") !== own.key || said.get("oauth_token") !== own.token)
    return "another key";
  const time = Number(said.get("oauth_timestamp"));
  const nonce = said.get("oauth_nonce") ?? "";
  if (!(Math.abs(time * 1000 - Date.now()) < skewMs)) return "another time";
  if (nonce === "" || nonces.has(nonce)) return "a nonce that was used";
  nonces.add(nonce);
  const judge = new OAuth({
    consumer: { key: own.key, secret: own.secret },
    signature_method: "HMAC-SHA1",
    hash_function: (text, by) => createHmac("sha1", by).update(text).digest("base64"),
  });
  judge.getNonce = () => nonce;
  judge.getTimeStamp = () => time;
  const isForm = only(seen, "content-type")?.startsWith("application/x-www-form-urlencoded");
  const data = isForm ? Object.fromEntries(new URLSearchParams(seen.body.toString())) : undefined;
  const url = `${scheme}://${only(seen, "host")}${seen.target}`;
  const authorized = judge.authorize(
    { url, method: seen.method, data },
    { key: own.token, secret: own.tokenSecret },
  );
  return authorized.oauth_signature === said.get("oauth_signature") ? undefined : "signature does not match";
}

/** A service that gives out nonces, takes each count once, and lets a nonce grow stale after some uses. */
export class DigestService {
  readonly #user: string;
  readonly #password: string;
  readonly #uses: number;
  readonly #seen = new Map<string, Set<string>>();
  challenges = 0;

  constructor(user: string, password: string, uses: number) {
    this.#user = user;
    this.#password = password;
    this.#uses = uses;
  }

  /** What stands in WWW-Authenticate, or undefined: let in. */
  check(seen: Seen): string | undefined {
    const shown = only(seen, "authorization");
    if (shown === undefined) return this.#challenge(false);
    const said = new Map(
      [...shown.matchAll(/(\w+)=(?:"([^"]*)"|([^", ]+))/g)].map(([, name = "", quoted, plain]) => [
        name,
        quoted ?? plain ?? "",
      ]),
    );
    const value = (name: string): string => said.get(name) ?? "";
    const counts = this.#seen.get(value("nonce"));
    const hash = (text: string): string => createHash("sha256").update(text).digest("hex");
    const a1 = hash(`${this.#user}:shelf:${this.#password}`);
    const a2 = hash(`${seen.method}:${seen.target}`);
    const wanted = hash([a1, value("nonce"), value("nc"), value("cnonce"), value("qop"), a2].join(":"));
    const isRight = value("uri") === seen.target && value("qop") === "auth" && value("response") === wanted;
    if (!counts || !isRight) return this.#challenge(false);
    if (counts.has(value("nc")) || counts.size >= this.#uses) return this.#challenge(true);
    counts.add(value("nc"));
    return undefined;
  }

  #challenge(stale: boolean): string {
    this.challenges += 1;
    const nonce = `n${this.challenges}-${randomBytes(12).toString("base64")}`;
    this.#seen.set(nonce, new Set());
    const rest = `realm="shelf", qop="auth", nonce="${nonce}"${stale ? ", stale=true" : ""}`;
    return `Basic realm="shelf", Digest ${rest}, algorithm=MD5, Digest ${rest}, algorithm=SHA-256`;
  }
}
