import { isLinkLocal, isLoopback, parseBaseUrl } from "./base-url.ts";
import type { BaseUrl, Service } from "./config.ts";
import { authOf, type OnSecret } from "./config-auth.ts";
import { durationOf, fileOf } from "./config-fields.ts";
import type { Fields, Place } from "./config-place.ts";

export const serviceKeys: readonly string[] = [
  ...["baseUrl", "auth", "allowCleartext", "allowLinkLocal", "allowEmptySegments", "allowCookies"],
  ...["allowRange", "caFile", "placeholders", "capture", "maxAge"],
];
export const placeholderPlaces: readonly string[] = ["header", "query", "path", "body"];

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
  checkUnused(fields);
  const at = fields.get("baseUrl");
  const base = at && baseOf(at, flags);
  const block = fields.need("auth", "auth: {type: bearer, key: …}");
  const auth = block && authOf(block, onSecret);
  return auth && { name, base, auth, ...flags, caFile: fileOf(fields.get("caFile")) };
}

function baseOf(
  place: Place,
  flags: { readonly allowCleartext: boolean; readonly allowLinkLocal: boolean },
): BaseUrl | undefined {
  const text = place.string("a URL, such as https://api.example.com");
  if (text === undefined) return undefined;
  const base = parseBaseUrl(text);
  if ("problem" in base) return place.refuse(base.problem);
  if (base.scheme === "http" && !isLoopback(base.host) && !flags.allowCleartext) {
    return place.refuse("http:// would send the credential in the clear to another machine", {
      code: "store_refused",
      next: "use https://, or set allowCleartext: true on the service if you mean it",
    });
  }
  if (isLinkLocal(base.host) && !flags.allowLinkLocal) {
    return place.refuse("this is a link-local or metadata address, which hands out credentials itself", {
      code: "store_refused",
      next: "set allowLinkLocal: true on the service if you mean it",
    });
  }
  return base;
}

/** Keys that the contract names and that nothing reads yet: their types are held to all the same. */
function checkUnused(fields: Fields): void {
  for (const item of fields.get("placeholders")?.items("a list of header, query, path, body") ?? []) {
    const text = item.string("one of header, query, path, body");
    if (text !== undefined && !placeholderPlaces.includes(text)) {
      item.refuse("expected one of header, query, path, body");
    }
  }
  fields.flag("capture");
  const maxAge = fields.get("maxAge");
  if (maxAge) durationOf(maxAge, "90d");
}
