// What a release is made from, and the archives that every channel points at.
import { createHash } from "node:crypto";
import type { Extra } from "./extras.ts";
import { licencesText, type Part } from "./parts.ts";
import { project } from "./project.ts";
import { type Entry, file, gzip, tar } from "./tar.ts";
import { executableName, type Target, targets } from "./targets.ts";
import { xz } from "./xz.ts";
import { zip } from "./zip.ts";

export interface Ingredients {
  /** The executable of each target, by the target's name. */
  readonly binaries: ReadonlyMap<string, Uint8Array>;
  readonly parts: readonly Part[];
  readonly extras: readonly Extra[];
  readonly license: string;
  readonly readme: string;
  readonly commit: string;
  /** Seconds since 1970: when the commit was made. */
  readonly time: number;
  /** Of gzip and deflate. */
  readonly level: number;
  /** Of xz: see presetFor. */
  readonly preset: (target: Target) => number;
}

export interface Artefact {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface Archive extends Artefact {
  readonly target: Target;
  readonly ending: ".tar.xz" | ".tar.gz" | ".zip";
  /** The one folder in it. */
  readonly folder: string;
  readonly sha256: string;
  readonly url: string;
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export function text(name: string, content: string): Artefact {
  return { name, bytes: Buffer.from(content, "utf8") };
}

/** The executable as a file of a package. */
export function executable(given: Ingredients, target: Target, path: string): Entry {
  const bytes = given.binaries.get(target.name);
  if (!bytes) throw new Error(`there is no binary for ${target.name}`);
  return file(path, bytes, 0o755);
}

function inArchive(given: Ingredients, target: Target, folder: string): readonly Entry[] {
  return [
    executable(given, target, executableName(target)),
    file("LICENSE", given.license),
    file("THIRD-PARTY-LICENSES.txt", licencesText(given.parts)),
    file("README.md", given.readme),
    ...given.extras.map(({ path, text: content }) => file(path, content)),
  ].map((entry) => ({ ...entry, path: `${folder}/${entry.path}` }));
}

/** The smallest first: that is the one which channels point at. */
async function archivesOf(given: Ingredients, target: Target): Promise<readonly Archive[]> {
  const folder = `${project.name}-${project.version}-${target.name}`;
  const entries = inArchive(given, target, folder);
  const made = (ending: Archive["ending"], bytes: Uint8Array): Archive => {
    const name = `${folder}${ending}`;
    const url = `${project.downloads}/${name}`;
    return { target, ending, folder, name, bytes, sha256: sha256(bytes), url };
  };
  if (target.os === "windows") return [made(".zip", zip(entries, given.time, given.level))];
  const whole = tar(entries, given.time);
  const small = xz(whole, given.preset(target));
  return [made(".tar.xz", await small), made(".tar.gz", gzip(whole, given.level))];
}

export class Archives {
  readonly all: readonly Archive[];

  private constructor(all: readonly Archive[]) {
    this.all = all;
  }

  static async from(given: Ingredients): Promise<Archives> {
    const each = await Promise.all(targets.map((target) => archivesOf(given, target)));
    return new Archives(each.flat());
  }

  of(target: Target, ending?: Archive["ending"]): Archive {
    const found = this.all.find(
      (one) => one.target === target && (ending === undefined || one.ending === ending),
    );
    if (!found) throw new Error(`there is no archive for ${target.name}`);
    return found;
  }
}
