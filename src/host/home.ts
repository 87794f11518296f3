// The folder of one user's janee: config, vault and state, and the only code that changes the config file.
import { chmodSync, lstatSync, type Stats, statSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import type { Config, Service } from "../engine/config.ts";
import { type Edit, editConfig } from "../engine/edit-config.ts";
import { Failure } from "../engine/failure.ts";
import type { Opener, Policy } from "../engine/ports.ts";
import { type ReadConfig, readConfig, secretKey } from "../engine/read-config.ts";
import { isSealed } from "../engine/seal.ts";
import type { Secret } from "../engine/secret.ts";
import type { Vault } from "../engine/vault.ts";
import { dropsGuard } from "../engine/widening.ts";
import { Glance } from "./clock.ts";
import { checkPrivate, ensureHome, readPrivate, writeAtomic } from "./files.ts";
import { type Environment, openOrCreate, openVault, rotateVault, vaultPath } from "./keyring.ts";
import { homeLock, withLock } from "./lock.ts";
import { followReference } from "./reference.ts";

const emptyConfig =
  "# janee keeps API keys away from AI agents. Try: janee add stripe\nservices: {}\ncapabilities: {}\n";

export function homePath(environment: Environment): string | Failure {
  const named = environment.JANEE_HOME;
  if (named === undefined || named === "") return join(homedir(), ".janee");
  if (isAbsolute(named)) return named;
  return new Failure("usage", "JANEE_HOME must be an absolute path", {
    next: "set it to the whole path of a folder",
  });
}

export class Home implements Policy, Opener {
  readonly path: string;
  readonly #environment: Environment;
  readonly #configPath: string;
  #vault: Vault;
  #read: ReadConfig;
  #stamp: string;
  #vaultStamp: string;
  readonly #glance = new Glance();
  #generation = 1;
  #inForce: { readonly config: Config; readonly generation: number };
  #problem: Failure | undefined;
  #listener: ((change: ConfigChange) => void) | undefined;

  private constructor(path: string, environment: Environment, vault: Vault, read: ReadConfig, stamp: string) {
    this.path = path;
    this.#environment = environment;
    this.#vault = vault;
    this.#read = read;
    this.#stamp = stamp;
    this.#vaultStamp = stampOf(vaultPath(path));
    this.#configPath = configPath(path);
    this.#inForce = { config: read.config, generation: this.#generation };
  }

  /** Opens what is there. Nothing starts on a bad file. `create`: a home that is missing is made. */
  static async open(environment: Environment, create: boolean): Promise<Home | Failure> {
    const path = homePath(environment);
    if (path instanceof Failure) return path;
    const prepared = create ? ensureHome(path) : checkPrivate(path, "folder");
    if (prepared) return prepared.code === "not_found" ? nothingHere(path) : prepared;
    const read = readHome(path);
    if (read instanceof Failure) return read;
    if (!read && !create) return nothingHere(path);
    const sealed = read !== undefined && holdsSealed(read.read.config);
    const vault = await openOrCreate(path, environment, sealed);
    if (vault instanceof Failure) return vault;
    if (!read) {
      const made = await withLock(homeLock(path), () => {
        return readHome(path) === undefined ? writeAtomic(configPath(path), emptyConfig) : undefined;
      });
      if (made instanceof Failure) return made;
      return Home.open(environment, false);
    }
    const home = new Home(path, environment, vault, read.read, read.stamp);
    return (await home.sealPlain()) ?? home;
  }

  /** For those who stop things: with an empty config where the file cannot be read, so that a mistake in it holds no one up. */
  static async openToStop(environment: Environment): Promise<Home | Failure> {
    const home = await Home.open(environment, false);
    if (!(home instanceof Failure)) return home;
    const path = homePath(environment);
    if (path instanceof Failure) return path;
    const vault = await openVault(path, environment);
    if (vault instanceof Failure) return home;
    const read = readConfig(emptyConfig, configPath(path));
    return read instanceof Failure ? read : new Home(path, environment, vault, read, "");
  }

  get configPath(): string {
    return this.#configPath;
  }

  /** The file as it stands. */
  text(): string | Failure {
    const bytes = readPrivate(this.configPath);
    if (bytes === undefined) return nothingHere(this.path);
    return bytes instanceof Failure ? bytes : bytes.toString("utf8");
  }

  get vault(): Vault {
    return this.#vault;
  }

  get warnings(): ReadConfig["warnings"] {
    return this.#read.warnings;
  }

  get rulePlaces(): ReadConfig["rulePlaces"] {
    return this.#read.rulePlaces;
  }

  /** Why the file as it stands is not in force; the last good config is. */
  get problem(): Failure | undefined {
    return this.#problem;
  }

  onChange(listener: (change: ConfigChange) => void): void {
    this.#listener = listener;
  }

  /** Looks at the file each time: an edit holds for the very next request. */
  current(): { readonly config: Config; readonly generation: number } {
    if (this.#glance.isStale()) {
      const stamp = stampOf(this.configPath);
      if (stamp !== this.#stamp) this.#reload(stamp);
    }
    return this.#inForce;
  }

  lookAgain(): void {
    this.#glance.forget();
  }

  #reload(stamp: string): void {
    const found = readHome(this.path) ?? nothingHere(this.path);
    if (found instanceof Failure) return this.#keep(found, stamp);
    const before = this.#read.config;
    // In the middle of a write in place, a file can lack the rules that are still to come.
    if (dropsGuard(before, found.read.config) && isBeingWritten(this.configPath, this.#stamp)) return;
    this.#problem = undefined;
    this.#read = found.read;
    this.#stamp = found.stamp;
    this.#generation += 1;
    this.#inForce = { config: this.#read.config, generation: this.#generation };
    this.#listener?.({ kind: "changed", before, after: found.read.config });
    if (found.read.plain.length > 0) void this.sealPlain();
  }

  /** The last good config stays. A file that could not be read at all is tried again at the next look. */
  #keep(problem: Failure, stamp: string): void {
    const isNews = this.#problem?.message !== problem.message;
    this.#problem = problem;
    if (problem.at || problem.code === "config_missing") this.#stamp = stamp;
    if (isNews) this.#listener?.({ kind: "kept", problem });
  }

  /** Opens the vault again when another process has rotated it. */
  async refreshVault(): Promise<void> {
    const stamp = stampOf(vaultPath(this.path));
    if (stamp === this.#vaultStamp) return;
    const vault = await openVault(this.path, this.#environment);
    if (vault instanceof Failure) return;
    this.#vault = vault;
    this.#vaultStamp = stamp;
  }

  /** Credentials that stand in the clear are sealed where they stand. */
  async sealPlain(): Promise<Failure | undefined> {
    if (this.#read.plain.length === 0) return undefined;
    return this.update(() => []);
  }

  /**
   * Changes the file under the lock: reads it anew, lets `plan` say the edits, seals what is in the clear, and
   * writes it whole. Nothing is written when anything fails.
   */
  async update(
    plan: (read: ReadConfig, vault: Vault) => readonly Edit[] | Failure,
  ): Promise<Failure | undefined> {
    const done = await withLock(homeLock(this.path), () => this.#updateLocked(plan));
    return done instanceof Failure ? done : undefined;
  }

  #updateLocked(plan: (read: ReadConfig, vault: Vault) => readonly Edit[] | Failure): Failure | undefined {
    const found = readHome(this.path);
    if (found === undefined) return nothingHere(this.path);
    if (found instanceof Failure) return found;
    const edits = plan(found.read, this.#vault);
    if (edits instanceof Failure) return edits;
    const edited = editConfig(found.text, this.configPath, edits);
    if (edited instanceof Failure) return edited;
    const read = readConfig(edited, this.configPath);
    if (read instanceof Failure) return read;
    const sealing = read.plain.map(({ service, field, path, secret }): Edit => {
      const owner = read.config.services.get(service);
      if (!owner) throw new Error("a credential without its service");
      return { path, value: this.#vault.seal(owner, field, secret.reveal()) };
    });
    const sealed = editConfig(edited, this.configPath, sealing);
    if (sealed instanceof Failure) return sealed;
    if (sealed !== found.text) {
      const failure = writeAtomic(this.configPath, sealed);
      if (failure) return failure;
    }
    return this.#adopt();
  }

  /**
   * New keys for the vault, and every credential sealed anew in one write. `renewRows` runs before that write,
   * while the vault on disk holds both keys: killed at any point, everything opens.
   */
  async rotate(
    renewRows: (next: Vault) => Promise<Failure | undefined>,
  ): Promise<{ readonly keyRenewed: boolean; readonly credentials: number } | Failure> {
    let credentials = 0;
    const rotated = await withLock(homeLock(this.path), async () => {
      await this.refreshVault();
      // Before anything is written: a credential that does not open would end the work halfway.
      const opens = this.#resealed(this.#vault, this.#vault);
      if (opens instanceof Failure) return opens;
      const reseal = async (old: Vault, next: Vault): Promise<Failure | undefined> => {
        const unrenewed = await renewRows(next);
        if (unrenewed) return unrenewed;
        const resealed = this.#resealed(old, next);
        if (resealed instanceof Failure) return resealed;
        credentials = resealed.count;
        return writeAtomic(this.configPath, resealed.text);
      };
      return rotateVault(this.path, reseal, this.#environment);
    });
    if (rotated instanceof Failure) return rotated;
    this.#vault = rotated.vault;
    this.#vaultStamp = stampOf(vaultPath(this.path));
    return this.#adopt() ?? { keyRenewed: rotated.keyRenewed, credentials };
  }

  /** The config with each credential taken out of one vault and put into the other. */
  #resealed(from: Vault, to: Vault): { readonly text: string; readonly count: number } | Failure {
    const found = readHome(this.path);
    if (found === undefined) return nothingHere(this.path);
    if (found instanceof Failure) return found;
    const edits: Edit[] = [];
    for (const service of found.read.config.services.values()) {
      for (const [field, stored] of service.auth.secret) {
        if (stored.kind === "reference") continue;
        const secret = stored.kind === "plain" ? stored.secret : from.open(service, field, stored.text);
        if (secret instanceof Failure) return secret;
        const path = found.read.secretPaths.get(secretKey(service.name, field));
        if (!path) throw new Error("a credential without its place in the config");
        edits.push({ path, value: to.seal(service, field, secret.reveal()) });
      }
    }
    const text = editConfig(found.text, this.configPath, edits);
    return text instanceof Failure ? text : { text, count: edits.length };
  }

  /** What this process wrote itself is no news to its listener. */
  #adopt(): Failure | undefined {
    const found = readHome(this.path);
    if (found === undefined || found instanceof Failure) return found;
    this.#read = found.read;
    this.#stamp = found.stamp;
    this.#generation += 1;
    this.#inForce = { config: this.#read.config, generation: this.#generation };
    return undefined;
  }

  async open(service: Service): Promise<ReadonlyMap<string, Secret> | Failure> {
    const opened = new Map<string, Secret>();
    for (const [field, stored] of service.auth.secret) {
      if (stored.kind === "sealed" && !this.#vault.holdsKeyOf(stored.text)) await this.refreshVault();
      const secret =
        stored.kind === "plain"
          ? stored.secret
          : stored.kind === "sealed"
            ? this.#vault.open(service, field, stored.text)
            : await followReference(stored.text, this.#environment);
      if (secret instanceof Failure) return secret;
      opened.set(field, secret);
    }
    return opened;
  }
}

export type ConfigChange =
  | { readonly kind: "changed"; readonly before: Config; readonly after: Config }
  | { readonly kind: "kept"; readonly problem: Failure };

function configPath(home: string): string {
  return join(home, "config.yaml");
}

function nothingHere(home: string): Failure {
  return new Failure("config_missing", `there is no config in ${home}`, {
    next: "make one with: janee init, or add a first service with: janee add <service>",
  });
}

interface FoundConfig {
  readonly text: string;
  readonly read: ReadConfig;
  readonly stamp: string;
}

function readHome(home: string): FoundConfig | Failure | undefined {
  const path = configPath(home);
  const stamp = closeToOthers(path);
  const bytes = readPrivate(path);
  if (bytes === undefined || bytes instanceof Failure) return bytes;
  const text = bytes.toString("utf8");
  const read = readConfig(text, path);
  return read instanceof Failure ? read : { text, read, stamp };
}

/** A file made by hand has the mode of the user's umask; the home around it was private all along. */
function closeToOthers(path: string): string {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isFile() && (stat.mode & 0o077) !== 0 && stat.uid === process.getuid?.()) chmodSync(path, 0o600);
  return stampOf(path);
}

function stampOf(path: string): string {
  const stat: Stats | undefined = statSync(path, { throwIfNoEntry: false });
  return stat ? `${stat.ino}:${stat.size}:${stat.mtimeMs}:${stat.ctimeMs}` : "";
}

/** How long a file that is written in place, not replaced, is left alone before it is believed to be whole. */
const settlesWithinMs = 250;

/** A new file under the name is whole: janee and most editors replace it. The same file, just changed, may not be. */
function isBeingWritten(path: string, lastStamp: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat || !lastStamp.startsWith(`${stat.ino}:`)) return false;
  return Math.abs(Date.now() - stat.mtimeMs) < settlesWithinMs;
}

function holdsSealed(config: Config): boolean {
  for (const service of config.services.values()) {
    for (const stored of service.auth.secret.values()) {
      if (stored.kind === "sealed" && isSealed(stored.text)) return true;
    }
  }
  return false;
}
