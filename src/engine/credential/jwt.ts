// A JSON Web Token signed with RS256 (RFC 7515, RFC 7518 section 3.3).
import { Failure } from "../failure.ts";
import type { PrivateKeys } from "../ports.ts";
import type { Secret } from "../secret.ts";

/** `claims`: times in seconds since 1970. */
export async function signedJwt(
  claims: Readonly<Record<string, string | number>>,
  pem: Secret,
  keys: PrivateKeys,
  header: Readonly<Record<string, string>> = {},
): Promise<string | Failure> {
  const key = await keys.rsa(pem);
  if (key instanceof Failure) return key;
  // Loaded when it is needed: few services sign tokens, and every start would wait for it.
  const { SignJWT } = await import("jose");
  return new SignJWT({ ...claims }).setProtectedHeader({ alg: "RS256", typ: "JWT", ...header }).sign(key);
}
