// The `auth:` block of a service: which of its fields are secret, and where each stands in the file.

import type { BaseUrl } from "./config.ts";
import { madeFields } from "./config-made.ts";
import type { Fields, Place } from "./config-place.ts";
import { madeSchemes, schemeOf, schemeTypes } from "./credential/index.ts";
import { type Auth, isMade, type StoredSecret } from "./credential/scheme.ts";
import { didYouMean } from "./nearest.ts";
import { isPem } from "./pem.ts";
import { parseReference } from "./reference.ts";
import { Secret } from "./secret.ts";

/** Told of each secret field: its name in `Auth.secret`, its place in the file, and what stands there. */
export type OnSecret = (field: string, path: readonly string[], stored: StoredSecret) => void;

export const authKeys: ReadonlyMap<string, readonly string[]> = new Map([
  ["bearer", ["type", "key"]],
  ["basic", ["type", "username", "password", "key"]],
  ["headers", ["type", "headers", "header", "key"]],
  ["query", ["type", "params", "param", "key"]],
  ["cookie", ["type", "cookies", "cookie", "key"]],
  ...madeSchemes.map((scheme) => [scheme.type, ["type", ...scheme.fields.map(({ name }) => name)]] as const),
]);

const allKeys = [...new Set([...authKeys.values()].flat())];

export function authOf(place: Place, onSecret: OnSecret, base: BaseUrl | undefined): Auth | undefined {
  const fields = place.fields(allKeys);
  if (!fields) return undefined;
  const type = typeOf(fields);
  const known = authKeys.get(type ?? "");
  if (type === undefined || !known) return undefined;
  const alien = allKeys.find((key) => fields.get(key) && !known.includes(key));
  if (alien) {
    const message = `"${alien}" does not go with type: ${type}, which takes ${known.slice(1).join(", ")}`;
    place.reading.refuse(fields.get(alien)?.keyOffset ?? place.offset, message);
    return undefined;
  }
  const scheme = schemeOf(type);
  if (isMade(scheme)) {
    const made = madeFields(fields, scheme, base, (at, field) => {
      const stored = storedSecret(at, field.kind === "pem");
      if (stored) onSecret(field.name, at.path, stored);
      return stored;
    });
    return { type, ...made };
  }
  const open = new Map<string, string>();
  const secret = new Map<string, StoredSecret>();
  const keep = (field: string, at: Place | undefined): void => {
    const stored = at && storedSecret(at);
    if (!stored) return;
    secret.set(field, stored);
    onSecret(field, at.path, stored);
  };
  switch (type) {
    case "bearer":
      keep("key", fields.need("key", "the token, such as key: env:NAME"));
      break;
    case "basic": {
      const whole = fields.get("key");
      if (whole) {
        const beside = fields.get("username") ?? fields.get("password");
        if (beside) beside.refuse('either "key" (user:password), or "username" and "password": not both');
        keep("key", whole);
        break;
      }
      const username = fields.get("username");
      const text = username && usernameOf(username);
      if (text !== undefined) open.set("username", text);
      keep("password", fields.need("password", 'the password of the user, or "key" with user:password'));
      break;
    }
    case "headers":
      for (const [name, at] of namedSecrets(fields, "headers", "header", problemInHeader)) {
        keep(`headers.${name}`, at);
      }
      break;
    case "cookie":
      for (const [name, at] of namedSecrets(fields, "cookies", "cookie", problemInCookie)) {
        const stored = storedSecret(at);
        const value = stored?.kind === "plain" ? stored.secret.reveal() : "";
        if (/[\s",;\\]/.test(value))
          at.refuse("a cookie's value holds no blank, quote, comma, semicolon or backslash");
        else keep(`cookies.${name}`, at);
      }
      break;
    default:
      for (const [name, at] of namedSecrets(fields, "params", "param", problemInParameter)) {
        keep(`params.${name}`, at);
      }
  }
  return { type, open, secret };
}

function typeOf(fields: Fields): string | undefined {
  const choice = `one of ${schemeTypes.join(", ")}`;
  const place = fields.need("type", choice);
  const type = place?.string(choice);
  if (place === undefined || type === undefined || schemeTypes.includes(type)) return type;
  return place.refuse(`unknown type: expected ${choice}${didYouMean(type, schemeTypes)}`);
}

/** `headers: {Name: value}`, or the short form `header: Name` with `key: value`. */
function namedSecrets(
  fields: Fields,
  plural: string,
  singular: string,
  problemIn: (name: string) => string | undefined,
): ReadonlyMap<string, Place> {
  const none = new Map<string, Place>();
  const many = fields.get(plural);
  const one = fields.get(singular);
  if (many && (one || fields.get("key"))) {
    many.refuse(`either "${plural}", or "${singular}" with "key": not both`);
    return none;
  }
  if (one) {
    const name = one.string(`the name of the ${singular}`);
    const key = fields.need("key", `the value of the ${singular}`);
    const problem = name === undefined ? undefined : problemIn(name);
    if (problem) one.refuse(problem);
    return name === undefined || problem || !key ? none : new Map([[name, key]]);
  }
  const place = fields.need(plural, `${plural}: {name: value}, or "${singular}" with "key"`);
  const entries = place?.entries();
  if (!place || !entries) return none;
  if (entries.size === 0) place.refuse(`expected at least one ${singular}`);
  const seen = new Set<string>();
  for (const [name, at] of entries) {
    const problem = problemIn(name);
    if (problem) place.reading.refuse(at.keyOffset, problem);
    const folded = plural === "headers" ? name.toLowerCase() : name;
    if (seen.has(folded)) place.reading.refuse(at.keyOffset, "this header appears twice");
    seen.add(folded);
  }
  return entries;
}

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Framing and routing belong to janee; a credential there would be sent to the wrong party or not at all. */
const notForCredentials = new Set([
  ...["host", "content-length", "transfer-encoding", "connection", "keep-alive", "proxy-authenticate"],
  ...["proxy-authorization", "proxy-connection", "te", "trailer", "upgrade", "expect", "http2-settings"],
  ...["accept-encoding", "content-encoding"],
]);

function problemInHeader(name: string): string | undefined {
  if (!token.test(name)) return "expected the name of a header, such as X-Api-Key";
  if (notForCredentials.has(name.toLowerCase())) return "a credential cannot go into this header";
  return undefined;
}

function problemInParameter(name: string): string | undefined {
  if (/^[A-Za-z0-9._~[\]:$-]+$/.test(name)) return undefined;
  return "expected the name of a query parameter, such as api_key";
}

function problemInCookie(name: string): string | undefined {
  return token.test(name) ? undefined : "expected the name of a cookie, such as session";
}

function usernameOf(place: Place): string | undefined {
  const name = place.string("the name of the user");
  if (name === undefined) return undefined;
  if (/[\x00-\x1f\x7f-\x9f]|[^\x00-\xff]/.test(name))
    return place.refuse("a character that no header can hold");
  return name.includes(":") ? place.refuse('a user name holds no ":" (RFC 7617)') : name;
}

/** `mayBePem`: of several lines, where they are those of PEM (RFC 7468). */
export function storedSecret(place: Place, mayBePem = false): StoredSecret | undefined {
  const text = place.string("the credential, or a reference such as env:NAME");
  if (text === undefined) return undefined;
  if (text === "") return place.refuse("the credential is empty");
  if (mayBePem && isPem(text)) return { kind: "plain", secret: new Secret(text) };
  if (/[\x00-\x1f\x7f-\x9f]/.test(text)) {
    return place.refuse("the credential holds a line break or another control character");
  }
  // Whether a seal is whole, and of this version, is for the vault to say, which knows what it was bound to.
  if (text.startsWith("sealed:")) return { kind: "sealed", text };
  if (/^sealed:/i.test(text)) return place.refuse('expected "sealed:" in lower case, as janee wrote it');
  const reference = parseReference(text);
  if (reference) {
    return "problem" in reference ? place.refuse(reference.problem) : { kind: "reference", text };
  }
  if (/[^\x00-\xff]/.test(text)) return place.refuse("the credential holds a character beyond latin1");
  if (text.trim() !== text) {
    // HTTP drops blanks around a header value, so the value that comes back would not be recognised.
    return place.refuse("the credential begins or ends with a space");
  }
  return { kind: "plain", secret: new Secret(text) };
}
