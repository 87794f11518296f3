// Credentials that services have issued to an agent's session: in memory alone, under placeholders that only this
// session can use, at the service that issued them, as long as the session lives.
import type { Service } from "../config.ts";
import type { Entropy } from "../ports.ts";
import type { Scrubber } from "../scrub.ts";
import { Secret } from "../secret.ts";

interface Held {
  readonly placeholder: string;
  readonly secret: Secret;
  readonly session: string;
  readonly origin: string;
}

const prefix = "jnc_";
const randomBytes = 24;
/** Of one session; the oldest goes first. */
const mostOfSession = 100;
const mostHeld = 10_000;

export const placeholderPattern = /jnc_[0-9a-f]{48}/g;
const onePlaceholder = /jnc_[0-9a-f]{48}/;

export function holdsPlaceholder(text: string): boolean {
  return mayHold(text) && onePlaceholder.test(text);
}

/** A quick look that spares all others: what cannot hold a placeholder. */
export function mayHold(text: string): boolean {
  return text.includes(prefix);
}

export class IssuedCredentials {
  readonly #entropy: Entropy;
  readonly #isLive: (session: string) => boolean;
  readonly #held = new Map<string, Held>();
  readonly #scrubbers = new WeakMap<Scrubber, { readonly count: number; readonly scrubber: Scrubber }>();
  /** Of each origin, how many were ever added: what was compiled before then is out of date. */
  readonly #added = new Map<string, number>();

  constructor(entropy: Entropy, isLive: (session: string) => boolean) {
    this.#entropy = entropy;
    this.#isLive = isLive;
  }

  /** The placeholder for a value; the same value has the same one in the same session. */
  keep(value: string, session: string, service: Service): string {
    const origin = originOf(service);
    for (const held of this.#held.values()) {
      if (held.session === session && held.origin === origin && held.secret.reveal() === value)
        return held.placeholder;
    }
    const placeholder = `${prefix}${Buffer.from(this.#entropy.bytes(randomBytes)).toString("hex")}`;
    this.#held.set(placeholder, { placeholder, secret: new Secret(value), session, origin });
    this.#added.set(origin, (this.#added.get(origin) ?? 0) + 1);
    this.#forget(session);
    return placeholder;
  }

  /** What a placeholder stands for, to this session at this service. */
  resolve(placeholder: string, session: string, service: Service): Secret | undefined {
    const held = this.#held.get(placeholder);
    const isIts = held?.session === session && held.origin === originOf(service);
    return isIts && this.#isLive(session) ? held.secret : undefined;
  }

  /** What redacts a service's own credential, and all that it has issued. */
  scrubber(own: Scrubber, service: Service): Scrubber {
    const origin = originOf(service);
    const count = this.#added.get(origin) ?? 0;
    if (count === 0) return own;
    const known = this.#scrubbers.get(own);
    if (known?.count === count) return known.scrubber;
    const values = [...this.#held.values()].filter((held) => held.origin === origin);
    const scrubber = own.with(values.map(({ secret }) => secret.reveal()));
    this.#scrubbers.set(own, { count, scrubber });
    return scrubber;
  }

  #forget(session: string): void {
    const own = [...this.#held.values()].filter((held) => held.session === session);
    const oldest = own.length > mostOfSession ? own[0] : undefined;
    if (oldest) this.#held.delete(oldest.placeholder);
    if (this.#held.size <= mostHeld) return;
    for (const held of this.#held.values())
      if (!this.#isLive(held.session)) this.#held.delete(held.placeholder);
    for (const key of this.#held.keys()) {
      if (this.#held.size <= mostHeld) return;
      this.#held.delete(key);
    }
  }
}

function originOf({ name, base }: Service): string {
  return `${name} ${base?.text ?? ""}`;
}
