// A credential as it stands in config.yaml: `sealed:v1:<key id>:<marks>:<nonce, ciphertext and tag>:<when it was set>`.
// What it is bound to (where it may travel, and how) is associated data, so that it opens nowhere else.
import { gcm } from "@noble/ciphers/aes.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import type { Service } from "./config.ts";
import { schemeOf } from "./credential/index.ts";
import { Failure } from "./failure.ts";
import type { Entropy } from "./ports.ts";
import { Secret } from "./secret.ts";

/** Everything that decides where a credential goes. An edit of any of it makes the seal refuse. */
export type Binding = readonly [
  format: "janee sealed v1",
  storeId: string,
  service: string,
  field: string,
  authType: string,
  place: string,
  baseUrl: string,
  allowCleartext: string,
  allowLinkLocal: string,
  caFile: string,
];

const prefix = "sealed:";
const nonceLength = 12;
const tagLength = 16;
const markLength = 8;
const baseUrlIndex = 6;

export function isSealed(text: string): boolean {
  return text.startsWith(prefix);
}

export function bindingOf(storeId: string, service: Service, field: string): Binding {
  return [
    "janee sealed v1",
    storeId,
    service.name,
    field,
    service.auth.type,
    schemeOf(service.auth.type).place(service.auth),
    service.base?.text ?? "",
    String(service.allowCleartext),
    String(service.allowLinkLocal),
    service.caFile ?? "",
  ];
}

export function sealText(
  key: Uint8Array,
  keyId: string,
  text: string,
  binding: Binding,
  entropy: Entropy,
  setAt?: number,
): string {
  if (!text.isWellFormed()) throw new Error("a lone surrogate in a credential: the config should refuse it");
  const time = setAt === undefined ? undefined : timeText(setAt);
  const box = sealBytes(key, new TextEncoder().encode(text), associated(keyId, binding, time), entropy);
  const sealed = `${prefix}v1:${keyId}:${toBase64Url(marksOf(key, binding))}:${toBase64Url(box)}`;
  return time === undefined ? sealed : `${sealed}:${time}`;
}

/** Milliseconds since 1970 at which the credential was given; undefined where the sealed text does not say. */
export function sealedWhen(sealed: string): number | undefined {
  const [, year, month, day, hour, minute, second, rest] = timePattern.exec(sealed.split(":")[5] ?? "") ?? [];
  if (year === undefined) return undefined;
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${rest}Z`);
  return Number.isNaN(time) ? undefined : time;
}

const timePattern = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z$/;

/** ISO 8601 in its basic form: a colon would be a border. */
function timeText(time: number): string {
  return new Date(time).toISOString().replace(/[-:.]/g, "");
}

export function openText(
  keys: ReadonlyMap<string, Uint8Array>,
  sealed: string,
  binding: Binding,
): Secret | Failure {
  const service = binding[2];
  const parts = sealed.split(":");
  const [word, version, keyId, marksText, boxText, time] = parts;
  if (word !== "sealed") throw new Error("openText was given a text that is not sealed");
  if (version !== "v1" && version !== undefined && /^v\d+$/.test(version))
    return refusal(
      service,
      `does not open: it was sealed in the form ${version} by another version of janee`,
    );
  const marks = fromBase64Url(marksText ?? "");
  const box = fromBase64Url(boxText ?? "");
  const whole = parts.length === 5 || (parts.length === 6 && sealedWhen(sealed) !== undefined);
  if (version !== "v1" || !whole || !keyId || marks?.length !== 2 * markLength || !box)
    return refusal(service, "does not open: its sealed text is damaged");
  const key = keys.get(keyId);
  if (!key)
    return refusal(service, "does not open: it was sealed by another vault, or by a key since rotated away");

  // The marks only choose the words of a refusal; whether it opens is for the cipher alone to say.
  const expected = marksOf(key, binding);
  const sameRest = sameBytes(marks.subarray(0, markLength), expected.subarray(0, markLength));
  const sameBase = sameBytes(marks.subarray(markLength), expected.subarray(markLength));
  if (sameRest && !sameBase)
    return new Failure(
      "origin_mismatch",
      `the credential of "${service}" does not open: it was sealed for another baseUrl than the config now has`,
      { next: `undo the edit of baseUrl, or give the credential again: janee set ${service}` },
    );
  const plain = sameRest ? openBytes(key, box, associated(keyId, binding, time)) : undefined;
  const text = plain && decodeUtf8(plain);
  if (text === undefined)
    return refusal(
      service,
      "does not open: it was moved or edited, or a field it is bound to was (such as caFile or allowCleartext)",
    );
  return new Secret(text);
}

function refusal(service: string, what: string): Failure {
  return new Failure("store_refused", `the credential of "${service}" ${what}`, {
    next: `undo the edit, or give the credential again: janee set ${service}`,
  });
}

function associated(keyId: string, binding: Binding, time: string | undefined): Uint8Array {
  return canonical([keyId, ...binding, ...(time === undefined ? [] : [time])]);
}

/** JSON keeps two lists apart whatever is in them: a separator inside a field cannot move its border. */
function canonical(parts: readonly string[]): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(parts));
}

/** Two keyed marks, of everything but the baseUrl and of the baseUrl, tell a person which edit undid the seal. */
function marksOf(key: Uint8Array, binding: Binding): Uint8Array {
  const markKey = derive(key, binding[1], "janee marks v1");
  const rest = canonical(["rest", ...binding.filter((_, index) => index !== baseUrlIndex)]);
  const base = canonical(["base", binding[baseUrlIndex]]);
  const marks = new Uint8Array(2 * markLength);
  marks.set(hmac(sha256, markKey, rest).subarray(0, markLength), 0);
  marks.set(hmac(sha256, markKey, base).subarray(0, markLength), markLength);
  return marks;
}

/** HKDF-SHA256 to 32 bytes, salted with the store's id: no two stores derive the same key. */
export function derive(key: Uint8Array, storeId: string, info: string): Uint8Array {
  const encoder = new TextEncoder();
  return hkdf(sha256, key, encoder.encode(storeId), encoder.encode(info), 32);
}

/** AES-256-GCM: nonce, ciphertext and 128-bit tag in one row. */
export function sealBytes(
  key: Uint8Array,
  plain: Uint8Array,
  associatedText: Uint8Array,
  entropy: Entropy,
): Uint8Array {
  const nonce = entropy.bytes(nonceLength);
  if (nonce.length !== nonceLength) throw new Error("entropy gave a nonce of the wrong length");
  return Buffer.concat([nonce, gcm(key, nonce, associatedText).encrypt(plain)]);
}

export function openBytes(
  key: Uint8Array,
  box: Uint8Array,
  associatedText: Uint8Array,
): Uint8Array | undefined {
  if (box.length < nonceLength + tagLength) return undefined;
  try {
    return gcm(key, box.subarray(0, nonceLength), associatedText).decrypt(box.subarray(nonceLength));
  } catch {
    // noble says "wrong tag" by throwing; there is no other way for 32-byte keys and whole boxes.
    return undefined;
  }
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (const [index, byte] of a.entries()) difference |= byte ^ (b[index] ?? 0);
  return difference === 0;
}

export function toBase64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64url");
}

/** Only the one spelling that `toBase64Url` writes; `Buffer` alone skips whatever it does not know. */
export function fromBase64Url(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(Buffer.from(text, "base64url"));
  return text !== "" && toBase64Url(bytes) === text ? bytes : undefined;
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
