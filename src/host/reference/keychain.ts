// An entry of the system's keychain, of whatever program. Only some runtimes have access to it.
import type { Failure } from "../../engine/failure.ts";
import { keychainEntry } from "../runtime.ts";
import { notThere } from "./credential.ts";

export type Entries = typeof keychainEntry;

export async function readKeychain(
  service: string,
  account: string,
  patienceMs: number,
  entries: Entries = keychainEntry,
): Promise<string | Failure> {
  let late: ReturnType<typeof setTimeout> | undefined;
  const tooLate = new Promise<Failure>((done) => {
    late = setTimeout(() => done(notThere("the keychain of the system did not answer in time")), patienceMs);
  });
  try {
    const entry = entries(service, account);
    if (!entry)
      return notThere("this runtime has no access to the keychain of the system: the janee binary has");
    return (await Promise.race([entry, tooLate])) ?? notThere("the keychain has no such entry");
  } catch (error) {
    // The code alone: a message of the system could quote what it holds.
    const code = error instanceof Error && "code" in error ? String(error.code) : "it refused";
    return notThere(`the keychain of the system cannot be used: ${code}`);
  } finally {
    clearTimeout(late);
  }
}
