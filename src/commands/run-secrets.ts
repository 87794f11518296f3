// The real credentials of the configured services, to be recognised in an environment that must not have them.
import type { Service } from "../engine/config.ts";
import type { OpenedSecrets } from "../engine/credential/scheme.ts";
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
  const all: OpenedSecrets[] = [];
  for (const service of services) {
    if (asksOthers(service)) continue;
    const opened = await janee.home.open(service);
    if (!(opened instanceof Failure)) all.push(opened);
  }
  return recogniser(all);
}

function recogniser(all: readonly OpenedSecrets[]): (value: string) => boolean {
  const secrets = all.flatMap((opened) => [...opened.values()].map((secret) => secret.reveal()));
  const scrubber = compileScrubber(secrets.filter((one) => one.length >= shortest));
  return (value) => value.length >= shortest && scrubber.text(value).redactions > 0;
}

/** Some keys become known at the first request that needs them: a command that had one all along is told of then. */
export class LateSecrets {
  readonly #given: (readonly [name: string, value: string])[] = [];
  readonly #told = new Set<string>();
  readonly #tell: (text: string) => void;

  constructor(tell: (text: string) => void) {
    this.#tell = tell;
  }

  /** What the command got from outside, under names that people gave. */
  given(variables: Iterable<readonly [name: string, value: string]>): void {
    this.#given.push(...variables);
  }

  learned(service: Service, opened: OpenedSecrets): void {
    if (this.#given.length === 0 || this.#told.has(service.name) || !asksOthers(service)) return;
    const isSecret = recogniser([opened]);
    const held = this.#given.filter(([, value]) => isSecret(value)).map(([name]) => name);
    if (held.length === 0) return;
    this.#told.add(service.name);
    this.#tell(`the command has the key of "${service.name}" itself, in ${held.sort().join(", ")}`);
  }
}

/** A program or a store may ask a person: what they would give is not looked up beside the requests that need it. */
export function asksOthers({ auth }: Service): boolean {
  return [...auth.secret.values()].some(
    (stored) => stored.kind === "reference" && !/^(?:env|file):/.test(stored.text),
  );
}
