// The audit trail as it lies on disk: audit.log.1 is the oldest, audit.log the newest.
import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readSync } from "node:fs";
import { basename, join } from "node:path";
import { Failure } from "../engine/failure.ts";

const chunkLength = 256 * 1024;
/** Far beyond any line that janee writes: the rest of a longer one is not kept. */
const longestLine = 4 * 1024 * 1024;

export interface TrailLine {
  /** Counts from 1. */
  readonly number: number;
  readonly text: string;
}

/** One file, read line by line in bounded memory; it can be read on when it has grown. */
export class TrailFile {
  readonly name: string;
  readonly size: number;
  readonly modifiedAt: number;
  readonly #descriptor: number;
  readonly #identity: string;
  #offset = 0;
  #line = 0;
  #rest: Buffer = Buffer.alloc(0);

  private constructor(path: string, descriptor: number) {
    const { dev, ino, size, mtimeMs } = fstatSync(descriptor);
    this.name = basename(path);
    this.size = size;
    this.modifiedAt = mtimeMs;
    this.#descriptor = descriptor;
    this.#identity = `${dev}:${ino}`;
  }

  /** undefined: there is no such file. */
  static open(path: string): TrailFile | Failure | undefined {
    const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
    try {
      const descriptor = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
      if (fstatSync(descriptor).isFile()) return new TrailFile(path, descriptor);
      closeSync(descriptor);
      return unreadable(path, "it is no regular file");
    } catch (error) {
      if (!lstatSync(path, { throwIfNoEntry: false })) return undefined;
      return unreadable(path, (error as NodeJS.ErrnoException).code ?? "unknown error");
    }
  }

  is(other: TrailFile): boolean {
    return this.#identity === other.#identity;
  }

  /** `elsewhere`: rotated or removed. `shorter`: it was truncated. */
  compare(path: string): "same" | "elsewhere" | "shorter" {
    const now = lstatSync(path, { throwIfNoEntry: false });
    if (!now || `${now.dev}:${now.ino}` !== this.#identity) return "elsewhere";
    return now.size < this.#offset ? "shorter" : "same";
  }

  rewind(): void {
    this.#offset = 0;
    this.#line = 0;
    this.#rest = Buffer.alloc(0);
  }

  /** Whole lines from where the last call ended. */
  *lines(): Generator<TrailLine> {
    const chunk = Buffer.allocUnsafe(chunkLength);
    for (;;) {
      const count = readSync(this.#descriptor, chunk, 0, chunk.length, this.#offset);
      if (count === 0) return;
      this.#offset += count;
      const end = chunk.subarray(0, count).lastIndexOf(0x0a);
      const whole = Buffer.concat([this.#rest, chunk.subarray(0, Math.max(end, 0))]);
      if (end < 0) {
        if (this.#rest.length < longestLine)
          this.#rest = Buffer.concat([this.#rest, chunk.subarray(0, count)]);
        continue;
      }
      this.#rest = Buffer.from(chunk.subarray(end + 1, count));
      for (const text of whole.toString("utf8").split("\n")) {
        this.#line += 1;
        yield { number: this.#line, text };
      }
    }
  }

  /** What stands behind the last newline: torn, or still being written. */
  rest(): TrailLine | undefined {
    if (this.#rest.length === 0) return undefined;
    return { number: this.#line + 1, text: this.#rest.toString("utf8") };
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

const tailLength = 128 * 1024;

/** Of the newest file: what a look at the end shows, however long the file is. */
export function lastLines(home: string, most: number): string[] {
  const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
  let descriptor: number;
  try {
    descriptor = openSync(trailPath(home), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch {
    return [];
  }
  try {
    const from = Math.max(0, fstatSync(descriptor).size - tailLength);
    const bytes = Buffer.alloc(tailLength);
    const count = readSync(descriptor, bytes, 0, tailLength, from);
    const lines = bytes.toString("utf8", 0, count).split("\n");
    // The last is empty or still being written, and the first may be the rest of one.
    return lines.slice(from === 0 ? 0 : 1, -1).slice(-most);
  } finally {
    closeSync(descriptor);
  }
}

/** The latest time that the end of the trail names, in milliseconds since 1970; 0 where it names none. */
export function lastTimeIn(home: string): number {
  const times = lastLines(home, 100).map((line) =>
    Date.parse(/"timestamp":"([^"]{20,30})"/.exec(line)?.[1] ?? ""),
  );
  return Math.max(0, ...times.filter((time) => !Number.isNaN(time)));
}

export function trailPath(home: string): string {
  return join(home, "audit.log");
}

/** Oldest first. The newest is opened before the others are listed, so that a rotation hides none. */
export function openTrail(home: string): TrailFile[] | Failure {
  const newest = TrailFile.open(trailPath(home));
  if (newest instanceof Failure) return newest;
  const files: TrailFile[] = [];
  for (const path of rotatedPaths(home)) {
    const file = TrailFile.open(path);
    if (file instanceof Failure) return file;
    if (file) files.push(file);
  }
  if (newest && !files.some((file) => file.is(newest))) files.push(newest);
  return files;
}

function rotatedPaths(home: string): string[] {
  let names: string[] = [];
  try {
    names = readdirSync(home);
  } catch {
    // No home, no files: the caller says so.
  }
  return names
    .flatMap((name) => {
      const number = /^audit\.log\.(\d{1,9})$/.exec(name)?.[1];
      return number === undefined ? [] : [{ name, number: Number(number) }];
    })
    .sort((one, other) => one.number - other.number)
    .map(({ name }) => join(home, name));
}

function unreadable(path: string, why: string): Failure {
  return new Failure("audit_unavailable", `${path} cannot be read (${why})`, {
    next: "see who owns it and what its mode is: janee doctor",
  });
}
