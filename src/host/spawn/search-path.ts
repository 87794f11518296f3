// The fixed list of folders in which commands are looked up, and the one that a child gets as its PATH.
import { realpathSync } from "node:fs";
import { delimiter, isAbsolute, relative, resolve } from "node:path";
import { Failure } from "../../engine/failure.ts";
import { trustedPlace } from "./trust.ts";

const always: Readonly<Record<string, readonly string[]>> = {
  win32: [],
  darwin: ["/opt/homebrew/bin", "/usr/local/bin", "/usr/bin", "/bin"],
};

/** Only whole paths: an empty one and "." are wherever an agent asks to be. */
export function searchPath(path: string | undefined): readonly string[] {
  const own = (path ?? "").split(delimiter).filter((entry) => isAbsolute(entry));
  const added = always[process.platform] ?? ["/usr/local/bin", "/usr/bin", "/bin"];
  return [...new Set([...own, ...added].map((entry) => resolve(entry)))];
}

/** What a program starts by name itself is looked up here: no folder that others or the child can write to. */
export function childPath(entries: readonly string[], outside: readonly string[]): string {
  return entries
    .filter((entry) => {
      if (entry.includes(delimiter) || isInside(entry, outside)) return false;
      const place = trustedPlace(entry);
      return place !== undefined && !(place instanceof Failure) && place.stat.isDirectory();
    })
    .join(delimiter);
}

/** Links resolved on both sides. */
export function isInside(path: string, folders: readonly string[]): boolean {
  const paths = [path, real(path)];
  return folders.some((folder) =>
    [folder, real(folder)].some((one) => paths.some((path) => contains(one, path))),
  );
}

export function contains(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === "" || !(way === ".." || /^\.\.[\\/]/.test(way) || isAbsolute(way));
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}
