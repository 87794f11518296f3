// The Scoop manifest.
import { type Archive, type Archives, type Artefact, text } from "./made.ts";
import { project, summary } from "./project.ts";
import { targetNamed } from "./targets.ts";

export function scoop(archives: Archives): Artefact {
  const windows = { "64bit": "windows-x64", arm64: "windows-arm64" } as const;
  const each = <T>(make: (archive: Archive) => T): Record<string, T> =>
    Object.fromEntries(
      Object.entries(windows).map(([arch, name]) => [arch, make(archives.of(targetNamed(name)))]),
    );
  const anyVersion = (name: string): string => name.replaceAll(project.version, "$version");
  const manifest = {
    version: project.version,
    description: summary,
    homepage: project.home,
    license: project.license,
    architecture: each(({ url, sha256, folder }) => ({ url, hash: sha256, extract_dir: folder })),
    bin: "janee.exe",
    checkver: { github: project.home },
    autoupdate: {
      architecture: each(({ url, folder }) => ({ url: anyVersion(url), extract_dir: anyVersion(folder) })),
      hash: { url: "$baseurl/SHASUMS256.txt" },
    },
  };
  return text("janee.json", `${JSON.stringify(manifest, undefined, 4)}\n`);
}
