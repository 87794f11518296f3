// Who could have put a file where it lies. Every folder and link on the way to it is looked at, not only the last.
import { type BigIntStats, lstatSync, readlinkSync } from "node:fs";
import { dirname, isAbsolute, join, parse, sep } from "node:path";
import { Failure } from "../../engine/failure.ts";

const windows = process.platform === "win32";
const mostLinks = 40;

export interface Place {
  /** Links resolved. */
  readonly path: string;
  readonly stat: BigIntStats;
}

/**
 * undefined: there is no such file, wherever one looks for it. A folder or link on the way that others can change
 * is a failure only for a file that is there.
 */
export function trustedPlace(path: string): Place | Failure | undefined {
  const { root } = parse(path);
  const steps = path.slice(root.length).split(sep);
  let at = root;
  let stat = look(root);
  let links = 0;
  let doubt: Failure | undefined;
  for (;;) {
    const step = steps.shift();
    if (!stat) return undefined;
    doubt ??= distrust(at, stat);
    if (step === undefined) return doubt ?? { path: at, stat };
    if (step === "" || step === ".") continue;
    if (!stat.isDirectory()) return undefined;
    if (step === "..") {
      at = dirname(at);
      stat = look(at);
      continue;
    }
    const next = join(at, step);
    const found = look(next);
    if (!found) return undefined;
    if (!found.isSymbolicLink()) {
      at = next;
      stat = found;
      continue;
    }
    // A link's own mode says nothing; its owner and its folder do.
    doubt ??= distrustOwner(next, found);
    links += 1;
    const target = links > mostLinks ? undefined : targetOf(next);
    if (target === undefined) return undefined;
    if (isAbsolute(target)) {
      at = parse(target).root;
      stat = look(at);
    }
    steps.unshift(...(isAbsolute(target) ? target.slice(parse(target).root.length) : target).split(sep));
  }
}

function look(path: string): BigIntStats | undefined {
  try {
    return lstatSync(path, { bigint: true });
  } catch {
    return undefined;
  }
}

function targetOf(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}

function distrust(path: string, stat: BigIntStats): Failure | undefined {
  const foreign = distrustOwner(path, stat);
  if (foreign || windows || (stat.mode & 0o022n) === 0n) return foreign;
  // In such a folder (/tmp) others can add names, but change no one else's; what lies in it is looked at as well.
  if (stat.isDirectory() && stat.uid === 0n && (stat.mode & 0o1000n) !== 0n) return undefined;
  return untrusted(`others can write to ${path}`, `chmod go-w ${quoted(path)}`);
}

function distrustOwner(path: string, { uid }: BigIntStats): Failure | undefined {
  const self = windows ? undefined : process.geteuid?.();
  if (self === undefined || uid === 0n || uid === BigInt(self)) return undefined;
  return untrusted(
    `${path} belongs to another user (uid ${uid})`,
    "use a program that lies in folders of root or of the user that runs janee",
  );
}

export function untrusted(what: string, next: string): Failure {
  return new Failure("binary_untrusted", `the program is not trusted: ${what}`, { next });
}

/** So that the command can be pasted into a shell as it stands. */
export function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
