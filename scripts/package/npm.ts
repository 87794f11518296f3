// The npm packages: a launcher, and one package a platform of which npm installs the one that fits. No script runs.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Artefact, executable, type Ingredients } from "./made.ts";
import { licencesText } from "./parts.ts";
import { project, root } from "./project.ts";
import { type Entry, file, gzip, tar } from "./tar.ts";
import { anyProcessor, executableName, type Target, targetNamed } from "./targets.ts";

interface Platform {
  /** As the launcher computes it: process.platform, process.arch, and musl where it is. */
  readonly name: string;
  readonly target: Target;
}

const platforms: readonly Platform[] = [
  { name: "linux-x64", target: anyProcessor("linux", "x64") },
  { name: "linux-arm64", target: targetNamed("linux-arm64") },
  { name: "linux-x64-musl", target: targetNamed("linux-x64-musl") },
  { name: "linux-arm64-musl", target: targetNamed("linux-arm64-musl") },
  { name: "darwin-x64", target: targetNamed("darwin-x64") },
  { name: "darwin-arm64", target: targetNamed("darwin-arm64") },
  { name: "win32-x64", target: targetNamed("windows-x64") },
  { name: "win32-arm64", target: targetNamed("windows-arm64") },
];

const packageName = (platform: string): string => `${project.npm.replace(/[^/]+$/, "janee")}-${platform}`;

const about = {
  version: project.version,
  license: project.license,
  homepage: project.home,
  repository: { type: "git", url: `git+${project.home}.git` },
};

function packed(name: string, given: Ingredients, manifest: object, entries: readonly Entry[]): Artefact {
  const files = [
    file("package.json", `${JSON.stringify({ name, ...about, ...manifest }, undefined, 2)}\n`),
    file("LICENSE", given.license),
    ...entries,
  ].map((entry) => ({ ...entry, path: `package/${entry.path}` }));
  const bytes = gzip(tar(files, given.time), given.level);
  return { name: `npm/${name.replace("@", "").replace("/", "-")}-${project.version}.tgz`, bytes };
}

function platformPackage({ name, target }: Platform, given: Ingredients): Artefact {
  const os = target.os === "windows" ? "win32" : target.os;
  const libc = target.os === "linux" ? { libc: [target.variant === "musl" ? "musl" : "glibc"] } : {};
  const manifest = {
    description: `janee for ${name}; install ${project.npm} instead`,
    ...{ os: [os], cpu: [target.arch], ...libc },
    preferUnplugged: true,
  };
  return packed(packageName(name), given, manifest, [
    executable(given, target, executableName(target)),
    file("THIRD-PARTY-LICENSES.txt", licencesText(given.parts)),
  ]);
}

export function npm(given: Ingredients): readonly Artefact[] {
  const launcher = readFileSync(join(root, "scripts/package/npm-launcher.cjs"));
  const manifest = {
    description: project.description,
    mcpName: project.mcpName,
    bin: { janee: "janee.cjs" },
    engines: { node: ">=20" },
    optionalDependencies: Object.fromEntries(
      platforms.map(({ name }) => [packageName(name), project.version]),
    ),
  };
  return [
    packed(project.npm, given, manifest, [
      file("janee.cjs", launcher, 0o755),
      file("README.md", given.readme),
    ]),
    ...platforms.map((platform) => platformPackage(platform, given)),
  ];
}
