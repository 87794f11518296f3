// Builds the executables: the host's by default, all targets and their checksums with --all.
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

const root = join(import.meta.dir, "..");
const dist = join(root, "dist");

const targets: readonly Bun.Build.CompileTarget[] = [
  ...(["bun-linux-x64", "bun-linux-x64-baseline", "bun-linux-arm64"] as const),
  ...(["bun-linux-x64-musl", "bun-linux-arm64-musl"] as const),
  ...(["bun-darwin-x64", "bun-darwin-arm64"] as const),
  ...(["bun-windows-x64", "bun-windows-arm64"] as const),
];

/** The commit that the binary says it is; a changed tree says so. */
function commitOf(tree: string): string {
  const git = (...words: string[]): string => {
    const run = Bun.spawnSync(["git", ...words], { cwd: tree, stdout: "pipe", stderr: "ignore" });
    return run.success ? run.stdout.toString().trim() : "";
  };
  const commit = git("rev-parse", "--short=12", "HEAD");
  if (commit === "") return "unknown commit";
  return git("status", "--porcelain", "--untracked-files=no") === "" ? commit : `${commit}, changed`;
}

const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
const commit = commitOf(root);

async function compile(outfile: string, target: Bun.Build.CompileTarget | undefined): Promise<void> {
  const result = await Bun.build({
    entrypoints: [join(root, "src", "main.ts")],
    minify: true,
    bytecode: true,
    splitting: true,
    format: "esm",
    target: "bun",
    define: { JANEE_VERSION: JSON.stringify(version), JANEE_COMMIT: JSON.stringify(commit) },
    compile: {
      ...(target ? { target } : {}),
      outfile,
      // An agent that can write into the working directory must not be able to run code inside janee.
      autoloadBunfig: false,
      autoloadDotenv: false,
      autoloadTsconfig: false,
      autoloadPackageJson: false,
    },
  });
  if (!result.success) throw new AggregateError(result.logs, `the build of ${basename(outfile)} failed`);
}

function megabytes(path: string): string {
  return `${(statSync(path).size / 1e6).toFixed(1)} MB`;
}

async function compileAll(): Promise<void> {
  const folder = join(dist, "release");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const sums: string[] = [];
  for (const [index, target] of targets.entries()) {
    const windows = target.includes("windows");
    const name = `janee-${target.replace(/^bun-/, "")}${windows ? ".exe" : ""}`;
    const path = join(folder, name);
    await compile(path, target);
    if (!windows) chmodSync(path, 0o755);
    sums.push(`${createHash("sha256").update(readFileSync(path)).digest("hex")}  ${name}`);
    console.error(`[${index + 1}/${targets.length}] ${name} ${megabytes(path)}`);
  }
  writeFileSync(join(folder, "SHASUMS256.txt"), `${sums.join("\n")}\n`);
  console.error(`checksums in ${join("dist", "release", "SHASUMS256.txt")}`);
}

mkdirSync(dist, { recursive: true });
const host = join(dist, process.platform === "win32" ? "janee.exe" : "janee");
await compile(host, undefined);
console.error(`dist/${basename(host)} ${megabytes(host)}, janee ${version} (${commit})`);
if (process.argv.includes("--all")) await compileAll();
