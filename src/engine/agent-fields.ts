// Which header fields of an agent go upstream, and which of an upstream go back. Names are compared with `_` and
// its like read as `-`, since CGI and WSGI servers cannot tell them apart.
import type { Service } from "./config.ts";
import { schemeOf } from "./credential/index.ts";
import { Failure } from "./failure.ts";
import type { HeaderField } from "./ports.ts";
import { handshakeFields, type Upgrade } from "./websocket/handshake.ts";

const methodOverrides = new Set([
  "x-http-method-override",
  "x-http-method",
  "x-method-override",
  "x-method",
  "x-original-method",
  "x-forwarded-method",
]);

const pathOverrides = new Set([
  "x-original-url",
  "x-original-uri",
  "x-original-path",
  "x-rewrite-url",
  "x-rewrite-uri",
  "x-override-url",
  "x-forwarded-prefix",
  "x-forwarded-uri",
  "x-forwarded-url",
  "x-forwarded-path",
  "x-envoy-original-path",
  "x-accel-redirect",
  // A second path that no rule would judge: the target of WebDAV's COPY and MOVE, the source of object stores' copies.
  "destination",
  "x-amz-copy-source",
  "x-goog-copy-source",
  "x-ms-copy-source",
  "x-ms-rename-source",
  "x-script-name",
]);

/** Hop-by-hop (RFC 9110 section 7.6.1) and framing: each side of a proxy has its own. */
const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "content-length",
  "upgrade",
  "http2-settings",
]);

/** Who is asking, for which host, through which hops: janee's own to say, or nobody's. */
const identity = new Set([
  "host",
  "authorization",
  "x-api-key",
  "accept-encoding",
  "expect",
  "max-forwards",
  "forwarded",
  "via",
  "origin",
  "x-real-ip",
  "x-client-ip",
  "x-cluster-client-ip",
  "x-remote-ip",
  "x-remote-addr",
  "x-originating-ip",
  "true-client-ip",
  "client-ip",
  "cf-connecting-ip",
  "fastly-client-ip",
  "x-host",
  "x-original-host",
  "x-http-host-override",
  "x-remote-user",
  "remote-user",
]);

export const headBytesLimit = 32 * 1024;
export const headFieldsLimit = 100;

const tokenPattern = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const valuePattern = /^[\t\x20-\x7e\x80-\xff]*$/;

/** The agent's own fields as they go upstream, or why the request is refused. */
export function admitFields(
  fields: readonly HeaderField[],
  service: Service,
  upgrade?: Upgrade,
): HeaderField[] | Failure {
  if (fields.length > headFieldsLimit) return tooLarge();
  const owned = schemeOf(service.auth.type).headerNames(service.auth).map(dashed);
  const named = namedByConnection(fields);
  const admitted: HeaderField[] = [];
  let bytes = 0;
  for (const field of fields) {
    bytes += field.name.length + field.value.length + 4;
    if (bytes > headBytesLimit) return tooLarge();
    if (!tokenPattern.test(field.name)) return new Failure("bad_header_name", "a header name is not a token");
    if (!valuePattern.test(field.value)) {
      return new Failure(
        "bad_header_value",
        `the value of "${field.key}" has a character that headers cannot carry`,
      );
    }
    const key = dashed(field.key);
    const handshake = upgrade !== undefined && handshakeFields.has(field.key);
    const refusal = upgrade !== undefined && field.key === "upgrade" ? undefined : refuseField(key);
    if (refusal) return refusal;
    if ((!handshake && isDropped(key, field, service)) || named?.has(field.key) || owned.includes(key))
      continue;
    admitted.push(field);
  }
  return admitted;
}

/** Some CGI front ends turn everything but letters and digits into `_`, so all of it counts as `-`. */
export function dashed(key: string): string {
  return /^[a-z0-9-]*$/.test(key) ? key : key.replace(/[^a-z0-9]/g, "-");
}

function tooLarge(): Failure {
  return new Failure(
    "headers_too_large",
    `headers are limited to ${headFieldsLimit} and ${headBytesLimit} bytes`,
  );
}

function refuseField(key: string): Failure | undefined {
  if (methodOverrides.has(key)) {
    return new Failure("method_override", `"${key}" would change the method behind the rules`, {
      next: "send the method you mean",
    });
  }
  if (pathOverrides.has(key)) {
    return new Failure("path_override", `"${key}" names a path that the rules would not see`, {
      next: "send the path you mean",
    });
  }
  if (key === "upgrade") {
    return new Failure(
      "upgrade_forbidden",
      "connections are upgraded to WebSockets alone: nothing else behind it could be checked",
      {
        next: "use plain HTTP requests",
      },
    );
  }
  return undefined;
}

function isDropped(key: string, field: HeaderField, service: Service): boolean {
  if (hopByHop.has(key) || identity.has(key)) return true;
  if (key === "cookie") return !service.allowCookies;
  if (key === "range" || key === "if-range") return !service.allowRange;
  if (key === "referer") return /^https?:\/\/(?:127\.|localhost|\[::1\])/i.test(field.value);
  return key.startsWith("x-forwarded-") || key.startsWith("x-janee-") || key.startsWith("sec-");
}

/** Field names that `Connection` makes hop-by-hop. */
function namedByConnection(fields: readonly HeaderField[]): Set<string> | undefined {
  let names: Set<string> | undefined;
  for (const field of fields) {
    if (field.key !== "connection") continue;
    names ??= new Set();
    for (const name of field.value.split(",")) names.add(name.trim().toLowerCase());
  }
  return names;
}

/** Says something of the body's bytes, which scrubbing or decoding may have changed. */
const bodyDigests = new Set(["content-md5", "digest", "content-digest", "repr-digest"]);
const framingOfReply = new Set(["content-length", "content-encoding"]);

/** The upstream's fields as the agent may see them; values still to be scrubbed. */
export function replyFields(
  fields: readonly HeaderField[],
  service: Service,
  decoded: boolean,
): HeaderField[] {
  const named = namedByConnection(fields);
  // Where cookies are the credential, one that the service sets may be the next credential.
  const isCookie = service.auth.type === "cookie";
  return fields.filter(({ key }) => {
    if (hopByHop.has(key) || named?.has(key) || framingOfReply.has(key) || bodyDigests.has(key)) return false;
    if (key === "set-cookie" || key === "set-cookie2") return service.allowCookies && !isCookie;
    if (key === "etag") return !decoded;
    // What begins so is said by janee itself.
    if (key.startsWith("janee")) return false;
    return key !== "alt-svc" && !key.startsWith("access-control-");
  });
}
