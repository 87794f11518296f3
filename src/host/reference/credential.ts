// What a reference led to, as a credential, or why there is none: said without any part of it.
import { Failure } from "../../engine/failure.ts";
import { isPem } from "../../engine/pem.ts";
import { Secret } from "../../engine/secret.ts";

/** Also the most that a program may print. */
export const longestCredential = 64 * 1024;

export function notThere(message: string): Failure {
  return new Failure("reference_failed", message, { next: "a person has to look: janee doctor" });
}

/** `mayBePem`: of several lines, where they are those of PEM. */
export function credentialIn(text: string, where: string, mayBePem: boolean): Secret | Failure {
  if (mayBePem && text.length <= longestCredential && isPem(text)) return new Secret(text);
  const value = text.replace(/\r?\n$/, "");
  if (value === "") return notThere(`${where} leads to nothing`);
  if (value.length > longestCredential)
    return notThere(`${where} leads to more than ${longestCredential} bytes`);
  if (/[\x00-\x1f\x7f]/.test(value)) {
    return notThere(`${where} leads to what is no credential: it has control characters`);
  }
  // On the wire a character is one byte: what does not fit would become another, a line break among them.
  if (/[^\x00-\xff]/.test(value)) {
    return notThere(`${where} leads to what is no credential: it has characters beyond latin1`);
  }
  return new Secret(value);
}
