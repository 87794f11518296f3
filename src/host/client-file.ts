// Files that belong to other programs: read with bounds, replaced as a whole with a copy of the old one beside it.
import * as fs from "node:fs";
import { homedir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import type { Surroundings } from "../engine/client-place.ts";
import { Failure } from "../engine/failure.ts";
import { broken, writeAtomic } from "./files.ts";
import { isInside } from "./key-place.ts";
import type { Environment } from "./keyring.ts";

export const largestClientFile = 4 * 1024 * 1024;

export interface ClientFile {
  readonly text: string;
  readonly mode: number;
}

export function surroundings(environment: Environment): Surroundings {
  const system = { win32: "windows", darwin: "macos" }[process.platform as string] ?? "linux";
  return { system: system as Surroundings["system"], home: homedir(), environment };
}

/** undefined: there is no such file. Links are followed: many keep these files in a folder of their own. */
export function readClientFile(path: string): ClientFile | Failure | undefined {
  const { O_RDONLY, O_NONBLOCK = 0 } = fs.constants;
  let fd: number;
  try {
    fd = fs.openSync(path, O_RDONLY | O_NONBLOCK);
  } catch (error) {
    if (!isMissing(error)) return broken(error, `read ${path}`);
    const link = fs.lstatSync(path, { throwIfNoEntry: false });
    if (!link) return undefined;
    return new Failure("store_refused", `${path} is a link to a file that does not exist`, {
      next: "make the file that it leads to, or remove the link",
    });
  }
  try {
    const stat = fs.fstatSync(fd);
    if (!stat.isFile()) return new Failure("store_refused", `${path} is not a regular file`);
    if (stat.size > largestClientFile) {
      return new Failure(
        "store_refused",
        `${path} is larger than ${largestClientFile / 1024 / 1024} MiB: not read`,
      );
    }
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(fs.readFileSync(fd));
    return { text, mode: stat.mode & 0o777 };
  } catch (error) {
    if (error instanceof TypeError) return new Failure("store_refused", `${path} is not UTF-8 text`);
    return broken(error, `read ${path}`);
  } finally {
    fs.closeSync(fd);
  }
}

export interface Replaced {
  /** The file behind the links. */
  readonly file: string;
  readonly backup?: string;
}

/**
 * Puts `text` in the place of `before`, which the file must still hold. A link stays a link. `within`: a file that
 * leads out of that folder is refused, since what lies in a project may have been put there by anyone.
 */
export function replaceClientFile(
  path: string,
  text: string,
  before: ClientFile | undefined,
  options: { readonly now: Date; readonly within?: string },
): Replaced | Failure {
  const place = resolve(path);
  const { within } = options;
  if (within !== undefined && !isInside(within, place)) {
    const next = `name the file that you mean: --file ${relative(process.cwd(), place) || place}`;
    return new Failure("store_refused", `${place} leads out of ${within}`, { next });
  }
  try {
    fs.mkdirSync(dirname(place), { recursive: true, mode: within === undefined ? 0o700 : 0o755 });
  } catch (error) {
    return broken(error, `make the folder ${dirname(place)}`);
  }
  const current = readClientFile(place);
  if (current instanceof Failure) return current;
  if (current?.text !== before?.text) {
    return new Failure("store_refused", `${place} has changed meanwhile: nothing was written`, {
      next: "run it again",
    });
  }
  const backup = current && keepCopy(place, current.text, options.now);
  if (backup instanceof Failure) return backup;
  const file = current ? fs.realpathSync(place) : place;
  const unwritten = writeAtomic(file, text, {
    mode: current?.mode ?? (within === undefined ? 0o600 : 0o644),
  });
  return unwritten ?? { file, ...(backup !== undefined && { backup }) };
}

/** Beside the file as it was named, for its owner alone: it may hold what a person will take out of the file next. */
function keepCopy(place: string, text: string, now: Date): string | Failure {
  const stamp = now.toISOString().replace(/[:.]/g, "-");
  const backup = `${place}.janee-backup-${stamp}`;
  const { O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW = 0 } = fs.constants;
  try {
    const fd = fs.openSync(backup, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o600);
    try {
      fs.writeFileSync(fd, text);
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    return backup;
  } catch (error) {
    return broken(error, `keep a copy in ${join(dirname(place), "…")}`);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}
