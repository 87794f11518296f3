// install.sh and install.ps1: one version, with the digests of its archives in them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Archive, type Archives, type Artefact, text } from "./made.ts";
import { project, root } from "./project.ts";

function filled(name: string, digests: readonly string[]): Artefact {
  const values: Readonly<Record<string, string>> = {
    VERSION: project.version,
    DOWNLOADS: project.downloads,
    DIGESTS: digests.join("\n"),
  };
  const template = readFileSync(join(root, "scripts", "package", name), "utf8");
  return text(
    name,
    template.replace(/@([A-Z]+)@/g, (whole, key: string) => values[key] ?? whole),
  );
}

export function installers(archives: Archives): readonly Artefact[] {
  const isWindows = ({ target }: Archive): boolean => target.os === "windows";
  const sh = archives.all
    .filter((one) => !isWindows(one))
    .map(({ target, ending, sha256 }) => `  ${target.name}${ending}) printf '%s' ${sha256} ;;`);
  const powershell = archives.all
    .filter(isWindows)
    .map(({ target, sha256 }) => `        '${target.name}' = '${sha256}'`);
  return [filled("install.sh", sh), filled("install.ps1", powershell)];
}
