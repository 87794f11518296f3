// What a person is asked, and what was answered. A record is bound to everything it was asked about and used once.
import type { RowSeal } from "./authentic.ts";
import type { ApprovalKey, Digest, Entropy, Store } from "./ports.ts";
import { shortId } from "./token.ts";

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
  /** Of a command: what runs, its arguments, and where. */
  readonly program?: string;
  readonly argv?: readonly string[];
  readonly cwd?: string;
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
  /** How far a yes reaches: this one request, or all that the rule covers while the session lives. */
  readonly scope?: Scope;
}

export type Scope = "once" | "session";
export type Verdict = Scope | "declined";

const waitMs = 10 * 60_000;
/** After a "no", the next question of the same kind waits this long, and twice as long with each further "no". */
const firstQuietMs = 60_000;
const longestQuietMs = 15 * 60_000;
const rememberNoMs = 3_600_000;

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
    return this.#store.countPendingApprovals(owner, this.#now());
  }

  /**
   * Until when a person who said no is left alone with further questions. One "no" to a request leaves other
   * requests open; one "no" to a session does not, or another reason would be another question.
   */
  quietUntil({ kind, owner, capability }: Question): number {
    let [times, latest] = [0, 0];
    for (const stored of this.#store.approvalsOf(owner, capability)) {
      const approval = this.#rows.read<Approval>("approval", stored);
      if (approval?.kind !== kind || approval.owner !== owner || approval.decidedAt === undefined) continue;
      if (approval.state !== "declined") break;
      if (approval.decidedAt < this.#now() - rememberNoMs) break;
      times += 1;
      latest = Math.max(latest, approval.decidedAt);
    }
    const free = kind === "session" ? 0 : 1;
    if (times <= free) return 0;
    return latest + Math.min(firstQuietMs * 2 ** (times - free - 1), longestQuietMs);
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

  decide(id: string, verdict: Verdict): Approval | undefined {
    return this.#store.transaction(() => {
      const approval = this.byId(id);
      if (approval?.state !== "pending") return undefined;
      const now = this.#now();
      const decided: Approval = {
        ...approval,
        ...(verdict === "declined" ? { state: "declined" } : { state: "approved", scope: verdict }),
        decidedAt: now,
        expiresAt: now + waitMs,
      };
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
    // A "no" to a request stands. A question nobody answered and a "yes" nobody used do not wait for ever, nor does a
    // "no" to a session: the same agent may need the capability another day.
    const lasts = approval.state === "used" || (approval.state === "declined" && approval.kind === "request");
    return !lasts && this.#now() >= approval.expiresAt ? { ...approval, state: "expired" } : approval;
  }

  #put(approval: Approval): void {
    this.#store.putApproval(keyOf(approval), this.#rows.write("approval", approval));
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
      program,
      argv,
      cwd,
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
        program,
        argv,
        cwd,
      ]),
    );
  }
}

/** What the store finds the row by. */
export function keyOf({ id, binding, owner, capability, state, expiresAt }: Approval): ApprovalKey {
  return { id, digest: binding, owner, capability, pending: state === "pending", until: expiresAt };
}
