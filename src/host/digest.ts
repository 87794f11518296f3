// Hashes that run on each request, by what the runtime has of its own.
import { createHmac, hash } from "node:crypto";
import type { Digest } from "../engine/ports.ts";
import { type Keyed, keyedSha256 } from "./runtime.ts";

/** A key is set up once: that takes longer than hashing a line with it. */
const known = new WeakMap<Uint8Array, Keyed>();

function keyed(key: Uint8Array): Keyed {
  const made = known.get(key) ?? keyedSha256?.(key) ?? withNodeCrypto(key);
  known.set(key, made);
  return made;
}

function withNodeCrypto(key: Uint8Array): Keyed {
  return (bytes) => createHmac("sha256", key).update(bytes).digest("base64url");
}

export const digest: Digest = {
  sha256: (bytes) => hash("sha256", bytes, "base64url"),
  hmac: (key, bytes) => keyed(key)(bytes),
  hash: (algorithm, bytes) => hash(algorithm, bytes, "buffer"),
  mac: (algorithm, key, bytes) => createHmac(algorithm, key).update(bytes).digest(),
};
