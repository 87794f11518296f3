import { isSeq } from "yaml";
import { isLinkLocal, isLoopback, parseBaseUrl } from "./base-url.ts";
import type { BaseUrl, PlaceholderPlace, Service } from "./config.ts";
import { authOf, type OnSecret } from "./config-auth.ts";
import { durationOf, fileOf } from "./config-fields.ts";
import type { Place } from "./config-place.ts";
import { type FieldPattern, fieldPattern, usualFields } from "./issued/pattern.ts";

export const serviceKeys: readonly string[] = [
  ...["baseUrl", "auth", "allowCleartext", "allowLinkLocal", "allowEmptySegments", "allowCookies"],
  ...["allowRange", "caFile", "placeholders", "capture", "maxAge"],
];
export const placeholderPlaces: readonly PlaceholderPlace[] = ["header", "query", "path", "body"];

const underAuth = 'it belongs under "auth"';
const inCapability = "it belongs to a capability";
const elsewhere = new Map([
  ...["type", "key", "password", "username", "headers", "header", "params", "param", "cookies", "cookie"].map(
    (key) => [key, underAuth] as const,
  ),
  ...[
    "rules",
    "ttl",
    "autoApprove",
    "mode",
    "allowCommands",
    "envMap",
    "timeout",
    "workDir",
    "args",
    "sha256",
    "dangerous",
  ].map((key) => [key, inCapability] as const),
]);

export function serviceOf(name: string, place: Place, onSecret: OnSecret): Service | undefined {
  const fields = place.fields(serviceKeys, elsewhere);
  if (!fields) return undefined;
  const flags = {
    allowCleartext: fields.flag("allowCleartext"),
    allowLinkLocal: fields.flag("allowLinkLocal"),
    allowEmptySegments: fields.flag("allowEmptySegments"),
    allowCookies: fields.flag("allowCookies"),
    allowRange: fields.flag("allowRange"),
  };
  const at = fields.get("baseUrl");
  const base = at && baseOf(at, flags);
  const block = fields.need("auth", "auth: {type: bearer, key: …}");
  const auth = block && authOf(block, onSecret, base);
  const capture = captureOf(fields.get("capture"));
  const placeholders = placeholdersOf(fields.get("placeholders"));
  const caFile = fileOf(fields.get("caFile"));
  const maxAge = fields.get("maxAge");
  const maxAgeMs = maxAge && durationOf(maxAge, "90d");
  return auth && { name, base, auth, ...flags, caFile, capture, placeholders, maxAgeMs };
}

export function baseOf(
  place: Place,
  flags: { readonly allowCleartext?: boolean; readonly allowLinkLocal?: boolean } = {},
): BaseUrl | undefined {
  const text = place.string("a URL, such as https://api.example.com");
  if (text === undefined) return undefined;
  const base = parseBaseUrl(text);
  if ("problem" in base) return place.refuse(base.problem);
  if (base.scheme === "http" && !isLoopback(base.host) && !flags.allowCleartext) {
    return place.refuse("http:// would send the credential in the clear to another machine", {
      code: "store_refused",
      next:
        flags.allowCleartext === undefined
          ? "use https://"
          : "use https://, or set allowCleartext: true on the service (janee add --allow-cleartext) if you mean it",
    });
  }
  if (isLinkLocal(base.host) && !flags.allowLinkLocal) {
    return place.refuse("this is a link-local or metadata address, which hands out credentials itself", {
      code: "store_refused",
      next:
        flags.allowLinkLocal === undefined
          ? "use an address of its own"
          : "set allowLinkLocal: true on the service if you mean it",
    });
  }
  return base;
}

/** Where in a request a placeholder is replaced. */
function placeholdersOf(place: Place | undefined): readonly PlaceholderPlace[] {
  if (!place) return ["header"];
  return (place.items("a list of header, query, path, body") ?? []).flatMap((item) => {
    const text = item.string("one of header, query, path, body");
    if (text === undefined) return [];
    const known = placeholderPlaces.find((one) => one === text);
    if (!known) item.refuse("expected one of header, query, path, body");
    return known ? [known] : [];
  });
}

/** `true` means what token endpoints answer with; a list names the fields. */
function captureOf(place: Place | undefined): readonly FieldPattern[] {
  if (!place) return [];
  const isList = isSeq(place.node);
  const texts = isList
    ? place.strings("a list of fields, such as access_token")
    : place.boolean()
      ? usualFields
      : [];
  return (texts ?? []).flatMap((text) => {
    const pattern = fieldPattern(text);
    if (!pattern) place.refuse("expected the name of a field, or a path such as data.key.secret");
    return pattern ? [pattern] : [];
  });
}
