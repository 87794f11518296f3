// Where outer keys are kept: a key file, the OS keychain, or JANEE_KEY. Never in the home.
import { realpathSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
import { Failure } from "../engine/failure.ts";
import { fromBase64Url, toBase64Url } from "../engine/seal.ts";
import type { KeyProvider } from "../engine/vault.ts";
import { checkPrivate, ensureHome, readPrivate, renameFile, writeAtomic } from "./files.ts";
import type { Keychain } from "./runtime.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export const keyLength = 32;

/** Where one outer key is kept, with room for the one that is about to replace it. */
export interface KeyPlace {
  readonly provider: KeyProvider;
  /** As a person is told of it. */
  readonly name: string;
  /** How a person brings the key back. */
  readonly mend: string;
  /** Chosen by janee, for this vault alone. A place that an operator named may serve other vaults too. */
  readonly own: boolean;
  current(): Promise<Uint8Array | Failure | undefined>;
  next(): Promise<Uint8Array | Failure | undefined>;
  /** undefined where the key is given from outside, and cannot be replaced from here. */
  readonly replace:
    | { put(next: Uint8Array): Promise<Failure | undefined>; promote(): Promise<Failure | undefined> }
    | undefined;
}

/** For a new vault; one that exists says itself. */
export function chosenProvider(environment: Environment): KeyProvider | Failure {
  const asked = ["JANEE_KEY", "JANEE_KEY_FILE", "JANEE_KEYCHAIN"].filter((name) => environment[name]);
  if (asked.length > 1)
    return new Failure("usage", `${asked.join(" and ")} are set at once: a vault has one key`, {
      next: `unset all but one of ${asked.join(", ")}`,
    });
  if (environment.JANEE_KEY) return "env";
  if (!environment.JANEE_KEYCHAIN || environment.JANEE_KEY_FILE) return "file";
  if (environment.JANEE_KEYCHAIN === "1") return "keychain";
  return new Failure("usage", "JANEE_KEYCHAIN is either 1 or not set", { next: "set JANEE_KEYCHAIN=1" });
}

export function placeOf(
  home: string,
  provider: KeyProvider,
  storeId: string,
  environment: Environment,
  chain: Keychain | undefined,
): KeyPlace | Failure {
  if (provider === "env") return environmentPlace(environment);
  if (provider === "keychain") return keychainPlace(storeId, chain);
  return filePlace(home, storeId, environment);
}

function environmentPlace(environment: Environment): KeyPlace {
  return {
    provider: "env",
    name: "32 bytes in JANEE_KEY, as base64 or hex",
    mend: "set JANEE_KEY to the key that the vault was made with",
    own: false,
    current: async () => {
      const text = environment.JANEE_KEY;
      if (!text) return undefined;
      return (
        decodeKey(text) ??
        new Failure("key_wrong", "JANEE_KEY is not 32 bytes in base64, base64url or hex", {
          next: "make one with: openssl rand -base64 32",
        })
      );
    },
    next: async () => undefined,
    replace: undefined,
  };
}

function filePlace(home: string, storeId: string, environment: Environment): KeyPlace | Failure {
  const given = environment.JANEE_KEY_FILE;
  const path = given ? resolve(given) : join(stateFolder(environment), "janee", `${storeId}.key`);
  if (isInside(home, path))
    return new Failure(
      "bad_permissions",
      `the key file ${path} would lie inside the home: a backup of it would open`,
      {
        next: "set JANEE_KEY_FILE to a path outside JANEE_HOME",
      },
    );
  const nextPath = `${path}.next`;
  const read = async (from: string) => {
    if (!given) {
      const refused = checkPrivate(dirname(path), "folder");
      if (refused) return refused.code === "not_found" ? undefined : refused;
    }
    const bytes = readPrivate(from, 4096);
    if (bytes === undefined || bytes instanceof Failure) return bytes;
    if (bytes.length === keyLength) return new Uint8Array(bytes);
    return (
      decodeKey(bytes.toString("latin1")) ??
      new Failure("key_wrong", `the key file ${from} does not hold 32 bytes`, {
        next: "bring back the right file, or take the vault over from an export: janee key import",
      })
    );
  };
  return {
    provider: "file",
    name: path,
    mend: `bring back the file ${path}`,
    own: !given,
    current: () => read(path),
    next: () => read(nextPath),
    replace: {
      put: async (next) => (given ? undefined : ensureHome(dirname(path))) ?? writeAtomic(nextPath, next),
      promote: async () => renameFile(nextPath, path),
    },
  };
}

function keychainPlace(storeId: string, chain: Keychain | undefined): KeyPlace | Failure {
  const unavailable = (why: string) =>
    new Failure("key_missing", `the keychain of this system cannot be used: ${why}`, {
      next: "unlock it or start its service (on Linux: gnome-keyring or KWallet), or make the vault with a key file",
    });
  if (!chain) return unavailable("this build of janee has no access to one (the binary has)");
  const attempt = async <T>(work: () => Promise<T>): Promise<T | Failure> => {
    try {
      return await work();
    } catch (error) {
      // The code alone: a message of the system could quote what was to be stored.
      const code = error instanceof Error && "code" in error ? String(error.code) : "it refused";
      return unavailable(code);
    }
  };
  const nextName = `${storeId}.next`;
  const read = async (name: string) => {
    const text = await attempt(() => chain.get(name));
    if (text === undefined || text instanceof Failure) return text;
    return (
      decodeKey(text) ?? new Failure("key_wrong", `the keychain entry janee/${name} does not hold 32 bytes`)
    );
  };
  return {
    provider: "keychain",
    name: `the keychain entry janee/${storeId}`,
    mend: `bring back the keychain entry janee/${storeId}`,
    own: true,
    current: () => read(storeId),
    next: () => read(nextName),
    replace: {
      put: (next) =>
        attempt<Failure | undefined>(async () => void (await chain.set(nextName, toBase64Url(next)))),
      promote: () =>
        attempt<Failure | undefined>(async () => {
          const next = await chain.get(nextName);
          if (next === undefined) return undefined;
          await chain.set(storeId, next);
          await chain.delete(nextName);
          return undefined;
        }),
    },
  };
}

/** 32 bytes in hex, base64 or base64url, with or without padding. */
export function decodeKey(text: string): Uint8Array | undefined {
  const trimmed = text.trim();
  if (/^[0-9a-fA-F]{64}$/.test(trimmed)) return new Uint8Array(Buffer.from(trimmed, "hex"));
  const bytes = fromBase64Url(trimmed.replace(/=$/, "").replaceAll("+", "-").replaceAll("/", "_"));
  return bytes?.length === keyLength ? bytes : undefined;
}

/** Where programs keep what is this machine's own and no one backs up with the home. */
export function stateFolder(environment: Environment, platform: string = process.platform): string {
  const user = environment.HOME && isAbsolute(environment.HOME) ? environment.HOME : homedir();
  if (platform === "darwin") return join(user, "Library", "Application Support");
  if (platform === "win32") return environment.LOCALAPPDATA || join(homedir(), "AppData", "Local");
  const given = environment.XDG_STATE_HOME;
  // A relative one is to be ignored (XDG Base Directory Specification).
  return given && isAbsolute(given) ? given : join(user, ".local", "state");
}

export function isInside(home: string, path: string): boolean {
  const between = relative(real(home), real(path));
  return between === "" || !(between === ".." || /^\.\.[\\/]/.test(between) || isAbsolute(between));
}

/** With the links of all folders that exist followed, so that no link leads back inside. */
function real(path: string): string {
  const place = resolve(path);
  try {
    return realpathSync(place);
  } catch {
    const folder = dirname(place);
    return folder === place ? place : join(real(folder), basename(place));
  }
}
