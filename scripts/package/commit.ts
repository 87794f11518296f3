// Which commit is built, and when it was made: the only clock that a release knows.
import { execFileSync } from "node:child_process";
import { root } from "./project.ts";

function git(...words: string[]): string {
  try {
    return execFileSync("git", words, {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return "";
  }
}

export interface Commit {
  /** What the binary says; a changed tree says so. */
  readonly name: string;
  readonly changed: boolean;
  /** Seconds since 1970. */
  readonly time: number;
  readonly tags: readonly string[];
}

export function readCommit(): Commit {
  const short = git("rev-parse", "--short=12", "HEAD");
  const changed = git("status", "--porcelain", "--untracked-files=no") !== "";
  const time = Number(process.env.SOURCE_DATE_EPOCH || git("log", "-1", "--format=%ct") || "0");
  const tags = git("tag", "--points-at", "HEAD").split("\n");
  if (short === "") return { name: "unknown commit", changed: true, time, tags: [] };
  return { name: changed ? `${short}, changed` : short, changed, time, tags };
}
