// Checks the chains of the audit trail, line by line as the files are read. A writer stores a line first and
// its chain's head second: lines past the head are a crash, a head past the lines is a cut. A head is in state.db, or
// in the first line of the writer that took it over.
import { headMac, splitSealed } from "./audit.ts";
import type { ChainHead, Digest } from "./ports.ts";

export type StoredHead = ChainHead & { readonly mac: string };

export type LogProblemKind = "changed" | "missing" | "moved" | "cut" | "foreign" | "head";

/** One thing that no crash explains. `file` and `line` say where it shows. */
export interface LogProblem {
  readonly kind: LogProblemKind;
  readonly message: string;
  readonly file?: string;
  readonly line?: number;
  readonly writer?: string;
  /** The first line of the writer's chain that is concerned. */
  readonly seq?: number;
}

/** Worth knowing, and no sign of tampering. */
export interface LogNote {
  readonly kind: "torn" | "tail" | "headless" | "unanswered";
  readonly message: string;
  readonly count: number;
  /** The first few: places, writers or request ids. */
  readonly first: readonly string[];
}

export interface LogReport {
  readonly intact: boolean;
  readonly lines: number;
  readonly writers: number;
  readonly problemCount: number;
  /** In the order of the files; the first is the first line that was tampered with. */
  readonly problems: readonly LogProblem[];
  readonly notes: readonly LogNote[];
}

const mostProblems = 100;
const mostNamed = 5;

interface Chain {
  seq: number;
  hash: string;
  file: string;
  line: number;
  /** False behind a problem: what follows is taken as it comes, so that one problem is told once. */
  sound: boolean;
  /** Lines whose hash is right. */
  authentic: number;
}

interface ReadLine {
  readonly covered: string;
  readonly hash: string;
  readonly writer: string;
  readonly seq: number;
  readonly prev: string;
  readonly id: unknown;
  readonly event: unknown;
  readonly decision: unknown;
  readonly follows: readonly ChainHead[];
}

export class LogCheck {
  readonly #digest: Digest;
  readonly #key: Uint8Array;
  readonly #heads = new Map<string, ChainHead>();
  readonly #chains = new Map<string, Chain>();
  readonly #unanswered = new Set<string>();
  readonly #problems: LogProblem[] = [];
  readonly #torn: string[] = [];
  #problemCount = 0;
  #tornCount = 0;
  #lines = 0;

  /** `heads` as they were before the first file was opened: whatever they name must be in the files. */
  constructor(digest: Digest, key: Uint8Array, heads: readonly StoredHead[]) {
    this.#digest = digest;
    this.#key = key;
    for (const head of heads) {
      if (headMac(digest, key, head) === head.mac) this.#heads.set(head.writer, head);
      else {
        this.#problem({
          kind: "head",
          message: `the stored head of writer ${head.writer} was not written by janee`,
          writer: head.writer,
          seq: head.seq,
        });
      }
    }
  }

  /** The next line, without its newline. `line` counts from 1 in each file. */
  take(file: string, line: number, text: string): void {
    if (text === "") return;
    this.#lines += 1;
    const value = parsed(text);
    if (value === undefined) return this.#takeUnreadable(file, line, text);
    const read = readLine(text, value);
    if (read) return this.#takeRead(file, line, read, this.#isAuthentic(read));
    this.#problem({
      kind: "foreign",
      message: `${file}:${line} was not written by janee: it has no seal`,
      file,
      line,
    });
  }

  /** `headsNow`: read again after the files, so that a writer at work is not taken for one that crashed. */
  report(headsNow: readonly StoredHead[] = []): LogReport {
    const problems = [...this.#problems];
    let problemCount = this.#problemCount;
    for (const head of this.#heads.values()) {
      const cut = cutOff(head, this.#chains.get(head.writer));
      if (!cut) continue;
      problemCount += 1;
      if (problems.length < mostProblems) problems.push(cut);
    }
    return {
      intact: problemCount === 0,
      lines: this.#lines,
      writers: this.#chains.size,
      problemCount,
      problems,
      notes: this.#notes(headsNow),
    };
  }

  #isAuthentic(read: ReadLine): boolean {
    return this.#digest.hmac(this.#key, read.covered) === read.hash;
  }

  /** A full disk or a crash leaves the beginning of a line; the next writer's line may follow on the same one. */
  #takeUnreadable(file: string, line: number, text: string): void {
    const start = text.lastIndexOf(lineStart);
    const glued = start > 0 ? text.slice(start) : "";
    const read = glued === "" ? undefined : readLine(glued, parsed(glued));
    const whole = read !== undefined && this.#isAuthentic(read);
    const claimed = whole ? undefined : claimOf(text);
    if (claimed) return this.#takeRead(file, line, claimed, false);
    this.#tornCount += 1;
    if (this.#torn.length < mostNamed) this.#torn.push(`${file}:${line}`);
    if (whole) this.#takeRead(file, line, read, true);
  }

  #takeRead(file: string, line: number, read: ReadLine, authentic: boolean): void {
    const { writer, seq, hash } = read;
    const chain = this.#chains.get(writer);
    const expected = (chain?.seq ?? 0) + 1;
    const at = { file, line, writer, seq };
    if (!authentic) {
      this.#problem({
        kind: "changed",
        message: `${file}:${line} was changed, or not written by janee`,
        ...at,
      });
      // The line behind it names the hash that stood here: it is the next in the chain, if all else is right.
      if (seq === expected) this.#advance(chain, at, hash, false);
      else if (chain) chain.sound = false;
      return;
    }
    this.#follow(read);
    for (const kept of read.follows) this.#expect(kept);
    if (chain && seq <= chain.seq) {
      const what = `line ${seq} of writer ${writer} stands twice, or behind line ${chain.seq}`;
      this.#problem({ kind: "moved", message: `${file}:${line} was copied or moved: ${what}`, ...at });
      return;
    }
    const fits = seq === expected && read.prev === (chain?.hash ?? "");
    if (!fits && (chain?.sound ?? true)) this.#problem(missing(at, expected, chain, this.#torn.at(-1)));
    const head = this.#heads.get(writer);
    if (head?.seq === seq && head.hash !== hash) {
      const message = `${file}:${line} is not the line that state.db knows as line ${seq} of writer ${writer}`;
      this.#problem({ kind: "changed", message, ...at });
    }
    this.#advance(chain, at, hash, true);
  }

  /** A head that a line keeps counts as one that is stored. The lines it names stand above. */
  #expect(head: ChainHead): void {
    const { writer, seq, hash } = head;
    if ((this.#heads.get(writer)?.seq ?? 0) < seq) this.#heads.set(writer, head);
    const chain = this.#chains.get(writer);
    if (!chain?.sound || chain.seq !== seq || chain.hash === hash) return;
    const { file, line } = chain;
    const message = `${file}:${line} is not the line that a later one knows as line ${seq} of writer ${writer}`;
    this.#problem({ kind: "changed", message, file, line, writer, seq });
  }

  #advance(
    chain: Chain | undefined,
    at: { readonly file: string; readonly line: number; readonly writer: string; readonly seq: number },
    hash: string,
    authentic: boolean,
  ): void {
    const { file, line, writer, seq } = at;
    if (!chain) {
      this.#chains.set(writer, { seq, hash, file, line, sound: authentic, authentic: authentic ? 1 : 0 });
      return;
    }
    chain.seq = seq;
    chain.hash = hash;
    chain.file = file;
    chain.line = line;
    chain.sound = authentic;
    if (authentic) chain.authentic += 1;
  }

  #follow({ id, event, decision }: ReadLine): void {
    if (typeof id !== "string") return;
    if (event === "response") this.#unanswered.delete(id);
    else if (event === "request" && (decision === "allow" || decision === "approved"))
      this.#unanswered.add(id);
  }

  #problem(problem: LogProblem): void {
    this.#problemCount += 1;
    if (this.#problems.length < mostProblems) this.#problems.push(problem);
  }

  #notes(headsNow: readonly StoredHead[]): LogNote[] {
    const now = new Map(headsNow.map((head) => [head.writer, head.seq]));
    const tails: string[] = [];
    const headless: string[] = [];
    for (const [writer, chain] of this.#chains) {
      const known = Math.max(this.#heads.get(writer)?.seq ?? 0, now.get(writer) ?? 0);
      if (known === 0 && chain.authentic > 0) headless.push(writer);
      else if (known > 0 && chain.seq > known) tails.push(writer);
    }
    const notes: LogNote[] = [];
    const note = (kind: LogNote["kind"], count: number, first: Iterable<string>, message: string): void => {
      if (count > 0) notes.push({ kind, count, first: [...first].slice(0, mostNamed), message });
    };
    note("torn", this.#tornCount, this.#torn, "unreadable lines, as a crash or a full disk leaves them");
    note("tail", tails.length, tails, "writers with lines past their stored head, as a crash leaves them");
    const whole =
      "writers without a stored head whose chains are whole; a cut at their end could not be seen";
    note("headless", headless.length, headless, whole);
    const unanswered = firstOf(this.#unanswered, mostNamed);
    note(
      "unanswered",
      this.#unanswered.size,
      unanswered,
      "admitted requests without a response yet, or ever",
    );
    return notes;
  }
}

const lineStart = '{"timestamp":';

function parsed(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return undefined;
  }
}

function readLine(text: string, value: object | undefined): ReadLine | undefined {
  const split = splitSealed(text);
  if (!split || !value) return undefined;
  const { writer, seq, prev, id, event, decision, follows } = value as Record<string, unknown>;
  if (typeof writer !== "string" || typeof prev !== "string") return undefined;
  if (!isSeq(seq)) return undefined;
  const heads = Array.isArray(follows) ? follows.filter(isHead) : [];
  return { ...split, writer, seq, prev, id, event, decision, follows: heads };
}

function isSeq(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 1;
}

function isHead(value: unknown): value is ChainHead {
  if (typeof value !== "object" || value === null) return false;
  const { writer, seq, hash } = value as Record<string, unknown>;
  return typeof writer === "string" && isSeq(seq) && typeof hash === "string";
}

const ending =
  /,"writer":"([^"\\]{1,64})","seq":(\d{1,15}),"prev":"([^"\\]{0,64})","hash":"([^"\\]{1,64})"\}$/;

/** A line whose end is whole is no torn one, even when it does not parse. */
function claimOf(text: string): ReadLine | undefined {
  const [, writer = "", seq = "", prev = "", hash = ""] = ending.exec(text.slice(-400)) ?? [];
  if (writer === "") return undefined;
  const unknown = { id: undefined, event: undefined, decision: undefined, follows: [] };
  return { covered: "", hash, writer, seq: Number(seq), prev, ...unknown };
}

function missing(
  at: { readonly file: string; readonly line: number; readonly writer: string; readonly seq: number },
  expected: number,
  chain: Chain | undefined,
  torn: string | undefined,
): LogProblem {
  const { file, line, writer, seq } = at;
  if (seq === expected) {
    const message = `${file}:${line} does not follow the line before it of writer ${writer}, ${placeOf(chain)}`;
    return { kind: "changed", message, ...at };
  }
  const which = seq - expected === 1 ? `line ${expected}` : `lines ${expected} to ${seq - 1}`;
  const before = chain ? `between ${placeOf(chain)} and ${file}:${line}` : `before ${file}:${line}`;
  const unreadable = torn === undefined ? "" : ` (the line at ${torn} is unreadable)`;
  const message = `${which} of writer ${writer} ${seq - expected === 1 ? "is" : "are"} missing ${before}${unreadable}`;
  return { kind: "missing", message, file, line, writer, seq: expected };
}

function cutOff(head: ChainHead, chain: Chain | undefined): LogProblem | undefined {
  const { writer, seq } = head;
  if (!chain) {
    const message = `all ${seq} lines of writer ${writer} are missing, from line 1 on`;
    return { kind: "cut", message, writer, seq: 1 };
  }
  if (chain.seq >= seq) return undefined;
  const first = chain.seq + 1;
  const which = first === seq ? `line ${seq}` : `lines ${first} to ${seq}`;
  const message = `${which} of writer ${writer} ${first === seq ? "was" : "were"} cut off after ${placeOf(chain)}`;
  return { kind: "cut", message, file: chain.file, line: chain.line, writer, seq: first };
}

function placeOf(chain: Chain | undefined): string {
  return chain ? `${chain.file}:${chain.line}` : "the beginning";
}

function firstOf(values: Iterable<string>, count: number): string[] {
  const first: string[] = [];
  for (const value of values) {
    if (first.length === count) break;
    first.push(value);
  }
  return first;
}
