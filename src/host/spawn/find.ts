// From the name of an allowed command to the one file that it stands for, as long as this process runs.
import { createHash } from "node:crypto";
import { accessSync, type BigIntStats, constants, lstatSync, readFileSync } from "node:fs";
import { basename, delimiter, isAbsolute, join } from "node:path";
import { commandDenied } from "../../engine/exec/denied.ts";
import { Failure } from "../../engine/failure.ts";
import type { Program } from "../../engine/ports.ts";
import { isInside } from "./search-path.ts";
import { type Place, quoted, trustedPlace, untrusted } from "./trust.ts";

export interface Bounds {
  readonly outside: readonly string[];
  readonly sha256?: string;
}

interface Found {
  readonly stamp: string;
  readonly outside: readonly string[];
}

export class Finder {
  readonly #entries: readonly string[];
  readonly #extensions: readonly string[];
  /** What each command was when it was first found. */
  readonly #first = new Map<string, { readonly path: string; readonly stamp: string }>();
  readonly #hashes = new Map<string, string>();
  readonly #found = new WeakMap<Program, Found>();

  constructor(entries: readonly string[], extensions: string | undefined) {
    this.#entries = entries;
    this.#extensions =
      process.platform === "win32" ? (extensions ?? ".COM;.EXE").split(delimiter).filter(isProgram) : [""];
  }

  find(command: string, bounds: Bounds): Program | Failure {
    const place = this.#place(command, bounds.outside);
    if (place instanceof Failure) return place;
    const changed = this.#changed(command, place);
    if (changed) return changed;
    if (bounds.sha256 !== undefined && this.#hashOf(place) !== bounds.sha256.toLowerCase())
      return untrusted(
        `${place.path} does not have the pinned sha256`,
        "if you trust what is there now, pin its own: sha256sum prints it",
      );
    const program: Program = { name: command, path: place.path };
    this.#found.set(program, { stamp: stampOf(place.stat), outside: bounds.outside });
    return program;
  }

  /** Looked at again, right before it starts: the bounds it was found in, or why it does not start. */
  stillThere(program: Program): { readonly outside: readonly string[] } | Failure {
    const found = this.#found.get(program);
    const stat = lstatSync(program.path, { bigint: true, throwIfNoEntry: false });
    if (!found || !stat || stampOf(stat) !== found.stamp) return changedSince(program.path);
    return found;
  }

  #place(command: string, outside: readonly string[]): Place | Failure {
    if (command.includes("\0") || command === "") return commandDenied();
    if (isAbsolute(command)) return this.#judge(command, outside) ?? commandDenied();
    if (basename(command) !== command || command === "." || command === "..") return commandDenied();
    let refused: Failure | undefined;
    for (const entry of this.#entries) {
      if (isInside(entry, outside)) continue;
      for (const extension of this.#extensions) {
        const place = this.#judge(join(entry, command + extension), outside);
        if (place && !(place instanceof Failure)) return place;
        // As a shell does, the search goes on past what is no program; past one that is not trusted it does not.
        if (place && !isNoProgram(place)) return place;
        refused ??= place;
      }
    }
    return refused ?? commandDenied();
  }

  #judge(path: string, outside: readonly string[]): Place | Failure | undefined {
    const place = trustedPlace(path);
    if (!place || place instanceof Failure) return place;
    if (!place.stat.isFile()) return noProgram(place.path, "is not a regular file");
    if (!isExecutable(place.path)) return noProgram(place.path, "may not be executed");
    if (isInside(place.path, outside))
      return untrusted(
        `${place.path} lies where the command itself may write`,
        "use a program outside the working directory",
      );
    return place;
  }

  #changed(command: string, place: Place): Failure | undefined {
    const stamp = stampOf(place.stat);
    const first = this.#first.get(command);
    if (!first) this.#first.set(command, { path: place.path, stamp });
    else if (first.path !== place.path || first.stamp !== stamp) return changedSince(place.path);
    return undefined;
  }

  #hashOf({ path, stat }: Place): string {
    const key = `${path}\0${stampOf(stat)}`;
    const hash = this.#hashes.get(key) ?? createHash("sha256").update(readFileSync(path)).digest("hex");
    this.#hashes.set(key, hash);
    return hash;
  }
}

const noPrograms = new WeakSet<Failure>();

function noProgram(path: string, what: string): Failure {
  const failure = untrusted(`${path} ${what}`, `look at it with: ls -l ${quoted(path)}`);
  noPrograms.add(failure);
  return failure;
}

function isNoProgram(failure: Failure): boolean {
  return noPrograms.has(failure);
}

function changedSince(path: string): Failure {
  return untrusted(
    `${path} is not the file that was first found`,
    "if you changed it yourself, start janee again",
  );
}

function stampOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(":");
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Batch files run in a shell, which takes its own meaning from arguments. */
function isProgram(extension: string): boolean {
  return /^\.(?:com|exe)$/i.test(extension);
}
