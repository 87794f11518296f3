// A service made ready for use: its credential opened, what is injected, and the scrubber for its answers.
import type { Service } from "./config.ts";
import { schemeOf } from "./credential/index.ts";
import type { Injection, OpenedSecrets } from "./credential/scheme.ts";
import { Failure } from "./failure.ts";
import type { HeaderField, Opener } from "./ports.ts";
import { compileScrubber, type Scrubber } from "./scrub.ts";
import type { Target } from "./target.ts";

export interface Prepared {
  readonly injection: Injection;
  readonly fields: readonly HeaderField[];
  /** For commands, which take them by `envMap`. */
  readonly secrets: OpenedSecrets;
  readonly scrubber: Scrubber;
}

/** A reference can change where it points without the config changing: it is looked up again after this. */
const referenceAgeMs = 60_000;

export class PreparedServices {
  readonly #opener: Opener;
  readonly #ready = new WeakMap<Service, { prepared: Prepared; until: number }>();
  /** Many who wait for one credential have it opened once. */
  readonly #opening = new WeakMap<Service, Promise<Prepared | Failure>>();

  constructor(opener: Opener) {
    this.#opener = opener;
  }

  /** Ready at once when this very service was prepared before; a changed config has new service objects. */
  known(service: Service, now: number): Prepared | undefined {
    const entry = this.#ready.get(service);
    return entry && now < entry.until ? entry.prepared : undefined;
  }

  prepare(service: Service, now: number): Promise<Prepared | Failure> {
    const known = this.known(service, now);
    if (known) return Promise.resolve(known);
    const begun = this.#opening.get(service) ?? this.#open(service, now);
    this.#opening.set(service, begun);
    return begun.finally(() => this.#opening.delete(service));
  }

  async #open(service: Service, now: number): Promise<Prepared | Failure> {
    const opened = await this.#opener.open(service);
    if (opened instanceof Failure) return opened;
    const injection = schemeOf(service.auth.type).inject(service.auth, opened);
    const fields = injection.headers.map(([name, value]) => ({ name, key: name.toLowerCase(), value }));
    const whole = [...opened.values()].map((secret) => secret.reveal());
    const scrubber = compileScrubber([...injection.redact, ...whole]);
    const prepared = { injection, fields, secrets: opened, scrubber };
    const changing = [...service.auth.secret.values()].some(({ kind }) => kind === "reference");
    this.#ready.set(service, { prepared, until: changing ? now + referenceAgeMs : Number.POSITIVE_INFINITY });
    return prepared;
  }
}

/** The target as the upstream sees it: the service's prefix, the canonical target, the injected parameters. */
export function upstreamTarget(service: Service, target: Target, injection: Injection): string {
  const path = `${service.base?.prefix ?? ""}${target.path}`;
  const parts = target.query === undefined ? [] : [target.query];
  for (const [name, value] of injection.query) {
    parts.push(`${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  }
  return parts.length === 0 ? path : `${path}?${parts.join("&")}`;
}
