// The policy: from where a pull request cannot change it, or with the digest that the workflow names.
import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, readFileSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { sha256 } from "./binary.mjs";
import { bareEnvironment, bytesOf, input, notice, Problem } from "./runner.mjs";

const largest = 1024 * 1024;

export function policy() {
  const path = input("config");
  const workspace = process.env.GITHUB_WORKSPACE ?? process.cwd();
  const digest = input("config-sha256").toLowerCase();
  if (digest !== "") return withDigest(isAbsolute(path) ? path : join(workspace, path), digest);
  if (isAbsolute(path) || path === "" || path.split(/[\\/]/).includes("..")) {
    throw new Problem("config: expected a path in the repository, or config-sha256 with any other");
  }
  const { commit, isBase } = trusted();
  const git = (...args) =>
    execFileSync("git", args, {
      ...{ cwd: workspace, env: bareEnvironment(), maxBuffer: largest },
      stdio: ["ignore", "pipe", "pipe"],
    });
  ensure(git, commit);
  const bytes = at(git, commit, path, isBase);
  const file = join(workspace, path);
  if (isBase && !isSame(file, bytes)) {
    notice(`${path} differs in this pull request: the one of its base is in force`);
  }
  return bytes;
}

/** A pull request may have put anything there, a link to a device too. */
function isSame(file, bytes) {
  const stat = lstatSync(file, { throwIfNoEntry: false });
  return Boolean(stat?.isFile() && stat.size === bytes.length && readFileSync(file).equals(bytes));
}

function withDigest(path, digest) {
  const bytes = bytesOf("config", path, largest);
  const found = sha256(bytes);
  if (found === digest) return bytes;
  throw new Problem(`config-sha256: ${path} has ${found}, and not ${digest}: it is not used`);
}

/** Of these the commit that runs is the one to be tried out, whoever wrote it. */
const foreign = /^(?:pull_request|merge_group|deployment)/;

/** By its id: a commit cannot be other than what its id says, whatever an earlier step did to branches or files. */
function trusted() {
  const path = process.env.GITHUB_EVENT_PATH;
  const event = path && existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {};
  const base = event.pull_request?.base?.sha ?? event.merge_group?.base_sha;
  const name = process.env.GITHUB_EVENT_NAME ?? "";
  const isForeign = process.env.GITHUB_BASE_REF || name === "" || foreign.test(name);
  const commit = base ?? (isForeign ? "" : process.env.GITHUB_SHA);
  if (/^[0-9a-f]{40,64}$/.test(commit ?? "")) return { commit, isBase: base !== undefined };
  throw new Problem("config: this event names no commit to take it from: give config-sha256");
}

/** A checkout of depth 1 has only the commit that runs. */
function ensure(git, commit) {
  try {
    git("cat-file", "-e", `${commit}^{commit}`);
  } catch {
    try {
      git("fetch", "--no-tags", "--depth=1", "origin", commit);
    } catch {
      throw new Problem(
        `config: commit ${commit} cannot be fetched: run actions/checkout before, or give config-sha256`,
      );
    }
  }
}

function at(git, commit, path, isBase) {
  try {
    return git("cat-file", "blob", `${commit}:${path.replaceAll("\\", "/").replace(/^\.\//, "")}`);
  } catch {
    const where = isBase ? "the base of this pull request" : "the commit that runs";
    throw new Problem(`config: ${path} is not in ${where} (${commit})`);
  }
}
