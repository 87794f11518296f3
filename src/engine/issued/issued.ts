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
  /** How many its origin had issued when it came. */
  readonly at: number;
}

interface Compiled {
  readonly count: number;
  readonly scrubber: Scrubber;
  /** Of what came up to `settledAt`: what came since is beside it. */
  readonly settled: Scrubber;
  readonly settledAt: number;
}

const prefix = "jnc_";
const randomBytes = 24;
/** Of one session; the oldest goes first. */
const mostOfSession = 100;
const mostCharactersOfSession = 128 * 1024;
const mostHeld = 10_000;
/** Values of sessions that have ended are still looked for, as the service may honour them: this many. */
const mostEnded = 100;
/** Of one origin. */
const mostScrubbed = 1_000;
/** Compiled beside what is there already; with more than these all is compiled anew. */
const mostBeside = 16;
/** Shorter ones stand in honest text: an agent that has a service issue "a" would have every "a" redacted. */
const shortestScrubbed = 8;

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
  readonly #bySession = new Map<string, Set<Held>>();
  readonly #byOrigin = new Map<string, Set<Held>>();
  readonly #compiled = new WeakMap<Scrubber, Compiled>();
  /** Of each origin, how many were ever added: what was compiled before then is out of date. */
  readonly #added = new Map<string, number>();

  constructor(entropy: Entropy, isLive: (session: string) => boolean) {
    this.#entropy = entropy;
    this.#isLive = isLive;
  }

  /** The placeholder for a value; the same value has the same one in the same session. */
  keep(value: string, session: string, service: Service): string {
    const origin = originOf(service);
    const own = this.#bySession.get(session);
    for (const held of own ?? []) {
      if (held.origin === origin && held.secret.reveal() === value) return held.placeholder;
    }
    if (!own) this.#forgetEnded();
    const placeholder = `${prefix}${Buffer.from(this.#entropy.bytes(randomBytes)).toString("hex")}`;
    const at = (this.#added.get(origin) ?? 0) + 1;
    this.#added.set(origin, at);
    const held = { placeholder, secret: new Secret(value), session, origin, at };
    this.#held.set(placeholder, held);
    setIn(this.#bySession, session).add(held);
    setIn(this.#byOrigin, origin).add(held);
    this.#forgetOldest(session);
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
    const known = this.#compiled.get(own);
    if (known?.count === count) return known.scrubber;
    const all = [...(this.#byOrigin.get(origin) ?? [])].slice(-mostScrubbed);
    const newer = known && all.filter(({ at }) => at > known.settledAt);
    const compiled =
      known && newer && newer.length <= mostBeside
        ? { ...known, count, scrubber: known.settled.with(valuesOf(newer)) }
        : settled(own.with(valuesOf(all)), count);
    this.#compiled.set(own, compiled);
    return compiled.scrubber;
  }

  #forgetOldest(session: string): void {
    const own = setIn(this.#bySession, session);
    let characters = 0;
    for (const { secret } of own) characters += secret.length;
    for (const held of own) {
      if (own.size <= mostOfSession && characters <= mostCharactersOfSession) break;
      characters -= held.secret.length;
      this.#drop(held);
    }
    const [oldest] = this.#held.values();
    if (this.#held.size > mostHeld && oldest) this.#drop(oldest);
  }

  #forgetEnded(): void {
    const ended = [...this.#bySession].filter(([session]) => !this.#isLive(session));
    const values = ended.flatMap(([, held]) => [...held]);
    for (const held of values.slice(0, -mostEnded)) this.#drop(held);
  }

  #drop(held: Held): void {
    this.#held.delete(held.placeholder);
    for (const [sets, key] of [
      [this.#bySession, held.session],
      [this.#byOrigin, held.origin],
    ] as const) {
      const set = sets.get(key);
      set?.delete(held);
      if (set?.size === 0) sets.delete(key);
    }
  }
}

function setIn(sets: Map<string, Set<Held>>, key: string): Set<Held> {
  const known = sets.get(key) ?? new Set();
  sets.set(key, known);
  return known;
}

function settled(scrubber: Scrubber, count: number): Compiled {
  return { count, scrubber, settled: scrubber, settledAt: count };
}

function valuesOf(held: readonly Held[]): string[] {
  return held.map(({ secret }) => secret.reveal()).filter(({ length }) => length >= shortestScrubbed);
}

function originOf({ name, base }: Service): string {
  return `${name} ${base?.text ?? ""}`;
}
