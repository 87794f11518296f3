// The first step on a fresh machine, on Node and npm alone: fetch the pinned Bun and Deno into
// .tools/, install the locked dependencies, then hand over to Bun.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { config } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const tools = join(root, ".tools");
const modules = join(tools, "node_modules");
const windows = process.platform === "win32";
const bun = join(modules, "bun", "bin", "bun.exe");
const deno = join(modules, "deno", windows ? "deno.exe" : "deno");

function printsVersion(binary, version) {
  const run = spawnSync(binary, ["--version"], { encoding: "utf8" });
  return run.status === 0 && run.stdout.includes(version);
}

function say(text) {
  process.stderr.write(`${text}\n`);
}

function fetchTools() {
  if (printsVersion(bun, config.bun) && printsVersion(deno, config.deno)) return;
  say(`fetching bun ${config.bun} and deno ${config.deno} into .tools/ (once)`);
  const args = ["install", "--no-save", "--no-package-lock", "--no-fund", "--no-audit", "--loglevel=error"];
  args.push("--prefix", tools, `bun@${config.bun}`, `deno@${config.deno}`);
  execFileSync("npm", args, { stdio: ["ignore", 2, 2], cwd: root, shell: windows });
  // npm may be set up to skip install scripts; both packages need theirs to put the binary in place.
  if (!printsVersion(bun, config.bun))
    execFileSync(process.execPath, ["install.js"], { cwd: join(modules, "bun") });
  if (!printsVersion(deno, config.deno))
    execFileSync(process.execPath, ["install.cjs"], { cwd: join(modules, "deno") });
}

function installDependencies() {
  const lock = join(root, "bun.lockb");
  const stamp = join(root, "node_modules", ".locked");
  const locked = `${statSync(lock).size}:${statSync(lock).mtimeMs}`;
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === locked) return;
  say("installing the locked dependencies");
  execFileSync(bun, ["install", "--frozen-lockfile", "--silent"], { stdio: ["ignore", 2, 2], cwd: root });
  writeFileSync(stamp, locked);
}

const [name, ...rest] = process.argv.slice(2);
const binary = { bun, deno }[name];
if (!binary) {
  say("usage: node scripts/tools.mjs <bun|deno> [arguments]");
  process.exit(2);
}
fetchTools();
installDependencies();
const env = { ...process.env, JANEE_DEV_BUN: bun, JANEE_DEV_DENO: deno };
const run = spawnSync(binary, rest, { stdio: "inherit", cwd: root, env });
process.exit(run.status ?? 1);
