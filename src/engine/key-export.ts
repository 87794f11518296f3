// The way of a vault to another machine: its bare keys under a passphrase, as one line of text.
import { argon2id } from "@noble/hashes/argon2.js";
import * as v from "valibot";
import { Failure } from "./failure.ts";
import type { Entropy } from "./ports.ts";
import { fromBase64Url, openBytes, sealBytes, toBase64Url } from "./seal.ts";
import type { VaultKeys } from "./vault.ts";

const prefix = "janee-key:v1:";
const saltLength = 16;
const shortestPassphrase = 8;
const longestText = 64 * 1024;

export interface Argon2Cost {
  /** Memory in KiB. */
  readonly m: number;
  /** Passes. */
  readonly t: number;
  /** Lanes. */
  readonly p: number;
}

/** RFC 9106 section 4, second recommended option, with one lane: noble has no threads to use more. */
const usualCost: Argon2Cost = { m: 64 * 1024, t: 3, p: 1 };

const whole = (least: number, most: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most));

const envelopeSchema = v.strictObject({
  kdf: v.literal("argon2id"),
  // Upper bounds: an export is text from elsewhere, and its cost is paid before the passphrase is proven.
  m: whole(32, 256 * 1024),
  t: whole(1, 10),
  p: whole(1, 4),
  salt: v.string(),
  box: v.string(),
});

const hex = (length: number) => v.pipe(v.string(), v.regex(new RegExp(`^[0-9a-f]{${length}}$`)));

const contentSchema = v.strictObject({
  id: hex(32),
  current: hex(8),
  keys: v.pipe(v.array(v.strictObject({ id: hex(8), key: v.string() })), v.minLength(1), v.maxLength(16)),
  audit: v.string(),
});

export function exportKeys(
  keys: VaultKeys,
  passphrase: string,
  entropy: Entropy,
  cost: Argon2Cost = usualCost,
): string | Failure {
  if ([...passphrase].length < shortestPassphrase)
    return new Failure("usage", `the passphrase is too short: at least ${shortestPassphrase} characters`, {
      next: "choose a longer passphrase; several random words are good",
    });
  const content: v.InferOutput<typeof contentSchema> = {
    id: keys.id,
    current: keys.current,
    keys: [...keys.keys].map(([id, key]) => ({ id, key: toBase64Url(key) })),
    audit: toBase64Url(keys.audit),
  };
  const salt = entropy.bytes(saltLength);
  const { m, t, p } = cost;
  const key = stretch(passphrase, salt, cost);
  const plain = new TextEncoder().encode(JSON.stringify(content));
  const box = sealBytes(key, plain, associated(cost, salt), entropy);
  const envelope = { kdf: "argon2id", m, t, p, salt: toBase64Url(salt), box: toBase64Url(box) };
  return prefix + toBase64Url(new TextEncoder().encode(JSON.stringify(envelope)));
}

export function importKeys(text: string, passphrase: string): VaultKeys | Failure {
  // Mail and terminals break long lines; no white space belongs to the text itself.
  const packed = text.length > longestText ? "" : text.replace(/\s+/g, "");
  if (!packed.startsWith(prefix)) return malformed(`it does not begin with ${prefix}`);
  const envelope = v.safeParse(envelopeSchema, parseJson(fromBase64Url(packed.slice(prefix.length))));
  if (!envelope.success) return malformed("it is cut off, edited, or asks for more work than janee allows");
  const { m, t, p } = envelope.output;
  const salt = fromBase64Url(envelope.output.salt);
  const box = fromBase64Url(envelope.output.box);
  if (salt?.length !== saltLength || !box || m < 8 * p) return malformed("it is cut off or edited");

  const cost = { m, t, p };
  const plain = openBytes(stretch(passphrase, salt, cost), box, associated(cost, salt));
  if (!plain)
    return new Failure("passphrase_wrong", "the passphrase does not open this export", {
      next: "try again; if the passphrase is right, the text was edited: janee key export on the old machine",
    });
  const content = v.safeParse(contentSchema, parseJson(plain));
  if (!content.success)
    return malformed("what it holds is in a form that this version of janee does not know");
  const keys = new Map<string, Uint8Array>();
  for (const { id, key } of content.output.keys) {
    const bytes = fromBase64Url(key);
    if (bytes?.length === 32) keys.set(id, bytes);
  }
  const audit = fromBase64Url(content.output.audit);
  const { id, current } = content.output;
  if (audit?.length !== 32 || keys.size !== content.output.keys.length || !keys.has(current))
    return malformed("the keys in it are inconsistent");
  return { id, current, keys, audit };
}

/** One passphrase has several spellings in Unicode, and keyboards differ: NFKC makes them one. */
function stretch(passphrase: string, salt: Uint8Array, cost: Argon2Cost): Uint8Array {
  const bytes = new TextEncoder().encode(passphrase.normalize("NFKC"));
  return argon2id(bytes, salt, { ...cost, dkLen: 32 });
}

function associated({ m, t, p }: Argon2Cost, salt: Uint8Array): Uint8Array {
  return new TextEncoder().encode(JSON.stringify([prefix, "argon2id", m, t, p, toBase64Url(salt)]));
}

function malformed(what: string): Failure {
  return new Failure("store_refused", `this is not a key export that janee can take: ${what}`, {
    next: "copy the whole text that janee key export printed on the old machine",
  });
}

function parseJson(bytes: Uint8Array | undefined): unknown {
  try {
    return bytes && JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
