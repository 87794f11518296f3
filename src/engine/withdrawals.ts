// A revocation for everyone reaches the tokens too: whichever process holds one gives it back to who issued it.

import { everyone } from "./holds.ts";
import type { Policy, Store } from "./ports.ts";
import type { PreparedServices } from "./prepared.ts";
import type { Sessions } from "./session.ts";

export interface WithdrawalParts {
  readonly policy: Policy;
  readonly store: Store;
  readonly sessions: Sessions;
  readonly services: PreparedServices;
}

export class Withdrawals {
  readonly #parts: WithdrawalParts;
  readonly #seen = new Map<string, number | undefined>();
  #version = -1;

  constructor(parts: WithdrawalParts) {
    this.#parts = parts;
  }

  /** Run many times a second: it looks only where there are tokens and something was written. */
  look(): void {
    const { store, sessions, services } = this.#parts;
    if (!services.holdTokens) return;
    const version = store.version();
    if (version === this.#version) return;
    this.#version = version;
    const standing = sessions.holds.forAll();
    for (const { capability, since } of standing) {
      if (this.#seen.has(capability) && this.#seen.get(capability) === since) continue;
      this.#seen.set(capability, since);
      // What was fetched since belongs to those who were let in again.
      for (const name of this.#servicesOf(capability)) void services.withdraw(name, since ?? sessions.now());
    }
    for (const capability of this.#seen.keys()) {
      if (!standing.some((hold) => hold.capability === capability)) this.#seen.delete(capability);
    }
  }

  #servicesOf(capability: string): ReadonlySet<string> {
    const { config } = this.#parts.policy.current();
    const named = config.capabilities.get(capability)?.service;
    if (capability === everyone) return new Set(config.services.keys());
    return new Set(named === undefined ? [] : [named]);
  }
}
