// The audit trail: one JSON object a line, one keyed chain a writer. A line is "written" when write(2) has
// returned; the chain's head is stored right after, so a valid tail past the head is a crash and a head past
// the file is a cut. Each command is a writer: so that their heads do not pile up in the store, the first line of a
// later writer takes over the oldest of them, and that line's own chain keeps them from then on.
import { type Entry, entryText, type Story } from "./entry.ts";
import { Failure } from "./failure.ts";
import { LineBuffer } from "./line-buffer.ts";
import type { ChainHead, Digest, Journal, Soon, Store } from "./ports.ts";

/** From so many heads on, the next writer takes over the oldest ones; so many stay. */
const mostHeads = 32;
const keptHeads = 16;
/** More would make the line long; the writer behind takes over the rest. */
const mostTakenOver = 64;

interface Waiting {
  readonly text: string;
  readonly done: (failure: Failure | undefined) => void;
}

export class AuditTrail {
  readonly #journal: Journal;
  readonly #store: Store;
  readonly #digest: Digest;
  readonly #key: Uint8Array;
  readonly #soon: Soon;
  readonly #afterWrite: () => void;
  readonly #name: string;
  #writer: string;
  #failures = 0;
  #seq = 0;
  #prev = "";
  #waiting: Waiting[] = [];
  readonly #lines = new LineBuffer();

  constructor(parts: {
    journal: Journal;
    store: Store;
    digest: Digest;
    key: Uint8Array;
    soon: Soon;
    writer: string;
    /** Runs in the same tick as the head is stored. */
    afterWrite: () => void;
  }) {
    this.#journal = parts.journal;
    this.#store = parts.store;
    this.#digest = parts.digest;
    this.#key = parts.key;
    this.#soon = parts.soon;
    this.#name = parts.writer;
    this.#writer = parts.writer;
    this.#afterWrite = parts.afterWrite;
  }

  get writer(): string {
    return this.#writer;
  }

  /** Entries that arrive in one tick share one write and one commit. `story`: what this line shares with another. */
  append(entry: Entry, story?: Story): Promise<Failure | undefined> {
    return new Promise((done) => {
      this.#waiting.push({ text: entryText(entry, story), done });
      if (this.#waiting.length === 1) this.#soon(() => this.flush());
    });
  }

  flush(): void {
    const batch = this.#waiting;
    if (batch.length === 0) return;
    this.#waiting = [];
    const failure = this.#write(batch);
    for (const waiting of batch) waiting.done(failure);
  }

  #write(batch: readonly Waiting[]): Failure | undefined {
    let { seq, prev } = { seq: this.#seq, prev: this.#prev };
    const lines = this.#lines;
    lines.clear();
    const takenOver = seq === 0 ? this.#overdueHeads() : [];
    const follows = takenOver.length === 0 ? "" : `,"follows":${JSON.stringify(takenOver)}`;
    for (const { text } of batch) {
      seq += 1;
      const more = seq === 1 ? follows : "";
      // The line without its hash: exactly the bytes that the hash covers.
      const covered = lines.add(`${text}${more},"writer":"${this.#writer}","seq":${seq},"prev":"${prev}"}`);
      prev = this.#digest.hmac(this.#key, covered);
      lines.dropLastByte();
      lines.add(`${hashKey}${prev}"}\n`);
    }
    const failure = this.#journal.write(lines.bytes);
    if (failure) {
      this.#beginNewChain();
      return failure;
    }
    this.#seq = seq;
    this.#prev = prev;
    const head: ChainHead = { writer: this.#writer, seq, hash: prev };
    try {
      this.#store.saveHead({ ...head, mac: headMac(this.#digest, this.#key, head) }, takenOver);
      this.#afterWrite();
    } catch {
      this.#beginNewChain();
      return new Failure("audit_unavailable", "the head of the audit chain could not be stored in state.db", {
        next: "check that the disk has room and that state.db can be written",
      });
    }
    return undefined;
  }

  /** Oldest first. It does no harm if a writer among them is at work: its next line stores its head again. */
  #overdueHeads(): readonly ChainHead[] {
    try {
      const heads = this.#store.heads();
      if (heads.length <= mostHeads) return [];
      return heads
        .slice(0, Math.min(heads.length - keptHeads, mostTakenOver))
        .filter((head) => headMac(this.#digest, this.#key, head) === head.mac)
        .map(({ writer, seq, hash }) => ({ writer, seq, hash }));
    } catch {
      // The store is broken: storing this writer's own head will say so.
      return [];
    }
  }

  /** How much of a failed batch reached the file is not known, so nothing may be chained behind it. */
  #beginNewChain(): void {
    this.#failures += 1;
    this.#writer = `${this.#name}.${this.#failures}`;
    this.#seq = 0;
    this.#prev = "";
  }
}

export function headMac(digest: Digest, key: Uint8Array, head: ChainHead): string {
  return digest.hmac(key, `head\n${head.writer}\n${head.seq}\n${head.hash}`);
}

const hashLength = 43;
const hashKey = ',"hash":"';

/** The two parts of a line: what the hash covers, and the hash. undefined: it does not end as janee's lines do. */
export function splitSealed(line: string): { readonly covered: string; readonly hash: string } | undefined {
  const from = line.length - hashKey.length - hashLength - 2;
  if (from < 1 || !line.startsWith(hashKey, from) || !line.endsWith('"}')) return undefined;
  return { covered: `${line.slice(0, from)}}`, hash: line.slice(from + hashKey.length, -2) };
}
