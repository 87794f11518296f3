// The folder of one `janee run`: what its child reads. A lock tells whether its janee still lives, however it died.
import { existsSync, lstatSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { Failure } from "../../engine/failure.ts";
import { broken, ensureHome } from "../files.ts";
import { withLock } from "../lock.ts";

const youngMs = 5_000;
const own = new Set<string>();

function runsPath(home: string): string {
  return join(home, "runs");
}

/** Works in a folder of its own; when this process dies, the lock goes with it and the next one clears up. */
export async function inRunFolder<T>(
  home: string,
  id: string,
  work: (folder: string) => Promise<T>,
): Promise<T | Failure> {
  const folder = join(runsPath(home), id);
  const refused = ensureHome(runsPath(home)) ?? ensureHome(folder);
  if (refused) return refused;
  own.add(id);
  const done = await withLock(join(folder, "lock.db"), () => work(folder));
  rmSync(folder, { recursive: true, force: true });
  return done;
}

/** Runs whose janee is gone: their folders are removed, and their ids told. */
export async function clearDeadRuns(home: string): Promise<readonly string[]> {
  const dead = await deadRuns(home);
  for (const id of dead) rmSync(join(runsPath(home), id), { recursive: true, force: true });
  return dead;
}

/** The ids of runs whose janee is gone. */
export async function deadRuns(home: string): Promise<readonly string[]> {
  const runs = runsPath(home);
  if (!existsSync(runs)) return [];
  const dead: string[] = [];
  for (const id of readdirSync(runs)) {
    if (own.has(id)) continue;
    const folder = join(runs, id);
    // One that has just been made may not have its lock yet.
    const made = lstatSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (Date.now() - made < youngMs) continue;
    const free = await withLock(join(folder, "lock.db"), () => true, 0);
    if (!(free instanceof Failure)) dead.push(id);
  }
  return dead;
}

const systemBundles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/cert.pem",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
];

export interface RunFiles {
  readonly bundle: string;
  readonly authority: string;
  readonly wgetrc: string;
  readonly node: string;
}

/** What clients are to trust: what they trusted before, and the local authority. */
export function writeRunFiles(
  folder: string,
  parent: Readonly<Record<string, string | undefined>>,
  authority: string,
  nodeProxy: string,
): RunFiles | Failure {
  const files: RunFiles = {
    bundle: join(folder, "ca-bundle.pem"),
    authority: join(folder, "ca.pem"),
    wgetrc: join(folder, "wgetrc"),
    node: join(folder, "node-proxy.cjs"),
  };
  const named = parent.SSL_CERT_FILE ? read(parent.SSL_CERT_FILE) : undefined;
  const found = named ?? systemBundles.map(read).find((text) => text !== undefined);
  const system = found ?? rootCertificates.join("\n");
  const extra = parent.NODE_EXTRA_CA_CERTS ? (read(parent.NODE_EXTRA_CA_CERTS) ?? "") : "";
  const wgetrc = read(parent.WGETRC ?? join(parent.HOME ?? homedir(), ".wgetrc")) ?? "";
  const texts: readonly [string, string][] = [
    [files.bundle, joined(system, extra, authority)],
    [files.authority, joined(extra, authority)],
    [files.wgetrc, joined(wgetrc, `ca_certificate = ${files.bundle}\n`)],
    [files.node, nodeProxy],
  ];
  try {
    // Nobody reads them before they are whole, and nobody after this run: they need no fsync.
    for (const [path, text] of texts) writeFileSync(path, text, { mode: 0o600, flag: "wx" });
  } catch (error) {
    return broken(error, `write into ${folder}`);
  }
  return files;
}

function joined(...texts: readonly string[]): string {
  return texts.map((text) => (text === "" || text.endsWith("\n") ? text : `${text}\n`)).join("");
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
