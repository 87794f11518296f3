// Every file of a release from one description: archives, packages, and what the channels need to find them.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { aur } from "./package/aur.ts";
import { container } from "./package/container.ts";
import { deb } from "./package/deb.ts";
import { homebrew } from "./package/homebrew.ts";
import { installers } from "./package/installers.ts";
import { Archives, type Artefact, type Ingredients, sha256, text } from "./package/made.ts";
import { mcpBundles, mcpServer } from "./package/mcp.ts";
import { nix } from "./package/nix.ts";
import { notes } from "./package/notes.ts";
import { npm } from "./package/npm.ts";
import { project, root } from "./package/project.ts";
import { rpm } from "./package/rpm.ts";
import { sbom } from "./package/sbom.ts";
import { scoop } from "./package/scoop.ts";

export const sumsFile = "SHASUMS256.txt";

/** As sha256sum prints them. */
export function sums(artefacts: readonly Artefact[]): string {
  const lines = artefacts.map(({ name, bytes }) => `${sha256(bytes)}  ${name}`);
  return `${lines.sort((one, other) => (one.slice(66) < other.slice(66) ? -1 : 1)).join("\n")}\n`;
}

/** `lock`: the lock file as Bun prints it. */
export async function packageAll(given: Ingredients, lock: string): Promise<readonly Artefact[]> {
  const archives = await Archives.from(given);
  const bundles = mcpBundles(given);
  const artefacts: readonly Artefact[] = [
    ...archives.all.map(({ name, bytes }) => ({ name, bytes })),
    ...(await deb(given)),
    ...(await rpm(given)),
    ...npm(given),
    ...bundles,
    mcpServer(bundles),
    homebrew(archives, given.extras),
    scoop(archives),
    ...aur(archives, given.extras),
    nix(archives, given.extras),
    container(archives, given.commit),
    ...installers(archives),
    text(`janee-${project.version}.cdx.json`, sbom(given.parts, lock, given.commit, given.time)),
    notes(readFileSync(join(root, "CHANGELOG.md"), "utf8"), given.commit),
  ];
  return [...artefacts, text(sumsFile, sums(artefacts))];
}

/** The folder then holds these and nothing else. */
export function writeAll(artefacts: readonly Artefact[], folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  for (const { name, bytes } of artefacts) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes, { mode: name.endsWith(".sh") ? 0o755 : 0o644 });
  }
}
