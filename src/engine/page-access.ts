// How a person gets into the page. `janee open` makes a ticket, good once and for a minute; the page gives it for a
// token that stands in no cookie, no address and no file: it lives in the page's own memory, and ends with it.
import type { RowSeal } from "./authentic.ts";
import { Failure } from "./failure.ts";
import type { Digest, Entropy } from "./ports.ts";

interface Ticket {
  readonly id: string;
  /** The listener it is for, as `janee serve` announces itself. */
  readonly url: string;
  readonly issuedAt: number;
}

export interface TicketParts {
  readonly rows: RowSeal;
  readonly entropy: Entropy;
  readonly now: () => number;
}

export interface AccessParts extends TicketParts {
  readonly digest: Digest;
  readonly url: () => string | undefined;
}

const table = "page-ticket";
const ticketMs = 60_000;
const idleMs = 10 * 60_000;
const longestMs = 8 * 3_600_000;
const secretBytes = 32;
const mostOpen = 32;

export function issueTicket({ rows, entropy, now }: TicketParts, url: string): string {
  const ticket: Ticket = { id: random(entropy), url, issuedAt: now() };
  const { row, mac } = rows.write(table, ticket);
  return `${Buffer.from(row).toString("base64url")}.${Buffer.from(mac).toString("base64url")}`;
}

interface Opened {
  readonly ticket: string;
  readonly openedAt: number;
  seenAt: number;
}

export class PageAccess {
  readonly #parts: AccessParts;
  readonly #startedAt: number;
  /** By the digest of the token. */
  readonly #opened = new Map<string, Opened>();
  /** Tickets that were used, until they would have expired anyway. */
  readonly #used = new Map<string, number>();

  constructor(parts: AccessParts) {
    this.#parts = parts;
    this.#startedAt = parts.now();
  }

  /** The page's token for a ticket. */
  enter(text: string): string | Failure {
    const { rows, entropy, now, url } = this.#parts;
    const [row = "", mac = "", ...more] = text
      .split(".")
      .map((part) => Buffer.from(part, "base64url").toString());
    const ticket = more.length === 0 ? rows.read<Ticket>(table, { row, mac }) : undefined;
    const at = now();
    for (const [id, until] of this.#used) if (at >= until) this.#used.delete(id);
    if (!ticket) return refused("this is no ticket of janee's");
    if (this.#used.has(ticket.id)) {
      // One of the two was not the person: neither stays in.
      for (const [key, { ticket: id }] of this.#opened) if (id === ticket.id) this.#opened.delete(key);
      return refused("this ticket was used before: someone else may have it, so both are out");
    }
    const isOurs = ticket.url === url() && ticket.issuedAt >= this.#startedAt;
    if (!isOurs || at < ticket.issuedAt || at >= ticket.issuedAt + ticketMs)
      return refused("this ticket has expired");
    this.#used.set(ticket.id, ticket.issuedAt + ticketMs);
    this.#sweep(at);
    if (this.#opened.size >= mostOpen)
      return new Failure("too_busy", "too many pages are open", { retryAfter: 60 });
    const token = random(entropy);
    this.#opened.set(this.#keyOf(token), { ticket: ticket.id, openedAt: at, seenAt: at });
    return token;
  }

  isIn(token: string): boolean {
    const at = this.#parts.now();
    this.#sweep(at);
    const opened = this.#opened.get(this.#keyOf(token));
    if (!opened) return false;
    opened.seenAt = at;
    return true;
  }

  leave(token: string): void {
    this.#opened.delete(this.#keyOf(token));
  }

  #sweep(at: number): void {
    for (const [key, { openedAt, seenAt }] of this.#opened) {
      if (at >= openedAt + longestMs || at >= seenAt + idleMs) this.#opened.delete(key);
    }
  }

  #keyOf(token: string): string {
    return this.#parts.digest.sha256(token);
  }
}

function refused(message: string): Failure {
  return new Failure("no_session", message, { next: "run janee open again" });
}

function random(entropy: Entropy): string {
  return Buffer.from(entropy.bytes(secretBytes)).toString("base64url");
}
