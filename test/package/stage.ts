// A small release: stand-ins for the executables, except where a test wants the real one.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Ingredients } from "../../scripts/package/made.ts";
import { partsOf } from "../../scripts/package/parts.ts";
import { project } from "../../scripts/package/project.ts";
import { type Target, targetNamed, targets } from "../../scripts/package/targets.ts";
import { onDeno, root } from "../support/janee.ts";

export const windows = process.platform === "win32";

/** What the executable for this machine is called among the targets. */
export const here: Target = targetNamed(
  `${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`,
);

export function realBinary(): Buffer {
  const path = join(root, "dist", windows ? "janee.exe" : "janee");
  if (!existsSync(path)) throw new Error(`${path} is not there: npm run build makes it`);
  return readFileSync(path);
}

/** Says its version, ends as it is told, or by the signal that it is told, or waits for one. */
export function standIn(version: string, mark: string): Buffer {
  return Buffer.from(
    [
      "#!/bin/sh",
      `# ${mark}`,
      'case "$1" in',
      `--version) echo 'janee ${version} (${mark})' ;;`,
      'end) exit "$2" ;;',
      'die) kill -s "$2" $$; sleep 5 ;;',
      "say) shift; printf '%s|' \"$@\" ;;",
      "echo) cat ;;",
      'catch) trap "echo caught; exit 7" "$2"; echo ready; i=0; while [ $i -lt 200 ]; do sleep 0.1; i=$((i + 1)); done ;;',
      "esac",
      "",
    ].join("\n"),
  );
}

export function ingredients(
  more: Partial<Ingredients> & { readonly real?: readonly string[] } = {},
): Ingredients {
  const { real = [], ...rest } = more;
  const executable = ({ name }: Target): Buffer =>
    real.includes(name) ? realBinary() : standIn(project.version, name);
  return {
    binaries: new Map(targets.map((target) => [target.name, executable(target)])),
    parts: partsOf(project.dependencies.map((name) => `node_modules/${name}/index.js`)),
    extras: [],
    license: readFileSync(join(root, "LICENSE"), "utf8"),
    readme: "# janee\n",
    commit: "0123456789ab",
    time: 1_767_225_600,
    level: 1,
    preset: () => 0,
    ...rest,
  };
}

/** Bun, on whatever this test runs. */
export function bun(): string {
  const own = join(root, ".tools", "node_modules", "bun", "bin", "bun.exe");
  return process.env.JANEE_DEV_BUN ?? (onDeno ? own : process.execPath);
}

export function lock(): string {
  return execFileSync(bun(), [join(root, "bun.lockb")], { cwd: root, encoding: "utf8" });
}

export async function inFolder<T>(work: (folder: string) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "janee-package-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Where a tool is on this machine, if it is. */
export function tool(name: string): string | undefined {
  const places = (process.env.PATH ?? "").split(windows ? ";" : ":");
  const found = places
    .map((place) => join(place, windows ? `${name}.exe` : name))
    .find((path) => existsSync(path));
  return found;
}
