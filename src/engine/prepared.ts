// A service made ready for use: its credential opened or fetched, and the scrubber for its answers.
import type { Service } from "./config.ts";
import { schemeOf } from "./credential/index.ts";
import { pemBodies } from "./credential/pem.ts";
import { type Credential, type CredentialTools, isMade, type OpenedSecrets } from "./credential/scheme.ts";
import { Failure } from "./failure.ts";
import type { HeaderField, Opener } from "./ports.ts";
import { compileScrubber, type Scrubber } from "./scrub.ts";

/** What goes on every request, ready to be sent. */
export interface Fixed {
  readonly fields: readonly HeaderField[];
  /** Name and value, not yet encoded. */
  readonly query: readonly (readonly [name: string, value: string])[];
}

export interface Prepared {
  /** The same on each request, or made for each. */
  readonly credential: { readonly fixed: Fixed } | { readonly made: Credential };
  /** For commands, which take them by `envMap`. */
  readonly secrets: OpenedSecrets;
  readonly scrubber: Scrubber;
}

/** A reference can change where it points without the config changing: it is looked up again after this. */
const referenceAgeMs = 60_000;

export class PreparedServices {
  readonly #opener: Opener;
  readonly #tools: CredentialTools;
  readonly #ready = new WeakMap<Service, { prepared: Prepared; until: number }>();
  /** Many who wait for one credential have it opened once. */
  readonly #opening = new WeakMap<Service, Promise<Prepared | Failure>>();

  /** What each service's name stands for now, as far as it was prepared. */
  readonly #latest = new Map<string, Service>();

  /** Without what is made of the secrets. */
  readonly #ofSecrets = new WeakMap<Service, Scrubber>();

  constructor(opener: Opener, tools: CredentialTools) {
    this.#opener = opener;
    this.#tools = tools;
  }

  /** Ready at once when this very service was prepared before; a changed config has new service objects. */
  known(service: Service): Prepared | undefined {
    const entry = this.#ready.get(service);
    return entry && this.#tools.now() < entry.until ? entry.prepared : undefined;
  }

  prepare(service: Service): Promise<Prepared | Failure> {
    const known = this.known(service);
    if (known) return Promise.resolve(known);
    const begun = this.#opening.get(service) ?? this.#open(service);
    this.#opening.set(service, begun);
    return begun.finally(() => this.#opening.delete(service));
  }

  /** For text that an agent wrote: where no token was fetched yet, none is fetched for this. */
  async scrubber(service: Service): Promise<Scrubber | Failure> {
    const known = this.known(service);
    if (known) return known.scrubber;
    if (!isMade(schemeOf(service.auth.type))) {
      const prepared = await this.prepare(service);
      return prepared instanceof Failure ? prepared : prepared.scrubber;
    }
    const compiled = this.#ofSecrets.get(service);
    if (compiled) return compiled;
    const opened = await this.#opener.open(service);
    if (opened instanceof Failure) return opened;
    const scrubber = compileScrubber(revealed(opened));
    if (!hasReference(service)) this.#ofSecrets.set(service, scrubber);
    return scrubber;
  }

  /** Nobody's request is no reason to run the command of a reference: then undefined. */
  async scrubberAtHand(service: Service): Promise<Scrubber | undefined> {
    if (hasReference(service)) return this.known(service)?.scrubber;
    const scrubber = await this.scrubber(service);
    return scrubber instanceof Failure ? undefined : scrubber;
  }

  /** Whether any token is held that could be given back. */
  get holdTokens(): boolean {
    return this.#tools.tokens.some;
  }

  /** What was issued for a service until then (milliseconds since 1970) is given back; the next use makes it anew. */
  withdraw(service: string, until: number): Promise<void> {
    this.#forget(this.#latest.get(service));
    return this.#tools.tokens.withdraw(service, until);
  }

  /** The service answered 401: a token that it has withdrawn by itself is not kept to its end. */
  refused(service: Service, { credential }: Prepared): void {
    if ("made" in credential && credential.made.refused?.()) this.#forget(service);
  }

  #forget(service: Service | undefined): void {
    if (service) this.#ready.delete(service);
  }

  async #open(service: Service): Promise<Prepared | Failure> {
    const opened = await this.#opener.open(service);
    if (opened instanceof Failure) return opened;
    const made = await readied(service, opened, this.#tools);
    if (made instanceof Failure) return made;
    const { prepared, until } = made;
    const referencesUntil = hasReference(service)
      ? this.#tools.now() + referenceAgeMs
      : Number.POSITIVE_INFINITY;
    this.#latest.set(service.name, service);
    this.#ready.set(service, { prepared, until: Math.min(referencesUntil, until) });
    return prepared;
  }
}

function hasReference(service: Service): boolean {
  return [...service.auth.secret.values()].some(({ kind }) => kind === "reference");
}

function revealed(opened: OpenedSecrets): string[] {
  const whole = [...opened.values()].map((secret) => secret.reveal());
  return [...whole, ...whole.flatMap(pemBodies)];
}

async function readied(
  service: Service,
  opened: OpenedSecrets,
  tools: CredentialTools,
): Promise<{ readonly prepared: Prepared; readonly until: number } | Failure> {
  const scheme = schemeOf(service.auth.type);
  const whole = revealed(opened);
  if (!isMade(scheme)) {
    const { headers, query, redact } = scheme.inject(service.auth, opened);
    const fields = headers.map(([name, value]) => ({ name, key: name.toLowerCase(), value }));
    const scrubber = compileScrubber([...redact, ...whole]);
    const prepared = { credential: { fixed: { fields, query } }, secrets: opened, scrubber };
    return { prepared, until: Number.POSITIVE_INFINITY };
  }
  const made = await scheme.make(service, opened, tools);
  if (made instanceof Failure) return made;
  const scrubber = compileScrubber([...made.redact, ...made.redact.flatMap(pemBodies), ...whole]);
  const prepared = { credential: { made }, secrets: made.exposed ?? opened, scrubber };
  return { prepared, until: made.until ?? Number.POSITIVE_INFINITY };
}
