// The audit file. Many processes append to it; each looks whether the path still names the file it holds.
import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  linkSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { basename, dirname } from "node:path";
import { Failure } from "../engine/failure.ts";
import type { Journal } from "../engine/ports.ts";

export interface JournalOptions {
  /** fdatasync after each write, from `audit: {sync: true}`. */
  readonly sync: () => boolean;
  /** Size in bytes from which the file is put aside as `.1`, `.2`, … */
  readonly rotateAt?: number;
}

const defaultRotateAt = 64 * 1024 * 1024;
const noFollow = constants.O_NOFOLLOW ?? 0;
const newline = Buffer.from("\n");

interface OpenFile {
  readonly descriptor: number;
  readonly inode: number;
  readonly device: number;
}

export class JournalFile implements Journal {
  readonly #path: string;
  readonly #options: JournalOptions;
  #file: OpenFile | undefined;
  /** After a failed write the file may end in a torn line. */
  #torn = true;
  #written = 0;

  constructor(path: string, options: JournalOptions) {
    this.#path = path;
    this.#options = options;
  }

  write(lines: string | Uint8Array): Failure | undefined {
    try {
      const file = this.#current();
      let bytes = typeof lines === "string" ? Buffer.from(lines, "utf8") : lines;
      if (this.#torn && endsTorn(file.descriptor)) bytes = Buffer.concat([newline, bytes]);
      this.#torn = true;
      for (let offset = 0; offset < bytes.length; ) offset += writeSync(file.descriptor, bytes, offset);
      if (this.#options.sync()) fdatasyncSync(file.descriptor);
      this.#torn = false;
      this.#written += bytes.length;
      return undefined;
    } catch (error) {
      this.close();
      const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
      return new Failure("audit_unavailable", `the audit log cannot be written (${code}): nothing is sent`, {
        next: `make ${this.#path} writable and see that its disk has room; janee goes on by itself`,
      });
    }
  }

  close(): void {
    if (this.#file) {
      try {
        closeSync(this.#file.descriptor);
      } catch {
        // The descriptor is given up either way.
      }
    }
    this.#file = undefined;
    this.#torn = true;
  }

  /** The file that the path names now: another process may have rotated it, or a person removed it. */
  #current(): OpenFile {
    const known = this.#file;
    if (known && namesSameFile(this.#path, known)) {
      if (this.#written < this.#rotateAt) return known;
      this.#rotate(known);
    }
    this.close();
    const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | noFollow;
    const descriptor = openSync(this.#path, flags, 0o600);
    const opened = fstatSync(descriptor);
    this.#written = opened.size;
    this.#file = { descriptor, inode: opened.ino, device: opened.dev };
    // A pipe or a device takes lines, and keeps none.
    if (!opened.isFile()) throw Object.assign(new Error("no regular file"), { code: "no regular file" });
    return this.#file;
  }

  get #rotateAt(): number {
    return this.#options.rotateAt ?? defaultRotateAt;
  }

  /** A hard link fails where a name is taken, so that of two processes that rotate none overwrites a log. */
  #rotate(known: OpenFile): void {
    for (let number = highest(this.#path) + 1; namesSameFile(this.#path, known); number++) {
      try {
        linkSync(this.#path, `${this.#path}.${number}`);
        unlinkSync(this.#path);
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
    }
  }
}

/** The number of the newest file put aside; a gap that a person left is not filled, or the order would be lost. */
function highest(path: string): number {
  const prefix = `${basename(path)}.`;
  const numbers = readdirSync(dirname(path)).filter((name) => name.startsWith(prefix));
  return Math.max(
    0,
    ...numbers.map((name) => Number(name.slice(prefix.length))).filter(Number.isSafeInteger),
  );
}

function endsTorn(descriptor: number): boolean {
  const { size } = fstatSync(descriptor);
  if (size === 0) return false;
  const last = Buffer.alloc(1);
  readSync(descriptor, last, 0, 1, size - 1);
  return last[0] !== 0x0a;
}

function namesSameFile(path: string, file: OpenFile): boolean {
  const now = statSync(path, { throwIfNoEntry: false });
  return now !== undefined && now.ino === file.inode && now.dev === file.device;
}
