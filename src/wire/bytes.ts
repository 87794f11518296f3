/** For a token char (RFC 9110 section 5.6.2) its lower case, for any other byte 0. */
export const LOWER = new Uint8Array(256);
for (const char of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  LOWER[char.charCodeAt(0)] = char.toLowerCase().charCodeAt(0);
}

/** 1 for a byte of a field value (RFC 9110 section 5.5): field-vchar, SP, HTAB, obs-text; no control, no DEL. */
export const TEXT = new Uint8Array(256).fill(1, 0x20);
TEXT[0x09] = 1;
TEXT[0x7f] = 0;

/** True when all chars may stand in one line; a char above 255 may not. */
export function isText(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    if (TEXT[text.charCodeAt(at)] !== 1) return false;
  }
  return true;
}

// Lower-casing was a third of the time of reading a head, so the names that are nearly always there have their
// key at hand. A name that is not listed, or that lost its slot to another, is lower-cased.
const SLOTS = 1024;
const known: (string | undefined)[] = new Array(SLOTS).fill(undefined);
const names =
  "accept accept-charset accept-encoding accept-language accept-ranges access-control-allow-credentials " +
  "access-control-allow-headers access-control-allow-methods access-control-allow-origin " +
  "access-control-expose-headers age allow alt-svc anthropic-beta anthropic-version authorization cache-control " +
  "connection content-disposition content-encoding content-language content-length content-location " +
  "content-range content-security-policy content-type cookie date dnt etag expect expires forwarded from host " +
  "if-match if-modified-since if-none-match if-range if-unmodified-since keep-alive last-modified link location " +
  "origin pragma priority proxy-authorization proxy-connection range referer referrer-policy retry-after " +
  "sec-fetch-dest sec-fetch-mode sec-fetch-site server set-cookie strict-transport-security te trailer " +
  "transfer-encoding upgrade user-agent vary via www-authenticate x-api-key x-content-type-options " +
  "x-forwarded-for x-frame-options x-ratelimit-limit x-ratelimit-remaining x-ratelimit-reset x-request-id " +
  "x-stainless-arch x-stainless-lang x-stainless-os x-stainless-package-version x-stainless-runtime " +
  "x-stainless-runtime-version";
for (const name of names.split(" ")) {
  let hash = 0;
  for (let at = 0; at < name.length; at += 1) hash = ((hash << 5) - hash + name.charCodeAt(at)) | 0;
  known[hash & (SLOTS - 1)] = name;
}

/** The key of the well-known name in `text` from `start` to `end`; `hash` is that of its lower case. */
export function knownKey(text: string, start: number, end: number, hash: number): string | undefined {
  const key = known[hash & (SLOTS - 1)];
  if (key === undefined || key.length !== end - start) return undefined;
  for (let at = 0; at < key.length; at += 1) {
    if (LOWER[text.charCodeAt(start + at)] !== key.charCodeAt(at)) return undefined;
  }
  return key;
}
