// What every package says about the project, from package.json alone: change the repository there and nowhere else.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly repository: { readonly url: string };
  readonly config: { readonly bun: string };
  readonly dependencies: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest;
const place = /^git\+https:\/\/github\.com\/([\w.-]+)\/([\w.-]+)\.git$/.exec(manifest.repository.url);
if (!place) throw new Error("package.json: expected repository.url git+https://github.com/OWNER/NAME.git");
const [, owner = "", repository = ""] = place;

const home = `https://github.com/${owner}/${repository}`;
const { name, version, description, license } = manifest;

export const project = {
  ...{ name, version, description, license, owner, repository, home },
  /** The place is named in package.json before the first release; until then nothing can be released. */
  hasPlace: owner !== "OWNER",
  tag: `v${version}`,
  maintainer: { name: "the janee maintainers", email: `${owner.toLowerCase()}@users.noreply.github.com` },
  /** Where the files of this release are. */
  downloads: `${home}/releases/download/v${version}`,
  npm: `@${owner.toLowerCase()}/${name}`,
  /** The registry takes the owner as GitHub spells it. */
  mcpName: `io.github.${owner}/${name}`,
  bun: manifest.config.bun,
  dependencies: Object.keys(manifest.dependencies),
} as const;

/** One sentence without its end, for formats that want a short summary. */
export const summary: string = description.split(":")[0] ?? description;
