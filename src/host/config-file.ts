// config.yaml on disk: read whole and private, known again by its stamp, and only ever replaced whole.
import { chmodSync, lstatSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../engine/failure.ts";
import { type ConfigDocument, readDocument } from "../engine/read-config.ts";
import { readPrivate, writeAtomic } from "./files.ts";

export const emptyConfig =
  "# janee keeps API keys away from AI agents. Try: janee add stripe\nservices: {}\ncapabilities: {}\n";

export interface FoundConfig {
  readonly document: ConfigDocument;
  /** Of the file before it was read: a later change of it cannot be missed. */
  readonly stamp: string;
}

export function configPath(home: string): string {
  return join(home, "config.yaml");
}

export function nothingHere(home: string): Failure {
  return new Failure("config_missing", `there is no config in ${home}`, {
    next: "make one with: janee init, or add a first service with: janee add <service>",
  });
}

/** undefined: there is no such file. `known`: what is not parsed again where the file says the same. */
export function readConfigFile(home: string, known?: ConfigDocument): FoundConfig | Failure | undefined {
  const path = configPath(home);
  const stamp = closeToOthers(path);
  const bytes = readPrivate(path);
  if (bytes === undefined || bytes instanceof Failure) return bytes;
  const text = bytes.toString("utf8");
  const document = known?.tree.text === text ? known : readDocument(text, path);
  return document instanceof Failure ? document : { document, stamp };
}

export function writeConfigFile(home: string, text: string): Failure | undefined {
  return writeAtomic(configPath(home), text);
}

/** A file made by hand has the mode of the user's umask; the home around it was private all along. */
function closeToOthers(path: string): string {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isFile() && (stat.mode & 0o077) !== 0 && stat.uid === process.getuid?.()) chmodSync(path, 0o600);
  return stampOf(path);
}

/** Tells one state of a file from another without reading it. */
export function stampOf(path: string): string {
  const stat: Stats | undefined = statSync(path, { throwIfNoEntry: false });
  return stat ? `${stat.ino}:${stat.size}:${stat.mtimeMs}:${stat.ctimeMs}` : "";
}

/** How long a file that is written in place, not replaced, is left alone before it is believed to be whole. */
const settlesWithinMs = 250;

/** A new file under the name is whole: janee and most editors replace it. The same file, just changed, may not be. */
export function isBeingWritten(path: string, lastStamp: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat || !lastStamp.startsWith(`${stat.ino}:`)) return false;
  return Math.abs(Date.now() - stat.mtimeMs) < settlesWithinMs;
}
