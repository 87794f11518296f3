// The local certificate authority of the forward proxy: in `ca/` of the home, trusted by nobody who was not told to.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import { Failure } from "../../engine/failure.ts";
import type { Secret } from "../../engine/secret.ts";
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

/** As it lies in its file: with a key that the vault opens, or the bare one of an older janee. */
export interface KeptAuthority extends Omit<AuthorityFile, "key"> {
  readonly keptKey: string;
}

/** Seals the key of the authority with the home's vault, beside its certificate. */
export interface KeySeal {
  seal(key: string, cert: string): string;
  open(kept: string, cert: string): Secret | undefined;
}

const bare = "-----BEGIN ";

/** As an older janee left it. */
export function hasBareKey({ keptKey }: KeptAuthority): boolean {
  return keptKey.startsWith(bare);
}

export function keep(authority: AuthorityFile, by: KeySeal): KeptAuthority {
  const { cert, key, hosts, expiresAt } = authority;
  return { cert, keptKey: by.seal(key, cert), hosts, expiresAt };
}

export function openAuthority(kept: KeptAuthority, by: KeySeal): AuthorityFile | Failure {
  const { cert, keptKey, hosts, expiresAt } = kept;
  const key = hasBareKey(kept) ? keptKey : by.open(keptKey, cert)?.reveal();
  if (key !== undefined) return { cert, key, hosts, expiresAt };
  return new Failure(
    "store_refused",
    "the key of the local certificate authority does not open with this vault",
    {
      next: "make a new one: janee ca renew",
    },
  );
}

/** undefined: none was made yet. */
export function readAuthority(home: string): KeptAuthority | Failure | undefined {
  if (!existsSync(join(home, "ca"))) return undefined;
  const bytes = readPrivate(authorityPath(home), largest);
  if (bytes === undefined || bytes instanceof Failure) return bytes;
  try {
    const {
      cert,
      key: keptKey,
      hosts,
      expiresAt,
    } = JSON.parse(bytes.toString("utf8")) as Partial<AuthorityFile>;
    const sound =
      typeof cert === "string" &&
      typeof keptKey === "string" &&
      Array.isArray(hosts) &&
      Number.isFinite(expiresAt);
    if (sound) return { cert, keptKey, hosts: hosts.map(String), expiresAt: Number(expiresAt) };
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
  by: KeySeal,
): Promise<KeptAuthority | Failure> {
  return underLock(home, async () => write(home, keep(await makeAuthority(sorted(hosts), now), by)));
}

/**
 * The one there is, made at first use, and made again under its key where its hosts have become others or its end is
 * near: one that is gone from the config is one that nobody who trusts the new certificate takes from it.
 */
export async function ensureAuthority(
  home: string,
  hosts: readonly string[],
  now: number,
  by: KeySeal,
): Promise<KeptAuthority | Failure> {
  const fits = (known: KeptAuthority): boolean =>
    now < known.expiresAt - renewBeforeMs && sorted(known.hosts).join() === sorted(hosts).join();
  const found = readAuthority(home);
  const isDone = (known: KeptAuthority): boolean => fits(known) && !hasBareKey(known);
  if (found instanceof Failure || (found && isDone(found))) return found;
  return underLock(home, async () => {
    const known = readAuthority(home);
    if (known instanceof Failure || (known && isDone(known))) return known;
    const opened = known && openAuthority(known, by);
    if (opened instanceof Failure) return opened;
    const stays = known && opened && fits(known);
    return write(home, keep(stays ? opened : await makeAuthority(sorted(hosts), now, opened), by));
  });
}

async function underLock(
  home: string,
  work: () => Promise<KeptAuthority | Failure>,
): Promise<KeptAuthority | Failure> {
  return withLock(homeLock(home), work);
}

function write(home: string, kept: KeptAuthority): KeptAuthority | Failure {
  const refused = ensureHome(join(home, "ca"));
  const { cert, keptKey: key, hosts, expiresAt } = kept;
  const text = `${JSON.stringify({ cert, key, hosts, expiresAt })}\n`;
  return refused ?? writeAtomic(authorityPath(home), text) ?? kept;
}

function sorted(hosts: readonly string[]): string[] {
  return [...new Set(hosts)].sort();
}

/** Certificates for hosts, each made once and kept as long as it is used. */
export class Identities {
  readonly #authority: () => Promise<KeptAuthority | Failure>;
  readonly #by: KeySeal;
  readonly #now: () => number;
  readonly #made = new Map<string, Made>();
  #issuer: { readonly cert: string; readonly open: Promise<Issuer | Failure> } | undefined;

  constructor(authority: () => Promise<KeptAuthority | Failure>, by: KeySeal, now: () => number) {
    this.#authority = authority;
    this.#by = by;
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
      const opened = openAuthority(authority, this.#by);
      if (opened instanceof Failure) return opened;
      this.#issuer = { cert: authority.cert, open: Issuer.open(opened) };
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
