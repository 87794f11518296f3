// A credential may lie elsewhere. Whatever goes wrong on the way, no part of it is in what is said about it.
import { readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Config, Service } from "../engine/config.ts";
import { Failure } from "../engine/failure.ts";
import { parseReference, type Reference } from "../engine/reference.ts";
import type { Secret } from "../engine/secret.ts";
import type { Environment } from "./key-place.ts";
import { credentialIn, longestCredential, notThere } from "./reference/credential.ts";
import { readKeychain } from "./reference/keychain.ts";
import { printed } from "./reference/program.ts";
import { readStore } from "./reference/programs.ts";
import { VaultClient } from "./reference/vault-client.ts";

const patienceMs = 30_000;

export interface ReferenceParts {
  readonly environment: Environment;
  readonly config: () => Pick<Config, "network" | "stores">;
  /** Opens what is sealed in the config itself: the secrets of stores. */
  readonly unseal: (owner: Service, field: string, sealed: string) => Promise<Secret | Failure>;
  /** How long a program, the keychain or a store may take. */
  readonly patienceMs?: number;
}

export class References {
  readonly #parts: ReferenceParts;
  readonly #patienceMs: number;
  readonly #vault: VaultClient;
  /** Many who wait for one reference have it followed once. */
  readonly #begun = new Map<string, Promise<Secret | Failure>>();

  constructor(parts: ReferenceParts) {
    this.#parts = parts;
    this.#patienceMs = parts.patienceMs ?? patienceMs;
    this.#vault = new VaultClient({
      config: parts.config,
      patienceMs: this.#patienceMs,
      secretOf: (owner, field) => this.#secretOf(owner, field),
    });
  }

  /** For a field that `takesPem`, the credential may have several lines. */
  follow(text: string, mayBePem = false): Promise<Secret | Failure> {
    const key = `${mayBePem} ${text}`;
    const begun = this.#begun.get(key) ?? this.#follow(text, mayBePem);
    this.#begun.set(key, begun);
    return begun.finally(() => {
      if (this.#begun.get(key) === begun) this.#begun.delete(key);
    });
  }

  async #follow(text: string, mayBePem: boolean): Promise<Secret | Failure> {
    const reference = parseReference(text);
    if (!reference || "problem" in reference) throw new Error("the config lets no such reference through");
    const found = await this.#read(reference);
    return found instanceof Failure ? found : credentialIn(found, nameOf(reference), mayBePem);
  }

  #read(reference: Reference): string | Failure | Promise<string | Failure> {
    const { environment } = this.#parts;
    switch (reference.kind) {
      case "env":
        return environment[reference.name] || notThere(`the variable ${reference.name} is not set`);
      case "file":
        return readText(reference.path, environment);
      case "cmd":
        return printed(reference.program, reference.words, environment, this.#patienceMs);
      case "keychain":
        return readKeychain(reference.service, reference.account, this.#patienceMs);
      case "vault":
        return this.#vault.read(reference);
      default:
        return readStore(reference, environment, this.#patienceMs);
    }
  }

  /** The secret that opens a store: never from a store, so that this ends. */
  async #secretOf(owner: Service, field: string): Promise<Secret | Failure> {
    const stored = owner.auth.secret.get(field);
    if (!stored) throw new Error(`a store without its secret "${field}"`);
    if (stored.kind === "plain") return stored.secret;
    if (stored.kind === "sealed") {
      const opened = await this.#parts.unseal(owner, field, stored.text);
      return opened instanceof Failure ? unopened() : opened;
    }
    return this.#follow(stored.text, false);
  }
}

function unopened(): Failure {
  return new Failure(
    "reference_failed",
    "the secret of stores.vault does not open: it or its place was edited",
    {
      next: "a person has to type it anew under stores.vault.auth in config.yaml",
    },
  );
}

/** What a person calls it; where the credential lies is not for an agent to read. */
function nameOf({ kind }: Reference): string {
  return kind === "env" ? "the variable" : kind === "cmd" ? "the command" : `the ${kind} reference`;
}

function readText(path: string, environment: Environment): string | Failure {
  const whole = path.startsWith("~/") ? join(environment.HOME || homedir(), path.slice(2)) : path;
  try {
    // A pipe or a device could be read for ever.
    const stat = statSync(whole);
    if (!stat.isFile()) return notThere("the file of a file: reference is no regular file");
    if (stat.size > longestCredential + 2) return notThere("the file of a file: reference is too long");
    return readFileSync(whole, "utf8");
  } catch {
    return notThere("the file of a file: reference cannot be read");
  }
}
