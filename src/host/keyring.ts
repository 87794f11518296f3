// Finds the outer key and opens, makes, rotates or takes over the vault of a home. vault.json lies in the
// home; the outer key never does, so that a leaked backup of the home opens nothing.
import { join } from "node:path";
import { Failure } from "../engine/failure.ts";
import type { Entropy } from "../engine/ports.ts";
import {
  type KeyProvider,
  newKeys,
  parseVaultFile,
  printVaultFile,
  unwrapVault,
  Vault,
  type VaultFile,
  type VaultKeys,
  withNextKey,
  withoutOldKeys,
  wrapVault,
} from "../engine/vault.ts";
import { checkPrivate, ensureHome, readPrivate, writeAtomic } from "./files.ts";
import { chosenProvider, type Environment, type KeyPlace, keyLength, placeOf } from "./key-place.ts";
import { homeLock, withLock } from "./lock.ts";
import { entropy, machineId } from "./machine.ts";
import { type Keychain, keychain } from "./runtime.ts";

export type { Environment };

/** What a vault needs of the machine; a test gives another one. */
export interface Surroundings {
  readonly entropy: Entropy;
  readonly keychain: Keychain | undefined;
  machineId(): Promise<string | undefined>;
}

const here: Surroundings = { entropy, machineId, keychain: keychain() };

export function vaultPath(home: string): string {
  return join(home, "vault.json");
}

export async function openVault(
  home: string,
  environment: Environment,
  around: Surroundings = here,
): Promise<Vault | Failure> {
  const refused = checkPrivate(home, "folder");
  if (refused) return refused.code === "not_found" ? noVault(home) : refused;
  const opened = await open(home, environment, around);
  if (opened === undefined) return noVault(home);
  if (opened instanceof Failure) return opened;
  // A rotation that was killed just before its last step. If somebody is at it, it is theirs to end.
  if (opened.usedNext) await withLock(homeLock(home), () => settle(home, environment, around), 0);
  return opened.vault;
}

/** `sealedValues`: config.yaml already holds sealed credentials, which a new vault could never open. */
export async function openOrCreate(
  home: string,
  environment: Environment,
  sealedValues: boolean,
  around: Surroundings = here,
): Promise<Vault | Failure> {
  const refused = ensureHome(home);
  if (refused) return refused;
  const there = readPrivate(vaultPath(home));
  if (there instanceof Failure) return there;
  if (there) return openVault(home, environment, around);
  return withLock(homeLock(home), async () => {
    const opened = await open(home, environment, around);
    if (opened instanceof Failure) return opened;
    return opened?.vault ?? create(home, environment, sealedValues, around);
  });
}

/** Like `openOrCreate`, but an existing vault is a refusal. */
export async function createVaultIn(
  home: string,
  environment: Environment,
  sealedValues: boolean,
  around: Surroundings = here,
): Promise<Vault | Failure> {
  const refused = ensureHome(home);
  if (refused) return refused;
  return withLock(homeLock(home), async () => {
    const there = readPrivate(vaultPath(home));
    if (there instanceof Failure) return there;
    if (there)
      return new Failure("store_refused", `${vaultPath(home)} exists already`, { next: "janee doctor" });
    return create(home, environment, sealedValues, around);
  });
}

async function create(
  home: string,
  environment: Environment,
  sealedValues: boolean,
  around: Surroundings,
): Promise<Vault | Failure> {
  if (sealedValues)
    return new Failure(
      "store_refused",
      `config.yaml holds sealed credentials, but ${vaultPath(home)} is gone`,
      {
        next: "restore vault.json from a backup, or take the vault over from an export: janee key import",
      },
    );
  const provider = chosenProvider(environment);
  if (provider instanceof Failure) return provider;
  return install(home, newKeys(around.entropy), provider, environment, around);
}

/** Takes over the keys of an export. */
export async function importVault(
  home: string,
  keys: VaultKeys,
  environment: Environment,
  around: Surroundings = here,
): Promise<Vault | Failure> {
  const refused = ensureHome(home);
  if (refused) return refused;
  return withLock(homeLock(home), async () => {
    const there = readVaultFile(home);
    // One that is damaged is what an import is there to mend; one with wrong permissions is not.
    if (there instanceof Failure && there.code !== "store_refused") return there;
    if (there && !(there instanceof Failure)) {
      if (there.id !== keys.id)
        return new Failure("store_refused", `${home} holds another vault than the one that was exported`, {
          next: "set JANEE_HOME to a new folder, or to a copy of the old machine's",
        });
      if (there.keys.some(({ id }) => !keys.keys.has(id)))
        return new Failure("store_refused", "the vault was rotated after this export was made", {
          next: "janee key export on the machine where the vault still opens",
        });
    }
    const provider = chosenProvider(environment);
    if (provider instanceof Failure) return provider;
    return install(home, keys, provider, environment, around);
  });
}

/** Wraps the keys under the outer key of this machine, which is made when there is none. */
async function install(
  home: string,
  keys: VaultKeys,
  provider: KeyProvider,
  environment: Environment,
  around: Surroundings,
): Promise<Vault | Failure> {
  const place = placeOf(home, provider, keys.id, environment, around.keychain);
  if (place instanceof Failure) return place;
  const current = await place.current();
  // A spoilt key of its own is replaced; what an operator named by mistake could be anything.
  const spoilt = current instanceof Failure && current.code === "key_wrong" && place.own;
  if (current instanceof Failure && !spoilt) return current;
  let outer = current instanceof Failure ? undefined : current;
  const made = !outer;
  if (!outer) {
    if (!place.replace) return keyMissing(place);
    outer = around.entropy.bytes(keyLength);
    const refused = await place.replace.put(outer);
    if (refused) return refused;
  }
  const bound = place.own && provider === "file" ? await around.machineId() : undefined;
  const written = writeVaultFile(
    home,
    wrapVault(keys, { provider, outer, machineId: bound }, around.entropy),
  );
  if (written) return written;
  const promoted = made ? await place.replace?.promote() : undefined;
  return promoted ?? new Vault(keys, around.entropy);
}

/** `keyRenewed` is false where the operator gives the outer key (JANEE_KEY…): only the data key is new then. */
export interface Rotated {
  readonly vault: Vault;
  readonly keyRenewed: boolean;
}

/**
 * A new data key and, where janee keeps it, a new outer key. `reseal` opens every credential with the first
 * vault, seals it with the second and writes the config in one piece; the lock is held around it. `step` is
 * called after each step that is on disk: killed at any of them, everything opens, and the next rotation
 * finishes the work.
 */
export async function rotateVault(
  home: string,
  reseal: (old: Vault, next: Vault) => Failure | undefined | Promise<Failure | undefined>,
  environment: Environment,
  around: Surroundings = here,
  step: (name: RotationStep) => void = () => {},
): Promise<Rotated | Failure> {
  const refused = checkPrivate(home, "folder");
  if (refused) return refused.code === "not_found" ? noVault(home) : refused;
  return withLock(homeLock(home), async () => {
    const opened = await settle(home, environment, around);
    if (opened === undefined) return noVault(home);
    if (opened instanceof Failure) return opened;
    const { vault, file, place } = opened;

    const renewal = place.own ? place.replace : undefined;
    const outer = renewal ? around.entropy.bytes(keyLength) : opened.outer;
    const unput = await renewal?.put(outer);
    if (unput) return unput;
    step("key written");

    const wrapping = { provider: file.provider, outer, machineId: opened.machineId };
    const both = withNextKey(vault.bare(), around.entropy);
    const unwritten = writeVaultFile(home, wrapVault(both, wrapping, around.entropy));
    if (unwritten) return unwritten;
    step("vault holds both");

    const unsealed = await reseal(vault, new Vault(both, around.entropy));
    // Not undone: the config may be written in spite of what was reported, and both keys open everything.
    if (unsealed) {
      await renewal?.promote();
      return unsealed;
    }
    step("config sealed");

    const one = withoutOldKeys(both);
    const kept = writeVaultFile(home, wrapVault(one, wrapping, around.entropy));
    if (kept) return kept;
    step("vault holds one");

    const unpromoted = await renewal?.promote();
    if (unpromoted) return unpromoted;
    step("key in place");
    return { vault: new Vault(one, around.entropy), keyRenewed: renewal !== undefined };
  });
}

export const rotationSteps = [
  "key written",
  "vault holds both",
  "config sealed",
  "vault holds one",
  "key in place",
] as const;
export type RotationStep = (typeof rotationSteps)[number];

interface Opened {
  readonly vault: Vault;
  readonly file: VaultFile;
  readonly place: KeyPlace;
  readonly outer: Uint8Array;
  readonly machineId: string | undefined;
  readonly usedNext: boolean;
}

/** undefined: there is no vault.json. */
async function open(
  home: string,
  environment: Environment,
  around: Surroundings,
): Promise<Opened | Failure | undefined> {
  let last: Failure | undefined;
  // Three looks: while a rotation runs, what was read first may no longer fit what was read second.
  for (let look = 0; look < 3; look++) {
    const file = readVaultFile(home);
    if (file === undefined || file instanceof Failure) return file;
    const place = placeOf(home, file.provider, file.id, environment, around.keychain);
    if (place instanceof Failure) return place;
    const bound = file.machine ? await around.machineId() : undefined;
    const found = await openWith(file, place, bound, around);
    if (!(found instanceof Failure)) return found;
    if (found.code !== "key_wrong" && found.code !== "key_missing") return found;
    last = found;
  }
  return last;
}

async function openWith(
  file: VaultFile,
  place: KeyPlace,
  bound: string | undefined,
  around: Surroundings,
): Promise<Opened | Failure> {
  const current = await place.current();
  if (current instanceof Failure) return current;
  const first = current && unwrapVault(file, current, bound, around.entropy);
  if (current && first && !(first instanceof Failure))
    return { vault: first, file, place, outer: current, machineId: bound, usedNext: false };
  if (first instanceof Failure && first.code !== "key_wrong") return first;
  const next = await place.next();
  if (next instanceof Failure) return next;
  const second = next && unwrapVault(file, next, bound, around.entropy);
  if (next && second && !(second instanceof Failure))
    return { vault: second, file, place, outer: next, machineId: bound, usedNext: true };
  if (second instanceof Failure && second.code !== "key_wrong") return second;
  return first ? keyWrong(place) : keyMissing(place);
}

/** Ends a rotation that was killed before its last step. Under the lock. */
async function settle(
  home: string,
  environment: Environment,
  around: Surroundings,
): Promise<Opened | Failure | undefined> {
  const opened = await open(home, environment, around);
  if (opened === undefined || opened instanceof Failure || !opened.usedNext) return opened;
  const refused = await opened.place.replace?.promote();
  return refused ?? { ...opened, usedNext: false };
}

function readVaultFile(home: string): VaultFile | Failure | undefined {
  const bytes = readPrivate(vaultPath(home), 64 * 1024);
  return bytes === undefined || bytes instanceof Failure ? bytes : parseVaultFile(bytes.toString("utf8"));
}

function writeVaultFile(home: string, file: VaultFile): Failure | undefined {
  return writeAtomic(vaultPath(home), printVaultFile(file));
}

function noVault(home: string): Failure {
  return new Failure("key_missing", `there is no vault in ${home}`, { next: "janee init" });
}

function keyMissing(place: KeyPlace): Failure {
  return new Failure("key_missing", `the key of the vault is not there: expected ${place.name}`, {
    next: `${place.mend}, or take the vault over from an export: janee key import`,
  });
}

function keyWrong(place: KeyPlace): Failure {
  return new Failure("key_wrong", `the key of the vault is the wrong one: ${place.name}`, {
    next: `${place.mend}, or take the vault over from an export: janee key import`,
  });
}
