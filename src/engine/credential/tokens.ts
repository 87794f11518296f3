// Short-lived tokens, in memory alone. Many who wait for one have it fetched once, and a token is never used for
// anything but the very purpose that it was fetched for.
import { Failure } from "../failure.ts";
import type { Secret } from "../secret.ts";

export interface Token {
  readonly secret: Secret;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

interface Held {
  readonly token: Token;
  /** Tokens that this one took the place of, as long as someone could still use them. */
  readonly earlier: readonly Token[];
}

/** Before its end by this much a token is renewed, or by a quarter of its life where that is short. */
const marginMs = 60_000;
const mostHeld = 1_000;

/** Told of each token that was fetched: for which service, and until when (milliseconds since 1970) it is good. */
export type OnFetched = (service: string, expiresAt: number) => void;

export class Tokens {
  readonly #now: () => number;
  readonly #onFetched: OnFetched;
  readonly #held = new Map<string, Held>();
  readonly #fetching = new Map<string, Promise<Held | Failure>>();
  readonly #renewAt = new WeakMap<Held, number>();

  constructor(now: () => number, onFetched: OnFetched = () => {}) {
    this.#now = now;
    this.#onFetched = onFetched;
  }

  /**
   * The token for a purpose, fetched where there is none or its end is near. `purpose` names everything that decides
   * what the token can do: the service's origin, the issuer, what identifies the account, scope.
   */
  async obtain(
    service: string,
    purpose: readonly string[],
    fetch: () => Promise<Token | Failure>,
  ): Promise<
    { readonly token: Token; readonly earlier: readonly Secret[]; readonly renewAt: number } | Failure
  > {
    const key = JSON.stringify([service, ...purpose]);
    const known = this.#held.get(key);
    const fresh = known && this.#now() < (this.#renewAt.get(known) ?? 0) ? known : undefined;
    const held = fresh ?? (await this.#fetchOnce(service, key, fetch));
    if (held instanceof Failure) return held;
    const { token, earlier } = held;
    const renewAt = this.#renewAt.get(held) ?? token.expiresAt;
    return { token, earlier: earlier.map(({ secret }) => secret), renewAt };
  }

  /** The token is good for nothing any more: the next one who asks has a new one fetched. */
  drop(service: string, purpose: readonly string[]): Token | undefined {
    const key = JSON.stringify([service, ...purpose]);
    const held = this.#held.get(key);
    this.#held.delete(key);
    return held?.token;
  }

  #fetchOnce(service: string, key: string, fetch: () => Promise<Token | Failure>): Promise<Held | Failure> {
    const begun = this.#fetching.get(key);
    if (begun) return begun;
    const fetching = this.#fetch(service, key, fetch).finally(() => this.#fetching.delete(key));
    this.#fetching.set(key, fetching);
    return fetching;
  }

  async #fetch(service: string, key: string, fetch: () => Promise<Token | Failure>): Promise<Held | Failure> {
    const before = this.#held.get(key);
    const token = await fetch();
    if (token instanceof Failure) return token;
    const now = this.#now();
    const replaced = before ? [before.token, ...before.earlier] : [];
    const held = { token, earlier: replaced.filter(({ expiresAt }) => now < expiresAt) };
    const margin = Math.min(marginMs, (token.expiresAt - now) / 4);
    this.#renewAt.set(held, token.expiresAt - margin);
    this.#held.delete(key);
    this.#held.set(key, held);
    this.#onFetched(service, token.expiresAt);
    const [oldest] = this.#held.keys();
    if (this.#held.size > mostHeld && oldest !== undefined) this.#held.delete(oldest);
    return held;
  }
}
