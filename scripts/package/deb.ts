// Debian packages: an ar archive of a version, what is said about the package, and its files.
import { createHash } from "node:crypto";
import type { Artefact, Ingredients } from "./made.ts";
import { project, summary } from "./project.ts";
import { systemFiles } from "./system-files.ts";
import { type Entry, file, gzip, tar, withFolders } from "./tar.ts";
import { anyProcessor } from "./targets.ts";
import { xz } from "./xz.ts";

function ar(members: readonly (readonly [name: string, bytes: Uint8Array])[], time: number): Buffer {
  const pieces = members.flatMap(([name, bytes]) => {
    const head = [name.padEnd(16), `${time}`.padEnd(12), "0".padEnd(6), "0".padEnd(6), "100644".padEnd(8)];
    const line = `${head.join("")}${`${bytes.length}`.padEnd(10)}\`\n`;
    return [Buffer.from(line, "latin1"), bytes, Buffer.from(bytes.length % 2 === 1 ? "\n" : "", "latin1")];
  });
  return Buffer.concat([Buffer.from("!<arch>\n", "latin1"), ...pieces]);
}

function control(arch: string, files: readonly Entry[]): string {
  const kilobytes = files.reduce((sum, { bytes }) => sum + Math.ceil(bytes.length / 1024), 0);
  return `Package: janee
Version: ${project.version}
Section: utils
Priority: optional
Architecture: ${arch}
Depends: libc6 (>= 2.17)
Maintainer: ${project.maintainer.name} <${project.maintainer.email}>
Installed-Size: ${kilobytes}
Homepage: ${project.home}
Description: ${summary}
 An agent says what it wants done; janee checks it against a policy and a live
 session, puts the real key on the request, sends it, scrubs the answer, and
 writes it down.
`;
}

function fromHere(entries: readonly Entry[]): readonly Entry[] {
  return withFolders(entries.map((entry) => ({ ...entry, path: `./${entry.path}` })));
}

async function debOf(given: Ingredients, arch: "amd64" | "arm64"): Promise<Artefact> {
  const target = anyProcessor("linux", arch === "amd64" ? "x64" : "arm64");
  const doc = "usr/share/doc/janee";
  const files = systemFiles(given, target, {
    licence: `${doc}/copyright`,
    licences: `${doc}/THIRD-PARTY-LICENSES.txt`,
    zsh: "usr/share/zsh/vendor-completions",
  });
  const digest = (bytes: Uint8Array): string => createHash("md5").update(bytes).digest("hex");
  const about = [
    file("control", control(arch, files)),
    file("md5sums", files.map(({ path, bytes }) => `${digest(bytes)}  ${path}\n`).join("")),
  ];
  const bytes = ar(
    [
      ["debian-binary", Buffer.from("2.0\n", "latin1")],
      ["control.tar.gz", gzip(tar(fromHere(about), given.time), given.level)],
      ["data.tar.xz", await xz(tar(fromHere(files), given.time), given.preset(target))],
    ],
    given.time,
  );
  return { name: `janee_${project.version}_${arch}.deb`, bytes };
}

export function deb(given: Ingredients): Promise<readonly Artefact[]> {
  return Promise.all([debOf(given, "amd64"), debOf(given, "arm64")]);
}
