// The real credentials of the configured services, to be recognised in an environment that must not have them.
import type { Service } from "../engine/config.ts";
import { Failure } from "../engine/failure.ts";
import { compileScrubber } from "../engine/scrub.ts";
import type { Janee } from "./wire-up.ts";

/** A shorter value is no credential, and would take half of an environment with it. */
const shortest = 8;

/** Whether a value is one of them, or holds one: behind a scheme's name, in a URL, or encoded, as in Basic. */
export async function knownSecrets(
  janee: Janee,
  services: readonly Service[],
): Promise<(value: string) => boolean> {
  const secrets: string[] = [];
  for (const service of services) {
    if (asksOthers(service)) continue;
    const opened = await janee.home.open(service);
    if (opened instanceof Failure) continue;
    secrets.push(
      ...[...opened.values()].map((secret) => secret.reveal()).filter((one) => one.length >= shortest),
    );
  }
  const scrubber = compileScrubber(secrets);
  return (value) => value.length >= shortest && scrubber.text(value).redactions > 0;
}

/** A program or a store may ask a person: what they would give is not looked up beside the requests that need it. */
export function asksOthers({ auth }: Service): boolean {
  return [...auth.secret.values()].some(
    (stored) => stored.kind === "reference" && !/^(?:env|file):/.test(stored.text),
  );
}
