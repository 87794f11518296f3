// Short-lived tokens, in memory alone. Many who wait for one have it fetched once, and a token is never used for
// anything but the very purpose that it was fetched for.
import { Failure } from "../failure.ts";
import type { Secret } from "../secret.ts";

export interface Token {
  readonly secret: Secret;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  /** Tells the one who issued it that it is needed no more: whether that was heard. */
  withdraw?(): Promise<boolean>;
}

interface Held {
  readonly service: string;
  readonly token: Token;
  /** Tokens that this one took the place of, as long as someone could still use them. */
  readonly earlier: readonly Token[];
  readonly since: number;
  renewAt: number;
}

export interface Obtained {
  readonly token: Token;
  readonly earlier: readonly Secret[];
  readonly renewAt: number;
  /** The service took the token for none: whether a new one is fetched next time. */
  refused(): boolean;
}

/** Before its end by this much a token is renewed, or by a quarter of its life where that is short. */
const marginMs = 60_000;
/** It goes into a header, which what an issuer says must not end (RFC 6750 section 2.1 allows less). */
const headerValue = /^[\x21-\x7e]{1,65536}$/;
const mostHeld = 1_000;
/** A service that refuses every token has no new one fetched for each request. */
const triedAtLeastMs = 30_000;

/** Told what becomes of tokens, never told one. Times are milliseconds since 1970. */
export interface TokenNews {
  fetched(service: string, expiresAt: number): void;
  withdrawn(service: string, heard: boolean): void;
}

const nobody: TokenNews = { fetched: () => {}, withdrawn: () => {} };

export class Tokens {
  readonly #now: () => number;
  readonly #news: TokenNews;
  readonly #held = new Map<string, Held>();
  readonly #fetching = new Map<string, Promise<Held | Failure>>();
  /** How often the tokens of a service were given back. */
  readonly #withdrawals = new Map<string, number>();

  constructor(now: () => number, news: TokenNews = nobody) {
    this.#now = now;
    this.#news = news;
  }

  /** Whether there is any, or soon will be. */
  get some(): boolean {
    return this.#held.size + this.#fetching.size > 0;
  }

  /**
   * The token for a purpose, fetched where there is none or its end is near. `purpose` names everything that decides
   * what the token can do: the service's origin, the issuer, what identifies the account, scope.
   */
  async obtain(
    service: string,
    purpose: readonly string[],
    fetch: () => Promise<Token | Failure>,
  ): Promise<Obtained | Failure> {
    const key = JSON.stringify([service, ...purpose]);
    const known = this.#held.get(key);
    const fresh = known && this.#now() < known.renewAt ? known : undefined;
    const held = fresh ?? (await this.#fetchOnce(service, key, fetch));
    if (held instanceof Failure) return held;
    const { token, earlier, renewAt } = held;
    return {
      ...{ token, renewAt, earlier: earlier.map(({ secret }) => secret) },
      refused: () => {
        if (this.#now() - held.since < triedAtLeastMs) return false;
        held.renewAt = 0;
        return true;
      },
    };
  }

  /**
   * Gives back what a service's tokens were fetched for until then: the next one who asks has a new one fetched.
   * One that is still on its way is given back when it comes.
   */
  async withdraw(service: string, until = this.#now()): Promise<void> {
    this.#withdrawals.set(service, (this.#withdrawals.get(service) ?? 0) + 1);
    const given: Token[] = [];
    for (const [key, held] of this.#held) {
      if (held.service !== service || held.since > until) continue;
      this.#held.delete(key);
      given.push(held.token, ...held.earlier);
    }
    await Promise.all(given.map((token) => this.#giveBack(service, token)));
  }

  async #giveBack(service: string, token: Token): Promise<void> {
    if (!token.withdraw || this.#now() >= token.expiresAt) return;
    this.#news.withdrawn(service, await token.withdraw());
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
    const withdrawals = this.#withdrawals.get(service);
    const token = await fetch();
    if (token instanceof Failure) return token;
    if (!headerValue.test(token.secret.reveal())) {
      return new Failure("credential_failed", `the token that was issued for "${service}" is none`, {
        next: "expected printable characters without blanks: check the address of the token endpoint",
      });
    }
    if (withdrawals !== this.#withdrawals.get(service)) {
      void this.#giveBack(service, token);
      return new Failure("credential_failed", "the tokens of this service were withdrawn meanwhile", {
        next: "send it again",
      });
    }
    const now = this.#now();
    const replaced = before ? [before.token, ...before.earlier] : [];
    const margin = Math.min(marginMs, (token.expiresAt - now) / 4);
    const held: Held = {
      ...{ service, token, since: now, renewAt: token.expiresAt - margin },
      earlier: replaced.filter(({ expiresAt }) => now < expiresAt),
    };
    this.#held.delete(key);
    this.#held.set(key, held);
    this.#news.fetched(service, token.expiresAt);
    const [oldest] = this.#held.keys();
    if (this.#held.size > mostHeld && oldest !== undefined) this.#held.delete(oldest);
    return held;
  }
}
