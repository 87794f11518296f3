// The packages whose code is in the binary, as the bundler saw them, with the licence that each one carries.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { project, root } from "./project.ts";

export interface Part {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly text: string;
}

const ofPackage = /(?:^|[\\/])node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/;

function licenceText(name: string, folder: string): string {
  const found = readdirSync(folder).filter((one) => /^(licen[cs]e|copying|notice)/i.test(one));
  if (found.length === 0) throw new Error(`${name} is in the binary and has no licence text`);
  const texts = found.sort().map((one) => readFileSync(join(folder, one), "utf8"));
  return texts.map((text) => text.replaceAll("\r\n", "\n").trim()).join("\n\n");
}

/** Bun is in each executable; the list of what is linked into it comes with the types of the same version. */
function bunItself(): Part {
  const folder = join(root, "node_modules", "bun-types");
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Part;
  if (version !== project.bun) throw new Error(`expected bun-types ${project.bun}, found ${version}`);
  const page = readFileSync(join(folder, "docs", "project", "license.mdx"), "utf8");
  const source = `The source of this version: https://github.com/oven-sh/bun/tree/bun-v${version}`;
  const text = `${page.replace(/^---\n.*?\n---\n/s, "").trim()}\n\n${source}`;
  return { name: "bun", version, license: "MIT AND LGPL-2.0-or-later", text };
}

/** `inputs`: the files that were bundled. */
export function partsOf(inputs: readonly string[]): readonly Part[] {
  const names = new Set(inputs.flatMap((input) => ofPackage.exec(input)?.[1]?.replaceAll("\\", "/") ?? []));
  if (names.size === 0) throw new Error("the bundler named no package");
  const packages = [...names].sort().map((name) => {
    const folder = join(root, "node_modules", name);
    const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Part;
    return { name, version, license, text: licenceText(name, folder) };
  });
  const { name, version, license } = project;
  const own = { name, version, license, text: readFileSync(join(root, "LICENSE"), "utf8").trim() };
  return [own, bunItself(), ...packages];
}

export function licencesText(parts: readonly Part[]): string {
  const line = "-".repeat(78);
  return parts
    .map(
      ({ name, version, license, text }) => `${line}\n${name} ${version}: ${license}\n${line}\n\n${text}\n`,
    )
    .join("\n");
}
