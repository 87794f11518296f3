// What a person is asked, and what was answered. A record is bound to everything it was asked about and used once.
import type { RowSeal } from "./authentic.ts";
import type { Digest, Entropy, Store } from "./ports.ts";
import { shortId } from "./session.ts";

export type ApprovalState = "pending" | "approved" | "declined" | "used" | "expired";

/** What is asked. Two questions with the same binding are one question. */
export interface Question {
  /** `request`: this one request, under an `ask` rule. `session`: the use of a capability for its TTL. */
  readonly kind: "request" | "session";
  readonly owner: string;
  readonly agent?: string;
  readonly session?: string;
  readonly capability: string;
  readonly service: string;
  readonly ttlMs?: number;
  readonly reason?: string;
  readonly rule?: string;
  readonly method?: string;
  readonly target?: string;
  /** Agent headers as they would be sent, in a stable order. */
  readonly headers?: readonly string[];
  readonly bodyBytes?: number;
  readonly bodyDigest?: string;
  /** The first part of the body, for a person to read. */
  readonly bodyPreview?: string;
}

export interface Approval extends Question {
  readonly id: string;
  readonly binding: string;
  readonly askedAt: number;
  /** Neither a decision nor its use is possible from here on. */
  readonly expiresAt: number;
  readonly state: ApprovalState;
  readonly decidedAt?: number;
}

const waitMs = 10 * 60_000;

export class Approvals {
  readonly #store: Store;
  readonly #rows: RowSeal;
  readonly #entropy: Entropy;
  readonly #digest: Digest;
  readonly #now: () => number;

  constructor(store: Store, rows: RowSeal, entropy: Entropy, digest: Digest, now: () => number) {
    this.#store = store;
    this.#rows = rows;
    this.#entropy = entropy;
    this.#digest = digest;
    this.#now = now;
  }

  /**
   * The record for this question: the one that exists, or a new one that waits. It is bound to the question, and
   * keeps what is shown of it.
   */
  ask(question: Question, shown = question): { approval: Approval; isNew: boolean } {
    const binding = this.#bindingOf(question);
    return this.#store.transaction(() => {
      const known = this.#boundTo(binding);
      if (known && known.state !== "used" && known.state !== "expired")
        return { approval: known, isNew: false };
      const now = this.#now();
      const approval: Approval = {
        ...shown,
        id: shortId(this.#entropy, 8),
        binding,
        askedAt: now,
        expiresAt: now + waitMs,
        state: "pending",
      };
      this.#put(approval);
      return { approval, isNew: true };
    });
  }

  /** How many of this owner's requests nobody has decided yet. */
  waitingOf(owner: string): number {
    return this.list({ decided: false }).filter((approval) => approval.owner === owner).length;
  }

  /** The decision on this question as it stands now, without asking. */
  find(question: Question): Approval | undefined {
    return this.#boundTo(this.#bindingOf(question));
  }

  /** The digest column only finds the row: what the row itself was asked about is what counts. */
  #boundTo(binding: string): Approval | undefined {
    const approval = this.#read(this.#store.approvalByDigest(binding));
    return approval?.binding === binding ? approval : undefined;
  }

  /** Uses an approval, once: true for exactly one caller among all processes. */
  use(id: string): boolean {
    return this.#store.transaction(() => {
      const approval = this.byId(id);
      if (approval?.state !== "approved") return false;
      this.#put({ ...approval, state: "used" });
      return true;
    });
  }

  decide(id: string, decision: "approved" | "declined"): Approval | undefined {
    return this.#store.transaction(() => {
      const approval = this.byId(id);
      if (approval?.state !== "pending") return undefined;
      const now = this.#now();
      const decided: Approval = { ...approval, state: decision, decidedAt: now, expiresAt: now + waitMs };
      this.#put(decided);
      return decided;
    });
  }

  byId(id: string): Approval | undefined {
    const approval = this.#read(this.#store.approvalById(id));
    return approval?.id === id ? approval : undefined;
  }

  list(filter: { readonly decided: boolean }): Approval[] {
    const found: Approval[] = [];
    for (const stored of this.#store.approvals(filter)) {
      const approval = this.#read(stored);
      if (approval && (filter.decided || approval.state === "pending")) found.push(approval);
    }
    return found;
  }

  #read(stored: ReturnType<Store["approvalById"]>): Approval | undefined {
    const approval = this.#rows.read<Approval>("approval", stored);
    if (!approval) return undefined;
    // A "no" stands; a question nobody answered, or a "yes" nobody used, does not wait for ever.
    const open = approval.state === "pending" || approval.state === "approved";
    return open && this.#now() >= approval.expiresAt ? { ...approval, state: "expired" } : approval;
  }

  #put(approval: Approval): void {
    const { id, binding, state, expiresAt } = approval;
    const key = { id, digest: binding, pending: state === "pending", until: expiresAt };
    this.#store.putApproval(key, this.#rows.write("approval", approval));
  }

  #bindingOf(question: Question): string {
    const {
      kind,
      owner,
      session,
      capability,
      service,
      ttlMs,
      reason,
      rule,
      method,
      target,
      headers,
      bodyDigest,
    } = question;
    return this.#digest.sha256(
      JSON.stringify([
        kind,
        owner,
        session,
        capability,
        service,
        ttlMs,
        reason,
        rule,
        method,
        target,
        headers,
        bodyDigest,
      ]),
    );
  }
}
