// Builds the executables: the host's by default, all targets and their checksums with --all.
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { readCommit } from "./package/commit.ts";
import { signAdHoc } from "./package/mach-o.ts";
import { type Part, partsOf } from "./package/parts.ts";
import { project, root } from "./package/project.ts";
import { executableName, type Target, targets } from "./package/targets.ts";

const dist = join(root, "dist");
const entry = join(root, "src", "main.ts");
const { name: commit, time: made } = readCommit();

const bundling = {
  entrypoints: [entry],
  minify: true,
  splitting: true,
  format: "esm",
  target: "bun",
} satisfies Bun.BuildConfig;

async function built(options: Bun.BuildConfig, what: string): Promise<Bun.BuildOutput> {
  const result = await Bun.build(options);
  if (!result.success) throw new AggregateError(result.logs, `the build of ${what} failed`);
  return result;
}

/** The parts of the binary, known only once it was bundled; their licences then go into it. */
export async function partsOfBinary(): Promise<readonly Part[]> {
  const { metafile } = await built({ ...bundling, metafile: true }, "the bundle");
  return partsOf(Object.keys(metafile?.inputs ?? {}));
}

export async function compile(
  outfile: string,
  parts: readonly Part[],
  target: Target | undefined,
): Promise<void> {
  const define = {
    JANEE_VERSION: project.version,
    JANEE_COMMIT: commit,
    JANEE_MADE: made,
    JANEE_LICENSES: parts,
  };
  await built(
    {
      ...bundling,
      bytecode: true,
      define: Object.fromEntries(
        Object.entries(define).map(([name, value]) => [name, JSON.stringify(value)]),
      ),
      compile: {
        ...(target ? { target: `bun-${target.name}` as Bun.Build.CompileTarget } : {}),
        outfile,
        // An agent that can write into the working directory must not be able to run code inside janee.
        autoloadBunfig: false,
        autoloadDotenv: false,
        autoloadTsconfig: false,
        autoloadPackageJson: false,
      },
    },
    basename(outfile),
  );
  if (target?.name === "darwin-x64") writeFileSync(outfile, signAdHoc(readFileSync(outfile), project.name));
  if (target?.os !== "windows") chmodSync(outfile, 0o755);
}

function megabytes(path: string): string {
  return `${(statSync(path).size / 1e6).toFixed(1)} MB`;
}

/** Every target's executable, in a folder of its own under dist/binaries. */
export async function compileAll(parts: readonly Part[]): Promise<ReadonlyMap<string, string>> {
  const folder = join(dist, "binaries");
  rmSync(folder, { recursive: true, force: true });
  const made = new Map<string, string>();
  const sums: string[] = [];
  for (const target of targets) {
    const path = join(folder, target.name, executableName(target));
    mkdirSync(join(folder, target.name), { recursive: true });
    await compile(path, parts, target);
    const digest = createHash("sha256").update(readFileSync(path)).digest("hex");
    sums.push(`${digest}  ${target.name}/${executableName(target)}`);
    made.set(target.name, path);
    console.error(`[${made.size}/${targets.length}] ${target.name} ${megabytes(path)}`);
  }
  writeFileSync(join(folder, "SHASUMS256.txt"), `${sums.join("\n")}\n`);
  return made;
}

export async function compileHost(parts: readonly Part[]): Promise<string> {
  mkdirSync(dist, { recursive: true });
  const host = join(dist, process.platform === "win32" ? "janee.exe" : "janee");
  await compile(host, parts, undefined);
  console.error(`dist/${basename(host)} ${megabytes(host)}, ${project.name} ${project.version} (${commit})`);
  return host;
}

if (import.meta.main) {
  const parts = await partsOfBinary();
  await compileHost(parts);
  if (process.argv.includes("--all")) {
    await compileAll(parts);
    console.error(`checksums in ${join("dist", "binaries", "SHASUMS256.txt")}`);
  }
}
