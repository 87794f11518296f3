// Format, lint, types on both runtimes, directions of imports, workflows.
import { join } from "node:path";

const root = join(import.meta.dir, "..");
const bin = join(root, "node_modules", ".bin");
const deno = process.env.JANEE_DEV_DENO ?? "deno";

const steps: readonly (readonly [name: string, command: readonly string[]])[] = [
  ["format and lint", [join(bin, "biome"), "ci", "."]],
  ["types for Bun", [join(bin, "tsc"), "-p", "."]],
  ["types for Deno", [deno, "check", "src/main.ts", "test"]],
  ["directions of imports", [process.execPath, "test", "./test/imports.test.ts"]],
  ["workflows", [process.execPath, "scripts/workflows.ts"]],
];

let failed = 0;
for (const [name, command] of steps) {
  const run = Bun.spawnSync([...command], { cwd: root, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  console.log(`${run.success ? "ok  " : "FAIL"}  ${name}`);
  if (run.success) continue;
  failed += 1;
  process.stderr.write(run.stdout);
  process.stderr.write(run.stderr);
}
process.exit(failed === 0 ? 0 : 1);
