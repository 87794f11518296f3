// What a reference led to, as a credential, or why there is none: said without any part of it.
import { Failure } from "../../engine/failure.ts";
import { Secret } from "../../engine/secret.ts";

/** Also the most that a program may print. */
export const longestCredential = 64 * 1024;

export function notThere(message: string): Failure {
  return new Failure("reference_failed", message, { next: "a person has to look: janee doctor" });
}

export function credentialIn(text: string, where: string): Secret | Failure {
  const value = text.replace(/\r?\n$/, "");
  if (value === "") return notThere(`${where} leads to nothing`);
  if (value.length > longestCredential)
    return notThere(`${where} leads to more than ${longestCredential} bytes`);
  if (/[\x00-\x1f\x7f]/.test(value)) {
    return notThere(`${where} leads to what is no credential: it has control characters`);
  }
  return new Secret(value);
}
