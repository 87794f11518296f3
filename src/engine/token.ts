// Session and agent tokens, and the short names beside them.
import type { Entropy } from "./ports.ts";

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const idAlphabet = "23456789abcdefghjkmnpqrstuvwxyz";

/** Anything that begins like a token of janee's is treated as one, and never travels on. */
export function looksLikeToken(text: string): boolean {
  return text.startsWith("jns_") || text.startsWith("jna_");
}

/** No token may stand in an audit line, whoever wrote it there. */
export function withoutTokens(text: string): string {
  if (!text.includes("jn")) return text;
  return text
    .replace(/jns_[0-9A-Za-z]{20,}/g, "[janee:session]")
    .replace(/jna_[0-9A-Za-z]{20,}/g, "[janee:agent]");
}

/** 32 random bytes in base62: `jns_` of a session, `jna_` of an agent. */
export function newToken(entropy: Entropy, prefix: "jns_" | "jna_" = "jns_"): string {
  let value = 0n;
  for (const byte of entropy.bytes(32)) value = (value << 8n) | BigInt(byte);
  let text = "";
  for (let place = 0; place < 43; place++) {
    text = `${base62[Number(value % 62n)]}${text}`;
    value /= 62n;
  }
  return `${prefix}${text}`;
}

/** A short name for people, unique enough to type; it opens nothing. */
export function shortId(entropy: Entropy, length = 6): string {
  let text = "";
  for (const byte of entropy.bytes(length)) text += idAlphabet[byte % idAlphabet.length];
  return text;
}
