// The canonical request of AWS Signature Version 4, and what is signed of it.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
import type { Digest } from "../../ports.ts";

export interface Scope {
  readonly region: string;
  readonly service: string;
}

export interface Canonical {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  /** Names in lower case; sorted and joined here. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** In hex, or what stands for it. */
  readonly payload: string;
}

/** These read a path as it stands; every other service escapes the escapes once more. */
const singleEncoded = new Set(["s3", "s3-object-lambda", "s3-outposts", "s3express"]);

export function isObjectStore(service: string): boolean {
  return singleEncoded.has(service);
}

/** `path` is canonical: ASCII, and without dot segments. */
export function canonicalPath(path: string, service: string): string {
  if (!isObjectStore(service)) return path.replace(/\/{2,}/g, "/").replace(/[^A-Za-z0-9\-._~/]/g, escaped);
  // S3 reads a "+" in a path as a space, and an escaped slash as the slash in the name of an object.
  return path.replace(/%[0-9A-Fa-f]{2}|[^A-Za-z0-9\-._~/]/g, (one) => (one === "%2F" ? "/" : reescaped(one)));
}

/** Each parameter decoded and escaped in the one way, sorted by name and value. */
export function canonicalQuery(query: string | undefined): string {
  if (!query) return "";
  const pairs = query
    .split("&")
    .filter((part) => part !== "")
    .map((part): [string, string] => {
      const equals = part.indexOf("=");
      if (equals < 0) return [parameter(part), ""];
      return [parameter(part.slice(0, equals)), parameter(part.slice(equals + 1))];
    });
  if (pairs.length > 1) pairs.sort(([a, x], [b, y]) => compare(a, b) || compare(x, y));
  return pairs.map(([name, value]) => `${name}=${value}`).join("&");
}

function parameter(text: string): string {
  return text.replace(/%[0-9A-Fa-f]{2}|[^A-Za-z0-9\-._~]/g, reescaped);
}

function reescaped(one: string): string {
  if (one.length === 1) return one === "+" ? "%20" : escaped(one);
  const character = String.fromCharCode(Number.parseInt(one.slice(1), 16));
  return /[A-Za-z0-9\-._~]/.test(character) ? character : one.toUpperCase();
}

function escaped(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The value of `Authorization`. `time`: `20150830T123600Z`; `key` is the one of its day. */
export function authorization(
  canonical: Canonical,
  scope: Scope,
  time: string,
  accessKeyId: string,
  key: Buffer,
  digest: Digest,
): string {
  const fields = joined(canonical.fields);
  const names = fields.map(([name]) => name).join(";");
  const lines = fields.map(([name, value]) => `${name}:${value}\n`).join("");
  const { method, path, query, payload } = canonical;
  const request = `${method}\n${path}\n${query}\n${lines}\n${names}\n${payload}`;
  const credential = `${time.slice(0, 8)}/${scope.region}/${scope.service}/aws4_request`;
  // A header's characters beyond ASCII are the bytes that go out.
  const hash = digest.hash("sha256", Buffer.from(request, "latin1")).toString("hex");
  const text = `AWS4-HMAC-SHA256\n${time}\n${credential}\n${hash}`;
  const signature = digest.mac("sha256", key, text).toString("hex");
  return `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${credential}, SignedHeaders=${names}, Signature=${signature}`;
}

function joined(fields: Canonical["fields"]): [name: string, value: string][] {
  const values = new Map<string, string>();
  for (const [name, value] of fields) {
    const plain = value.replace(/[\t ]+/g, " ").replace(/^ | $/g, "");
    const before = values.get(name);
    values.set(name, before === undefined ? plain : `${before},${plain}`);
  }
  return [...values].sort(([a], [b]) => compare(a, b));
}

/** `day`: `20150830`. */
export function signingKey(secret: string, day: string, scope: Scope, digest: Digest): Buffer {
  const ofDay = digest.mac("sha256", `AWS4${secret}`, day);
  const ofRegion = digest.mac("sha256", ofDay, scope.region);
  const ofService = digest.mac("sha256", ofRegion, scope.service);
  return digest.mac("sha256", ofService, "aws4_request");
}

/** `20150830T123600Z` (ISO 8601, basic). */
export function timeText(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19).replace(/[:-]/g, "")}Z`;
}
