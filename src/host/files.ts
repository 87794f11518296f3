// Files that only their owner may touch, written so that a crash leaves the old one or the new one.
// Synchronous on purpose: they are small and rare, and nothing can come between a check and its use.
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { constants } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { Failure } from "../engine/failure.ts";

const windows = process.platform === "win32";
const largest = 16 * 1024 * 1024;
const staleAfterMs = 60_000;

/** Makes the folder when it is missing (0700), and checks it. */
export function ensureHome(path: string): Failure | undefined {
  const home = resolve(path);
  try {
    fs.mkdirSync(home, { recursive: true, mode: 0o700 });
  } catch (error) {
    // A file or a dangling link in its place: the check below says which, and what to do.
    if (codeOf(error) !== "EEXIST") return broken(error, `make the folder ${home}`);
  }
  return checkPrivate(home, "folder");
}

/** Own, no link, closed to everyone else; `next` of the failure is the command that mends it. */
export function checkPrivate(path: string, kind: "file" | "folder"): Failure | undefined {
  // A slash at the end would make lstat follow a link.
  const place = resolve(path);
  try {
    return judge(place, fs.lstatSync(place), kind);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return new Failure("not_found", `${place} does not exist`);
    return broken(error, `look at ${place}`);
  }
}

/** undefined: there is no such file. */
export function readPrivate(path: string, limit = largest): Buffer | Failure | undefined {
  const place = resolve(path);
  const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = fs.constants;
  let fd: number;
  try {
    // Not blocking: a FIFO planted under the name would hold janee for ever.
    fd = fs.openSync(place, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    return checkPrivate(place, "file") ?? broken(error, `read ${place}`);
  }
  try {
    // Judged on the open file: what is checked is what is read.
    const stat = fs.fstatSync(fd);
    const refused = judge(place, stat, "file");
    if (refused) return refused;
    if (stat.size > limit) return new Failure("store_refused", `${place} is larger than ${limit} bytes`);
    return fs.readFileSync(fd);
  } catch (error) {
    return broken(error, `read ${place}`);
  } finally {
    fs.closeSync(fd);
  }
}

/** The new content, whole and on disk, or the old one. Take the lock first: the last writer wins. */
export function writeAtomic(
  path: string,
  content: string | Uint8Array,
  options: {
    readonly token?: () => string;
    /** Other than for its owner alone: a file that another program keeps. */
    readonly mode?: number;
  } = {},
): Failure | undefined {
  const { token = () => randomBytes(8).toString("hex"), mode } = options;
  const place = resolve(path);
  const folder = dirname(place);
  const old = fs.lstatSync(place, { throwIfNoEntry: false });
  // Renaming over a link would put the file here and leave the one it points to behind, unchanged.
  if (old && !old.isFile()) return judge(place, old, "file");
  removeLeftovers(folder);

  const temporary = join(folder, `.${basename(place)}.${process.pid}.${token()}.tmp`);
  const task = `write ${place}`;
  let fd: number;
  try {
    const { O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW = 0 } = fs.constants;
    fd = fs.openSync(temporary, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o600);
  } catch (error) {
    return broken(error, task);
  }
  let open = true;
  try {
    writeAll(fd, content);
    if (mode !== undefined) fs.fchmodSync(fd, mode);
    fs.fsyncSync(fd);
    fs.closeSync(fd);
    open = false;
    fs.renameSync(temporary, place);
  } catch (error) {
    if (open) ignore(() => fs.closeSync(fd));
    ignore(() => fs.unlinkSync(temporary));
    return broken(error, task);
  }
  return syncFolder(folder);
}

/** Removes a file so that it stays removed; one that is not there is no failure. */
export function removeFile(path: string): Failure | undefined {
  try {
    fs.rmSync(path, { force: true });
    return syncFolder(dirname(resolve(path)));
  } catch (error) {
    return broken(error, `remove ${path}`);
  }
}

export function renameFile(from: string, to: string): Failure | undefined {
  try {
    fs.renameSync(from, to);
    return syncFolder(dirname(resolve(to)));
  } catch (error) {
    return broken(error, `rename ${from} to ${to}`);
  }
}

function writeAll(fd: number, content: string | Uint8Array): void {
  const bytes = typeof content === "string" ? Buffer.from(content, "utf8") : content;
  for (let written = 0; written < bytes.length; )
    written += fs.writeSync(fd, bytes, written, bytes.length - written);
}

/** A rename is on disk only when its folder is. */
function syncFolder(folder: string): Failure | undefined {
  if (windows) return undefined;
  try {
    const fd = fs.openSync(folder, fs.constants.O_RDONLY);
    try {
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  } catch (error) {
    // Some file systems know no fsync of a folder; they order renames by themselves or not at all.
    if (["EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(codeOf(error) ?? "")) return undefined;
    return broken(error, `make sure that ${folder} is on disk`);
  }
  return undefined;
}

/** What a killed janee left. Only its own kind of name, only old, only when the writer is gone. */
function removeLeftovers(folder: string): void {
  ignore(() => {
    for (const name of fs.readdirSync(folder)) {
      const pid = /^\..+\.(\d{1,10})\.[0-9a-f]{16}\.tmp$/.exec(name)?.[1];
      if (pid === undefined) continue;
      const stat = fs.lstatSync(join(folder, name), { throwIfNoEntry: false });
      const old = stat?.isFile() === true && Date.now() - stat.mtimeMs > staleAfterMs;
      if (old && !lives(Number(pid))) ignore(() => fs.unlinkSync(join(folder, name)));
    }
  });
}

function lives(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== "ESRCH";
  }
}

function judge(place: string, stat: fs.Stats, kind: "file" | "folder"): Failure | undefined {
  const shown = quoted(place);
  const refuse = (what: string, next: string) => new Failure("bad_permissions", `${place} ${what}`, { next });
  if (stat.isSymbolicLink()) {
    const target = targetOf(place);
    return refuse("is a link", target ? `rm ${shown} && mv ${quoted(target)} ${shown}` : `rm ${shown}`);
  }
  if (kind === "folder" ? !stat.isDirectory() : !stat.isFile())
    return refuse(
      `is not a ${kind === "file" ? "regular file" : "folder"}`,
      `mv ${shown} ${quoted(`${place}.old`)}`,
    );
  if (windows) return undefined;
  const self = process.geteuid?.() ?? stat.uid;
  if (stat.uid !== self)
    return refuse(`belongs to another user (uid ${stat.uid})`, `sudo chown ${self} ${shown}`);
  if ((stat.mode & 0o077) !== 0) {
    const mode = (stat.mode & 0o777).toString(8).padStart(4, "0");
    return refuse(
      `is open to other users (mode ${mode})`,
      `chmod ${kind === "folder" ? "700" : "600"} ${shown}`,
    );
  }
  return undefined;
}

function targetOf(link: string): string | undefined {
  try {
    return fs.realpathSync(link);
  } catch {
    return undefined;
  }
}

/** So that the command can be pasted into a shell as it stands. */
function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

const remedies: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full: free some space and try again",
  EDQUOT: "the disk quota is used up: free some space and try again",
  EFBIG: "the file would be larger than the limit of this shell or file system allows: see ulimit -f",
  EROFS: "the file system is mounted read-only: mount it writable, or set JANEE_HOME to a folder elsewhere",
  EIO: "the disk reported an error: look at the system log, and make a backup",
  EMFILE: "too many files are open in this process: raise ulimit -n",
  ENFILE: "too many files are open on this machine: close some programs and try again",
  EACCES: "this user may not: check who owns the folder",
  EPERM: "this user may not: check who owns the folder",
  EEXIST: "a file with the name of the temporary one is in the way: remove it and try again",
  ENOENT: "its folder does not exist: janee init",
};

/** A system call that failed, in words; the name of the error is kept for those who search for it. */
export function broken(error: unknown, task: string): Failure {
  const code = codeOf(error);
  if (code === undefined) throw error;
  const next = remedies[code];
  return new Failure("store_refused", `could not ${task} (${code})`, next === undefined ? {} : { next });
}

/** Deno names the common errors and gives the rest by number, in the message alone. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("code" in error && typeof error.code === "string") return error.code;
  const number = /\(os error (\d+)\)/.exec(error.message)?.[1];
  if (number === undefined) return undefined;
  const named = windows
    ? undefined
    : Object.entries(constants.errno).find(([, value]) => value === Number(number));
  return named?.[0] ?? `os error ${number}`;
}

function ignore(action: () => void): void {
  try {
    action();
  } catch {
    // Tidying up after something that already failed, or that another process did first.
  }
}
