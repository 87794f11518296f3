// The folder of one user's janee: config, vault and state, and the only code that changes the config file.
import { join } from "node:path";
import type { Config, Service } from "../engine/config.ts";
import { type Edit, editConfig } from "../engine/edit-config.ts";
import { Failure } from "../engine/failure.ts";
import { takesPem } from "../engine/pem.ts";
import type { Exchanged, Opener, Policy } from "../engine/ports.ts";
import {
  type ConfigDocument,
  documentOf,
  editDocument,
  type ReadConfig,
  readConfig,
  secretKey,
} from "../engine/read-config.ts";
import { holdsSealed, resealAll, sealPlain } from "../engine/sealing.ts";
import type { Secret } from "../engine/secret.ts";
import type { Vault } from "../engine/vault.ts";
import { dropsGuard } from "../engine/widening.ts";
import { clock, Glance } from "./clock.ts";
import {
  configPath,
  emptyConfig,
  type FoundConfig,
  isBeingWritten,
  nothingHere,
  readConfigFile,
  stampOf,
  writeConfigFile,
} from "./config-file.ts";
import { checkPrivate, ensureHome } from "./files.ts";
import { homePath } from "./home-path.ts";
import { type Environment, openOrCreate, openVault, rotateVault, vaultPath } from "./keyring.ts";
import { homeLock, withLock } from "./lock.ts";
import { References } from "./reference.ts";
import { type Instead, isSameAccount, stillStand } from "./same-account.ts";

/** What is to be edited, said with the config as it is at that moment. */
export type Plan = (read: ReadConfig, vault: Vault) => readonly Edit[] | Failure;

export class Home implements Policy, Opener {
  readonly path: string;
  readonly #environment: Environment;
  readonly #configPath: string;
  readonly #references: References;
  #vault: Vault;
  #read: ReadConfig;
  #stamp: string;
  #vaultStamp: string;
  readonly #glance = new Glance();
  #generation = 1;
  #inForce: { readonly config: Config; readonly generation: number };
  #problem: Failure | undefined;
  #listener: ((change: ConfigChange) => void) | undefined;
  /** Its config came from elsewhere, and is not looked at again. */
  readonly isFixed: boolean;

  private constructor(
    path: string,
    environment: Environment,
    vault: Vault,
    read: ReadConfig,
    stamp: string,
    isFixed = false,
  ) {
    this.isFixed = isFixed;
    this.path = path;
    this.#environment = environment;
    this.#vault = vault;
    this.#read = read;
    this.#stamp = stamp;
    this.#vaultStamp = stampOf(vaultPath(path));
    this.#configPath = configPath(path);
    this.#inForce = { config: read.config, generation: this.#generation };
    this.#references = new References({
      environment,
      config: () => this.current().config,
      unseal: (owner, field, sealed) => this.#unseal(owner, field, sealed),
    });
  }

  /** Opens what is there. Nothing starts on a bad file. `create`: a home that is missing is made. */
  static async open(environment: Environment, create: boolean): Promise<Home | Failure> {
    const path = homePath(environment);
    if (path instanceof Failure) return path;
    const prepared = create ? ensureHome(path) : checkPrivate(path, "folder");
    if (prepared) return prepared.code === "not_found" ? nothingHere(path) : prepared;
    const found = readConfigFile(path);
    if (found instanceof Failure) return found;
    if (!found && !create) return nothingHere(path);
    const sealed = found !== undefined && holdsSealed(found.document.read.config);
    const vault = await openOrCreate(path, environment, sealed);
    if (vault instanceof Failure) return vault;
    if (!found) {
      const made = await withLock(homeLock(path), () => {
        return readConfigFile(path) === undefined ? writeConfigFile(path, emptyConfig) : undefined;
      });
      if (made instanceof Failure) return made;
      return Home.open(environment, false);
    }
    const home = new Home(path, environment, vault, found.document.read, found.stamp);
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

  /** A home for one run, around a config that was judged as it is: no file written later can change it. */
  static async fixed(path: string, environment: Environment, read: ReadConfig): Promise<Home | Failure> {
    const vault = await openOrCreate(path, environment, false);
    return vault instanceof Failure ? vault : new Home(path, environment, vault, read, "", true);
  }

  get environment(): Environment {
    return this.#environment;
  }

  get configPath(): string {
    return this.#configPath;
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
    if (!this.isFixed && this.#glance.isStale()) {
      const stamp = stampOf(this.configPath);
      if (stamp !== this.#stamp) this.#reload(stamp);
    }
    return this.#inForce;
  }

  /** As it was when it was last looked at. */
  get inForce(): Config {
    return this.#inForce.config;
  }

  lookAgain(): void {
    this.#glance.forget();
  }

  #reload(stamp: string): void {
    const found = this.#find();
    if (found instanceof Failure) return this.#keep(found, stamp);
    const before = this.#read.config;
    const { read } = found.document;
    // In the middle of a write in place, a file can lack the rules that are still to come.
    if (dropsGuard(before, read.config) && isBeingWritten(this.configPath, this.#stamp)) return;
    this.#problem = undefined;
    this.#takeOver(found);
    this.#listener?.({ kind: "changed", before, after: read.config });
    if (read.plain.length > 0) void this.sealPlain();
  }

  #find(known?: ConfigDocument): FoundConfig | Failure {
    if (this.isFixed) return new Failure("config_invalid", "a config from elsewhere is not changed by janee");
    return readConfigFile(this.path, known) ?? nothingHere(this.path);
  }

  #takeOver(found: FoundConfig): void {
    this.#read = found.document.read;
    this.#stamp = found.stamp;
    this.#generation += 1;
    this.#inForce = { config: this.#read.config, generation: this.#generation };
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
    if (this.isFixed) return;
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

  /** What an update would make of the file: nothing is written. */
  rehearse(plan: Plan): Rehearsal | Failure {
    const found = this.#find();
    if (found instanceof Failure) return found;
    const { document } = found;
    const edits = plan(document.read, this.#vault);
    if (edits instanceof Failure) return edits;
    const tree = editConfig(document.tree, edits);
    if (tree instanceof Failure) return tree;
    const edited = documentOf(tree);
    return { document, after: edited instanceof Failure ? edited : edited.read.config };
  }

  /**
   * Changes the file under the lock: reads it anew, lets `plan` say the edits, seals what is in the clear, and
   * writes it whole. Nothing is written when anything fails. `known`, of a rehearsal: where the file still says the
   * same, it is not parsed again.
   */
  async update(plan: Plan, known?: ConfigDocument): Promise<Failure | undefined> {
    const done = await withLock(homeLock(this.path), async () => {
      await this.refreshVault();
      return this.#updateLocked(plan, known);
    });
    return done instanceof Failure ? done : undefined;
  }

  #updateLocked(plan: Plan, known: ConfigDocument | undefined): Failure | undefined {
    const found = this.#find(known);
    if (found instanceof Failure) return found;
    const edits = plan(found.document.read, this.#vault);
    if (edits instanceof Failure) return edits;
    const edited = editDocument(found.document, edits);
    if (edited instanceof Failure) return edited;
    const sealed = sealPlain(edited, found.document, this.#vault, clock.wall());
    if (sealed instanceof Failure) return sealed;
    const { text } = sealed.tree;
    const unwritten = text === found.document.tree.text ? undefined : writeConfigFile(this.path, text);
    return unwritten ?? this.#adopt(sealed);
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
        return writeConfigFile(this.path, resealed.text);
      };
      return rotateVault(this.path, reseal, this.#environment);
    });
    if (rotated instanceof Failure) return rotated;
    this.#vault = rotated.vault;
    this.#vaultStamp = stampOf(vaultPath(this.path));
    return this.#adopt() ?? { keyRenewed: rotated.keyRenewed, credentials };
  }

  #resealed(from: Vault, to: Vault): ReturnType<typeof resealAll> {
    const found = this.#find();
    return found instanceof Failure ? found : resealAll(found.document, from, to, clock.wall());
  }

  /** What this process wrote itself is no news to its listener. */
  #adopt(written?: ConfigDocument): Failure | undefined {
    const found = this.#find(written);
    if (found instanceof Failure) return found;
    this.#takeOver(found);
    return undefined;
  }

  async exchange<T>(
    service: Service,
    work: (current: ReadonlyMap<string, Secret>) => Promise<Exchanged<T> | Failure>,
  ): Promise<T | Failure> {
    // One for each service: an issuer that is slow to answer holds up nobody else.
    return withLock(join(this.path, `exchange-${service.name}.db`), async () => {
      this.lookAgain();
      const stored = this.current().config.services.get(service.name);
      const asStored = stored && isSameAccount(stored, service) ? stored : service;
      const current = await this.open(asStored);
      if (current instanceof Failure) return current;
      const exchanged = await work(current);
      if (exchanged instanceof Failure) return exchanged;
      const { keep, result } = exchanged;
      const unkept =
        keep.size === 0 ? undefined : await this.keep(service, keep, { service: asStored, opened: current });
      return unkept ?? result;
    });
  }

  /**
   * Stores new secrets of a service. `instead`: what they take the place of; where a person has given another one
   * meanwhile, that one stays.
   */
  keep(
    service: Service,
    secrets: ReadonlyMap<string, Secret>,
    instead?: Instead,
  ): Promise<Failure | undefined> {
    return this.update(({ config, secretPaths }, vault) => {
      const stored = config.services.get(service.name);
      const same = stored && isSameAccount(stored, service);
      if (!same || (instead && !stillStand(stored, [...secrets.keys()], instead, vault))) {
        return new Failure(
          "credential_failed",
          `"${service.name}" was changed while its credential was renewed`,
          { next: "send it again" },
        );
      }
      return [...secrets].map(([field, secret]) => ({
        path: secretPaths.get(secretKey(service.name, field)) ?? ["services", service.name, "auth", field],
        // Sealed here: whatever an issuer has chosen as its text, it is never read as a reference.
        value: vault.seal(stored, field, secret.reveal(), clock.wall()),
      }));
    });
  }

  async open(service: Service): Promise<ReadonlyMap<string, Secret> | Failure> {
    const opened = new Map<string, Secret>();
    for (const [field, stored] of service.auth.secret) {
      const secret =
        stored.kind === "plain"
          ? stored.secret
          : stored.kind === "sealed"
            ? await this.#unseal(service, field, stored.text)
            : await this.#references.follow(stored.text, takesPem(service.auth.type, field));
      if (secret instanceof Failure) return secret;
      opened.set(field, secret);
    }
    return opened;
  }

  async #unseal(owner: Service, field: string, sealed: string): Promise<Secret | Failure> {
    if (!this.#vault.holdsKeyOf(sealed)) await this.refreshVault();
    return this.#vault.open(owner, field, sealed);
  }
}

export interface Rehearsal {
  /** The file as it stands. */
  readonly document: ConfigDocument;
  /** A failure where what the edits put into the file is wrong. */
  readonly after: Config | Failure;
}

export type ConfigChange =
  | { readonly kind: "changed"; readonly before: Config; readonly after: Config }
  | { readonly kind: "kept"; readonly problem: Failure };
