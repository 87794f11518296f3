// The audit trail: one JSON object a line, one keyed chain a writer. A line is "written" when write(2) has
// returned; the chain's head is stored right after, so a valid tail past the head is a crash and a head past
// the file is a cut.
import { Failure } from "./failure.ts";
import type { ChainHead, Digest, Journal, Soon, Store } from "./ports.ts";
import { withoutTokens } from "./session.ts";

export type EntryEvent =
  | "request"
  | "response"
  | "session"
  | "approval"
  | "policy"
  | "command"
  | "refusals"
  | "start";

/** What is written down. Absent fields are left out. */
export interface Entry {
  readonly timestamp: string;
  readonly id: string;
  readonly event: EntryEvent;
  readonly surface?: string;
  readonly owner?: string;
  readonly agent?: string;
  readonly session?: string;
  readonly capability?: string;
  readonly service?: string;
  readonly method?: string;
  readonly path?: string;
  readonly query?: string;
  readonly status?: number;
  readonly decision?: string;
  readonly rule?: string;
  readonly code?: string;
  readonly reason?: string;
  readonly outcome?: string;
  readonly approval?: string;
  readonly durationMs?: number;
  readonly bytesIn?: number;
  readonly bytesOut?: number;
  readonly redactions?: number;
  /** For events other than requests: what happened, in words. */
  readonly message?: string;
  readonly changes?: readonly string[];
  readonly peer?: string;
  readonly count?: number;
}

/** The order on the line. */
const names: readonly (keyof Entry)[] = [
  ...(["timestamp", "id", "event", "surface", "owner", "agent", "session", "capability", "service"] as const),
  ...(["method", "path", "query", "status", "decision", "rule", "code", "reason", "outcome"] as const),
  ...(["approval", "durationMs", "bytesIn", "bytesOut", "redactions"] as const),
  ...(["message", "changes", "peer", "count"] as const),
];

const longest = { path: 8192, query: 8192, reason: 500, agent: 100, message: 2000, default: 300 };

interface Waiting {
  readonly entry: Entry;
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

  /** Entries that arrive in one tick share one write and one commit. */
  append(entry: Entry): Promise<Failure | undefined> {
    return new Promise((done) => {
      this.#waiting.push({ entry, done });
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
    let { seq, prev, lines } = { seq: this.#seq, prev: this.#prev, lines: "" };
    for (const { entry } of batch) {
      seq += 1;
      const line = chained(entry, this.#writer, seq, prev);
      prev = this.#digest.hmac(this.#key, line);
      lines += `${sealedLine(line, prev)}\n`;
    }
    const failure = this.#journal.write(lines);
    if (failure) {
      this.#beginNewChain();
      return failure;
    }
    this.#seq = seq;
    this.#prev = prev;
    const head: ChainHead = { writer: this.#writer, seq, hash: prev };
    try {
      this.#store.saveHead({ ...head, mac: headMac(this.#digest, this.#key, head) });
      this.#afterWrite();
    } catch {
      this.#beginNewChain();
      return new Failure("audit_unavailable", "the head of the audit chain could not be stored in state.db", {
        next: "check that the disk has room and that state.db can be written",
      });
    }
    return undefined;
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

/** The line without its hash: exactly the bytes that the hash covers. */
function chained(entry: Entry, writer: string, seq: number, prev: string): string {
  const line = bounded(entry);
  line.writer = writer;
  line.seq = seq;
  line.prev = prev;
  return visibleJson(JSON.stringify(line));
}

function sealedLine(line: string, hash: string): string {
  return `${line.slice(0, -1)},"hash":"${hash}"}`;
}

const hashLength = 43;
const hashKey = ',"hash":"';

/** The two parts of a line: what the hash covers, and the hash. undefined: it does not end as janee's lines do. */
export function splitSealed(line: string): { readonly covered: string; readonly hash: string } | undefined {
  const from = line.length - hashKey.length - hashLength - 2;
  if (from < 1 || !line.startsWith(hashKey, from) || !line.endsWith('"}')) return undefined;
  return { covered: `${line.slice(0, from)}}`, hash: line.slice(from + hashKey.length, -2) };
}

/** Characters that would reorder or hide text in a terminal stand as escapes. */
function visibleJson(json: string): string {
  return /[^\x20-\x7e]/.test(json) ? json.replace(hidden, escapeUnit) : json;
}

/** The same characters that `visible` shows, as JSON escapes: a pair of surrogates becomes two. */
const hidden = /[\x7f-\x9f\p{Cf}\u2028\u2029\u115f\u1160\u180e\u3164\uffa0]/gu;

function escapeUnit(character: string): string {
  let escaped = "";
  for (let index = 0; index < character.length; index++) {
    escaped += `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`;
  }
  return escaped;
}

const mostChanges = 100;

function bounded(entry: Entry): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const name of names) {
    const value = entry[name];
    if (value === undefined) continue;
    if (typeof value === "string") result[name] = boundedText(name, value);
    else if (typeof value === "number") result[name] = value;
    else result[name] = value.slice(0, mostChanges).map((line) => boundedText("message", line));
  }
  return result;
}

function boundedText(name: string, value: string): string {
  const limit = longest[name as keyof typeof longest] ?? longest.default;
  const clean = withoutTokens(value);
  const text = clean.length > limit ? `${clean.slice(0, limit)}…` : clean;
  return text.isWellFormed() ? text : text.toWellFormed();
}
