// The only secrets of several lines (RFC 7468), and the fields that take them.
import { schemeOf } from "./credential/index.ts";
import { isMade } from "./credential/scheme.ts";

const pem = /^\s*-----BEGIN [A-Z0-9 ]+-----[\sA-Za-z0-9+/=:,\\-]+-----END [A-Z0-9 ]+-----\s*$/;

export function isPem(text: string): boolean {
  return pem.test(text);
}

export function takesPem(authType: string, field: string): boolean {
  const scheme = schemeOf(authType);
  return isMade(scheme) && scheme.fields.some(({ name, kind }) => name === field && kind === "pem");
}
