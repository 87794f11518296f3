// Where a command may run: a folder inside the working directory, whatever links lead there.
import { realpathSync, statSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { Failure } from "../../engine/failure.ts";
import { contains } from "./search-path.ts";

export function folderIn(workDir: string, cwd: string | undefined, person: string): string | Failure {
  const wanted =
    workDir === "~" ? person : /^~[\\/]/.test(workDir) ? join(person, workDir.slice(2)) : workDir;
  const root = isAbsolute(wanted) ? realFolder(wanted) : undefined;
  if (root === undefined)
    return denied(
      `the working directory ${workDir} is not there, or is no folder`,
      "a person can make it, or name another in the config: workDir",
    );
  if (cwd === undefined) return root;
  // One refusal for what is outside and for what is not there: nothing outside can be asked about.
  const folder = cwd.includes("\0") ? undefined : realFolder(resolve(root, cwd));
  if (folder !== undefined && contains(root, folder)) return folder;
  return denied(
    "cwd is not a folder inside the working directory",
    "leave cwd out, or name a folder inside it",
  );
}

export function realFolder(path: string): string | undefined {
  try {
    const real = realpathSync(path);
    return statSync(real).isDirectory() ? real : undefined;
  } catch {
    return undefined;
  }
}

function denied(what: string, next: string): Failure {
  return new Failure("cwd_denied", what, { next });
}
