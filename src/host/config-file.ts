// config.yaml on disk: read whole and private, known again by its stamp, and only ever replaced whole.
import { chmodSync, lstatSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../engine/failure.ts";
import { type ConfigDocument, readDocument } from "../engine/read-config.ts";
import { readPrivate, writeAtomic } from "./files.ts";

/** What `janee init` writes: a file that says how it is filled, by commands or by hand. */
export const emptyConfig = `# janee keeps API keys away from AI agents. This file says which keys there are, and what agents may do with them.
# The usual way to fill it is: janee add <service>. It can be edited by hand as well; a running janee picks a change up
# once the whole file is right: janee config check. All keys: janee config schema.
#
# services: where a key is used, and how it goes on a request. A key that is typed here is sealed in place by the next
# command; better is janee add, or a reference: env:NAME, file:/path or cmd:program with its arguments.
#
#   services:
#     stripe:
#       baseUrl: https://api.stripe.com
#       auth: { type: bearer, key: env:STRIPE_KEY }
#
# capabilities: what an agent may do with one service. Rules are tried from the top, and the first that matches decides;
# with rules, what none of them allows is denied. ask: a person confirms that one request. Without autoApprove a person
# confirms each session. To see what would be decided: janee why stripe-readonly GET /v1/balance
#
#   capabilities:
#     stripe-readonly:
#       service: stripe
#       ttl: 1h                     # how long a session lasts
#       autoApprove: true           # sessions need no person's yes
#       rules:
#         - allow: GET /v1/*
#         - ask: POST /v1/refunds
#         - deny: "*"
services: {}
capabilities: {}
`;

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
