// The local certificate authority of the forward proxy: in `ca/` of the home, trusted by nobody who was not told to.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import { Failure } from "../../engine/failure.ts";
import type { TlsIdentity } from "../../wire/connection.ts";
import { ensureHome, readPrivate, removeFile, writeAtomic } from "../files.ts";
import { homeLock, withLock } from "../lock.ts";
import { type AuthorityFile, Issuer, leafLifeMs, makeAuthority } from "./certificates.ts";
import { makeIdentity } from "./identity.ts";

const largest = 64 * 1024;
const mostIdentities = 256;
const renewBeforeMs = 30 * 24 * 3_600_000;

function authorityPath(home: string): string {
  return join(home, "ca", "authority.json");
}

export function hasAuthority(home: string): boolean {
  return existsSync(authorityPath(home));
}

/** undefined: none was made yet. */
export function readAuthority(home: string): AuthorityFile | Failure | undefined {
  if (!existsSync(join(home, "ca"))) return undefined;
  const bytes = readPrivate(authorityPath(home), largest);
  if (bytes === undefined || bytes instanceof Failure) return bytes;
  try {
    const { cert, key, hosts, expiresAt } = JSON.parse(bytes.toString("utf8")) as Partial<AuthorityFile>;
    const sound =
      typeof cert === "string" &&
      typeof key === "string" &&
      Array.isArray(hosts) &&
      Number.isFinite(expiresAt);
    if (sound) return { cert, key, hosts: hosts.map(String), expiresAt: Number(expiresAt) };
  } catch {
    // Said below, as of every other content that is not what was written.
  }
  return new Failure("store_refused", `${authorityPath(home)} is not what janee wrote`, {
    next: "make a new one: janee ca renew",
  });
}

export async function removeAuthority(home: string): Promise<Failure | undefined> {
  const done = await withLock(homeLock(home), () => removeFile(authorityPath(home)));
  return done instanceof Failure ? done : undefined;
}

/** A new key: who trusted the old one trusts this one no more. */
export function renewAuthority(
  home: string,
  hosts: readonly string[],
  now: number,
): Promise<AuthorityFile | Failure> {
  return underLock(home, async () => write(home, await makeAuthority(sorted(hosts), now)));
}

/** The one there is, made at first use, and made again under its key where hosts were added or its end is near. */
export async function ensureAuthority(
  home: string,
  hosts: readonly string[],
  now: number,
): Promise<AuthorityFile | Failure> {
  const fits = (known: AuthorityFile): boolean =>
    now < known.expiresAt - renewBeforeMs && hosts.every((host) => known.hosts.includes(host));
  const found = readAuthority(home);
  if (found instanceof Failure || (found && fits(found))) return found;
  return underLock(home, async () => {
    const known = readAuthority(home);
    if (known instanceof Failure || (known && fits(known))) return known;
    return write(home, await makeAuthority(sorted(hosts), now, known));
  });
}

async function underLock(
  home: string,
  work: () => Promise<AuthorityFile | Failure>,
): Promise<AuthorityFile | Failure> {
  return withLock(homeLock(home), work);
}

function write(home: string, authority: AuthorityFile): AuthorityFile | Failure {
  const refused = ensureHome(join(home, "ca"));
  return refused ?? writeAtomic(authorityPath(home), `${JSON.stringify(authority)}\n`) ?? authority;
}

function sorted(hosts: readonly string[]): string[] {
  return [...new Set(hosts)].sort();
}

/** Certificates for hosts, each made once and kept as long as it is used. */
export class Identities {
  readonly #authority: () => Promise<AuthorityFile | Failure>;
  readonly #now: () => number;
  readonly #made = new Map<string, Made>();
  #issuer: { readonly cert: string; readonly open: Promise<Issuer | Failure> } | undefined;

  constructor(authority: () => Promise<AuthorityFile | Failure>, now: () => number) {
    this.#authority = authority;
    this.#now = now;
  }

  /** Of the authority as it is now: after `janee ca renew` nothing of the one before it is shown any more. */
  async identityOf(host: string): Promise<TlsIdentity | Failure> {
    const issuer = await this.#open();
    if (issuer instanceof Failure) return issuer;
    const now = this.#now();
    const known = this.#made.get(host);
    this.#made.delete(host);
    const stands = known?.issuer === issuer && now < known.until;
    const made = stands ? known : { issuer, identity: make(issuer, host, now), until: now + leafLifeMs / 2 };
    this.#made.set(host, made);
    const [oldest] = this.#made.keys();
    if (this.#made.size > mostIdentities && oldest !== undefined) this.#made.delete(oldest);
    return made.identity;
  }

  /** Loads what the first certificate would have to wait for, and makes one for nobody: the first takes longest. */
  async warm(): Promise<void> {
    const issuer = await this.#open();
    if (!(issuer instanceof Failure)) make(issuer, "janee.invalid", this.#now());
  }

  async #open(): Promise<Issuer | Failure> {
    const authority = await this.#authority();
    if (authority instanceof Failure) return authority;
    if (this.#issuer?.cert !== authority.cert) {
      this.#issuer = { cert: authority.cert, open: Issuer.open(authority) };
    }
    return this.#issuer.open;
  }
}

interface Made {
  readonly issuer: Issuer;
  readonly identity: TlsIdentity;
  /** Milliseconds since 1970. */
  readonly until: number;
}

function make(issuer: Issuer, host: string, now: number): TlsIdentity {
  const cert = issuer.leaf(host, now);
  return makeIdentity(host, createSecureContext({ key: issuer.key, cert, minVersion: "TLSv1.2" }));
}
