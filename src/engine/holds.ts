// What a revocation leaves behind: `autoApprove` opens nothing there until a person says yes.
import type { RowSeal } from "./authentic.ts";
import type { Store } from "./ports.ts";

/** Everyone: in a hold, any owner or any capability. */
export const everyone = "*";

export interface Hold {
  readonly owner: string;
  readonly capability: string;
  readonly since: number;
}

export interface HeldForAll {
  readonly capability: string;
  readonly since: number | undefined;
}

export class Holds {
  readonly #store: Store;
  readonly #rows: RowSeal;
  readonly #now: () => number;

  constructor(store: Store, rows: RowSeal, now: () => number) {
    this.#store = store;
    this.#rows = rows;
    this.#now = now;
  }

  /** What a revocation took from everyone, and when; a hold that does not verify was put there at no known time. */
  forAll(): HeldForAll[] {
    return this.#store.holds().flatMap((stored): HeldForAll[] => {
      const hold = this.#rows.read<Hold>("hold", stored);
      if (!hold) return [{ capability: everyone, since: undefined }];
      return hold.owner === everyone ? [{ capability: hold.capability, since: hold.since }] : [];
    });
  }

  /** Whether a revocation stands between this owner and `autoApprove`. */
  held(owner: string, capability: string): boolean {
    return this.#store.holds().some((stored) => {
      const hold = this.#rows.read<Hold>("hold", stored);
      // A hold that does not verify still holds: what was tampered with must not open anything.
      if (!hold) return true;
      const ownerMatches = hold.owner === everyone || hold.owner === owner;
      return ownerMatches && (hold.capability === everyone || hold.capability === capability);
    });
  }

  /** Whether something of these was taken from this owner at that time or later. */
  anySince(owner: string, capabilities: readonly string[], time: number): boolean {
    return this.#store.holds().some((stored) => {
      const hold = this.#rows.read<Hold>("hold", stored);
      if (!hold) return true;
      const concerns = hold.capability === everyone || capabilities.includes(hold.capability);
      return concerns && (hold.owner === everyone || hold.owner === owner) && hold.since >= time;
    });
  }

  /** A person approved or granted: the hold on this capability is lifted, for this owner and for everyone. */
  lift(owner: string, capability: string, others: readonly string[]): void {
    this.#store.transaction(() => {
      // A hold that does not verify stands for everyone and everything, as `revoke --all` without a key leaves it.
      const heldEverywhere = this.#store.holds().some((stored) => {
        const hold = this.#rows.read<Hold>("hold", stored);
        return !hold || hold.capability === everyone;
      });
      this.#store.dropHolds(owner, capability);
      this.#store.dropHolds(everyone, capability);
      if (!heldEverywhere) return;
      // `revoke --all` held every capability; a yes for one must not open the others.
      this.#store.dropHolds(everyone, everyone);
      for (const other of others) if (other !== capability) this.put(everyone, other);
    });
  }

  put(owner: string, capability: string): void {
    const hold: Hold = { owner, capability, since: this.#now() };
    this.#store.putHold(owner, capability, this.#rows.write("hold", hold));
  }

  /** The widest hold stands for all others, those that do not verify among them: a grant then lifts them all. */
  putEverywhere(): void {
    this.#store.dropEveryHold();
    this.put(everyone, everyone);
  }
}
