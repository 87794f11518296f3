// The vault: data keys that seal credentials, wrapped in vault.json by a key that is kept elsewhere (the
// outer key: a key file, the OS keychain, or JANEE_KEY). Where that is found is the host's to know.
import * as v from "valibot";
import type { Service } from "./config.ts";
import { Failure } from "./failure.ts";
import type { Entropy } from "./ports.ts";
import {
  bindingOf,
  derive,
  fromBase64Url,
  openBytes,
  openText,
  sealBytes,
  sealText,
  toBase64Url,
} from "./seal.ts";
import { Secret } from "./secret.ts";

const keyLength = 32;
const auditId = "audit";

const hex = (length: number) => v.pipe(v.string(), v.regex(new RegExp(`^[0-9a-f]{${length}}$`)));
const wrapped = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{80}$/));

const vaultFileSchema = v.strictObject({
  format: v.literal(1),
  id: hex(32),
  provider: v.picklist(["file", "env", "keychain"]),
  machine: v.boolean(),
  check: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{11}$/)),
  current: hex(8),
  // One key, and those that an interrupted rotation has not yet replaced everywhere.
  keys: v.pipe(v.array(v.strictObject({ id: hex(8), wrapped })), v.minLength(1), v.maxLength(16)),
  audit: wrapped,
});

/** vault.json. `machine`: the machine's id is part of the wrapping key. `check` recognises the outer key. */
export type VaultFile = v.InferOutput<typeof vaultFileSchema>;
export type KeyProvider = VaultFile["provider"];

/** The keys themselves. They leave the engine only wrapped: into vault.json, or under a passphrase. */
export interface VaultKeys {
  readonly id: string;
  readonly current: string;
  readonly keys: ReadonlyMap<string, Uint8Array>;
  /** Keys the audit chains. It outlives rotations, or old lines could not be verified. */
  readonly audit: Uint8Array;
}

/** What wraps the keys of a vault. */
export interface Wrapping {
  readonly provider: KeyProvider;
  readonly outer: Uint8Array;
  /** Given when the vault is bound to this machine. */
  readonly machineId: string | undefined;
}

const besidePrefix = "sealed-beside:v1:";

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export class Vault {
  readonly #keys: VaultKeys;
  readonly #entropy: Entropy;
  readonly #rowKey: Uint8Array;
  readonly #olderRowKeys: readonly Uint8Array[];

  constructor(keys: VaultKeys, entropy: Entropy) {
    this.#keys = keys;
    this.#entropy = entropy;
    const rowKeyOf = (key: Uint8Array): Uint8Array => derive(key, keys.id, "janee rows v1");
    this.#rowKey = rowKeyOf(currentKey(keys));
    this.#olderRowKeys = [...keys.keys].flatMap(([id, key]) => (id === keys.current ? [] : [rowKeyOf(key)]));
  }

  get id(): string {
    return this.#keys.id;
  }

  /** The id of the key that seals now. */
  get current(): string {
    return this.#keys.current;
  }

  /** True after a rotation that did not finish: more than one key is needed until the next `rotate`. */
  get betweenKeys(): boolean {
    return this.#keys.keys.size > 1;
  }

  /** Keys the MAC of session and approval rows. */
  get rowKey(): Uint8Array {
    return this.#rowKey;
  }

  /** Of rows that a rotation at work, or one that was killed, has not yet renewed. */
  get olderRowKeys(): readonly Uint8Array[] {
    return this.#olderRowKeys;
  }

  get auditKey(): Uint8Array {
    return this.#keys.audit;
  }

  /** What stands for keys stays the same over rotations, for commands that run through one. */
  get placeholderKey(): Uint8Array {
    return derive(this.#keys.audit, this.#keys.id, "janee placeholders v1");
  }

  /** A secret in a file of its own, which stays as it is over rotations. `bound`: it opens beside this text alone. */
  sealBeside(name: string, text: string, bound: string): string {
    const box = sealBytes(
      this.#keyOf(name),
      encode(text),
      encode(JSON.stringify([name, bound])),
      this.#entropy,
    );
    return `${besidePrefix}${toBase64Url(box)}`;
  }

  /** undefined: it was sealed by another vault, for another purpose or beside another text, or it is damaged. */
  openBeside(name: string, sealed: string, bound: string): Secret | undefined {
    if (!sealed.startsWith(besidePrefix)) return undefined;
    const box = fromBase64Url(sealed.slice(besidePrefix.length));
    const plain = box && openBytes(this.#keyOf(name), box, encode(JSON.stringify([name, bound])));
    return plain && new Secret(new TextDecoder().decode(plain));
  }

  #keyOf(name: string): Uint8Array {
    return derive(this.#keys.audit, this.#keys.id, `janee ${name} v1`);
  }

  /** `setAt`: when the credential was given, which a person can read from the sealed text. */
  seal(service: Service, field: string, text: string, setAt?: number): string {
    const keys = this.#keys;
    const binding = bindingOf(keys.id, service, field);
    return sealText(currentKey(keys), keys.current, text, binding, this.#entropy, setAt);
  }

  open(service: Service, field: string, sealed: string): Secret | Failure {
    return openText(this.#keys.keys, sealed, bindingOf(this.#keys.id, service, field));
  }

  /** False for a text that another process sealed after a rotation: open the vault again before giving up. */
  holdsKeyOf(sealed: string): boolean {
    return this.#keys.keys.has(sealed.split(":")[2] ?? "");
  }

  /** The bare keys, to wrap them anew. */
  bare(): VaultKeys {
    return this.#keys;
  }
}

export function newKeys(entropy: Entropy): VaultKeys {
  const audit = entropy.bytes(keyLength);
  const empty = { id: toHex(entropy.bytes(16)), current: "", keys: new Map<string, Uint8Array>(), audit };
  return withNextKey(empty, entropy);
}

/** First half of a rotation: a new key seals from now on, the old ones still open. */
export function withNextKey(keys: VaultKeys, entropy: Entropy): VaultKeys {
  let current = toHex(entropy.bytes(4));
  while (keys.keys.has(current)) current = toHex(entropy.bytes(4));
  return { ...keys, current, keys: new Map([...keys.keys, [current, entropy.bytes(keyLength)]]) };
}

/** Second half, once nothing is sealed with the old keys. */
export function withoutOldKeys(keys: VaultKeys): VaultKeys {
  return { ...keys, keys: new Map([[keys.current, currentKey(keys)]]) };
}

export function createVault(wrapping: Wrapping, entropy: Entropy): { file: VaultFile; vault: Vault } {
  const keys = newKeys(entropy);
  return { file: wrapVault(keys, wrapping, entropy), vault: new Vault(keys, entropy) };
}

export function wrapVault(keys: VaultKeys, wrapping: Wrapping, entropy: Entropy): VaultFile {
  const { provider, outer, machineId } = wrapping;
  const wrappingKey = wrappingKeyOf(keys.id, outer, machineId);
  const wrap = (keyId: string, key: Uint8Array) =>
    toBase64Url(sealBytes(wrappingKey, key, associated(keys.id, keyId), entropy));
  return {
    format: 1,
    id: keys.id,
    provider,
    machine: machineId !== undefined,
    check: checkOf(keys.id, outer),
    current: keys.current,
    keys: [...keys.keys].map(([id, key]) => ({ id, wrapped: wrap(id, key) })),
    audit: wrap(auditId, keys.audit),
  };
}

/** `machineId` is that of this machine now; it is looked at only by a vault that is bound to one. */
export function unwrapVault(
  file: VaultFile,
  outer: Uint8Array,
  machineId: string | undefined,
  entropy: Entropy,
): Vault | Failure {
  if (outer.length !== keyLength || checkOf(file.id, outer) !== file.check)
    return new Failure("key_wrong", "the key is not the one that this vault was made with", {
      next: "bring back the right key, or take the vault over from an export: janee key import",
    });
  if (file.machine && machineId === undefined)
    return otherMachine("this machine has no id any more (/etc/machine-id is missing or empty)");
  const wrappingKey = wrappingKeyOf(file.id, outer, file.machine ? machineId : undefined);
  const unwrap = (keyId: string, text: string) => {
    const box = fromBase64Url(text);
    return box && openBytes(wrappingKey, box, associated(file.id, keyId));
  };
  const keys = new Map<string, Uint8Array>();
  for (const { id, wrapped } of file.keys) {
    const key = unwrap(id, wrapped);
    if (key) keys.set(id, key);
  }
  const audit = unwrap(auditId, file.audit);
  if (audit && keys.size === file.keys.length)
    return new Vault({ id: file.id, current: file.current, keys, audit }, entropy);
  // With another machine's id nothing opens at all; with the right one, only what was damaged does not.
  if (file.machine && !audit && keys.size === 0)
    return otherMachine("this machine has another id than the one it was made on");
  return damaged("its wrapped keys were edited");
}

function otherMachine(what: string): Failure {
  return new Failure("store_refused", `the vault is bound to its machine, and ${what}`, {
    next: "janee key export on the old machine, janee key import on this one",
  });
}

function damaged(what: string): Failure {
  return new Failure("store_refused", `vault.json does not open: ${what}`, {
    next: "restore vault.json from a backup, or take the vault over from an export: janee key import",
  });
}

export function parseVaultFile(text: string): VaultFile | Failure {
  if (text.trim() === "") return damaged("it is empty");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return damaged("it is not whole JSON");
  }
  if (typeof value === "object" && value !== null && "format" in value && value.format !== 1)
    return damaged("it is in a form that this version of janee does not know");
  const parsed = v.safeParse(vaultFileSchema, value);
  if (!parsed.success) return damaged("a field is missing, unknown or malformed");
  const file = parsed.output;
  const ids = new Set(file.keys.map((key) => key.id));
  if (ids.size !== file.keys.length || !ids.has(file.current))
    return damaged("the list of its keys is inconsistent");
  return file;
}

export function printVaultFile(file: VaultFile): string {
  return `${JSON.stringify(file, undefined, 2)}\n`;
}

/** A pseudo-random mark of the outer key: it tells "another key" from "another machine" from "edited". */
function checkOf(storeId: string, outer: Uint8Array): string {
  return toBase64Url(derive(outer, storeId, "janee check v1").subarray(0, 8));
}

function wrappingKeyOf(storeId: string, outer: Uint8Array, machineId: string | undefined): Uint8Array {
  return derive(
    outer,
    storeId,
    machineId === undefined ? "janee kek v1" : `janee kek v1 machine ${machineId}`,
  );
}

function associated(storeId: string, keyId: string): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(["janee wrapped v1", storeId, keyId]));
}

function currentKey(keys: VaultKeys): Uint8Array {
  const key = keys.keys.get(keys.current);
  if (!key) throw new Error("a vault without its current key");
  return key;
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
