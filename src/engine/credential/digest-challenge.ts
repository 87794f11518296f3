// What a service says in WWW-Authenticate: https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1 and, of Digest,
// https://www.rfc-editor.org/rfc/rfc7616#section-3.3
import type { HashName, HeaderField } from "../ports.ts";

export interface Challenge {
  /** As it stood between its quotes, each character one byte. */
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | undefined;
  /** As it was written; undefined: it was not, and MD5 is meant. */
  readonly algorithm: string | undefined;
  readonly hash: HashName;
  readonly isSession: boolean;
  readonly qop: "auth" | "auth-int" | undefined;
  readonly userhash: boolean;
  readonly stale: boolean;
  /** The more, the stronger. */
  readonly strength: number;
}

/** Weakest first. */
const hashes: readonly (readonly [name: string, hash: HashName])[] = [
  ["md5", "md5"],
  ["sha-256", "sha256"],
  ["sha-512-256", "sha512-256"],
];

const longestField = 8 * 1024;
const longestValue = 1024;

/** The strongest that can be answered; Basic and all others are none. */
export function strongest(fields: readonly HeaderField[], realm: string | undefined): Challenge | undefined {
  let best: Challenge | undefined;
  for (const { key, value } of fields) {
    if (key !== "www-authenticate" || value.length > longestField) continue;
    for (const parameters of digestsIn(value)) {
      const challenge = challengeOf(parameters);
      if (!challenge || (realm !== undefined && challenge.realm !== realm)) continue;
      if (!best || challenge.strength > best.strength) best = challenge;
    }
  }
  return best;
}

function challengeOf(parameters: ReadonlyMap<string, string>): Challenge | undefined {
  const [realm, nonce] = [parameters.get("realm"), parameters.get("nonce")];
  const algorithm = parameters.get("algorithm");
  const [, name, session] = /^(.+?)(-sess)?$/.exec((algorithm ?? "md5").toLowerCase()) ?? [];
  const rank = hashes.findIndex(([known]) => known === name);
  const hash = hashes[rank]?.[1];
  if (realm === undefined || !nonce || !hash) return undefined;
  const offered = parameters
    .get("qop")
    ?.toLowerCase()
    .split(",")
    .map((one) => one.trim());
  const qop = (["auth", "auth-int"] as const).find((one) => offered?.includes(one));
  if (offered && !qop) return undefined;
  return {
    ...{ realm, nonce, algorithm, hash, qop, opaque: parameters.get("opaque") },
    isSession: session !== undefined,
    userhash: parameters.get("userhash")?.toLowerCase() === "true",
    stale: parameters.get("stale")?.toLowerCase() === "true",
    strength: rank * 2 + (qop ? 1 : 0),
  };
}

const item =
  /[\t ,]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:[\t ]*=[\t ]*(?:"((?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*)"|([!#$%&'*+.^_`|~0-9A-Za-z-]+)))?/y;

/** The parameters of each challenge for Digest. One in which a name stands twice is none. */
function digestsIn(value: string): ReadonlyMap<string, string>[] {
  const found: Map<string, string>[] = [];
  let current: Map<string, string> | undefined;
  let at = 0;
  while (at < value.length) {
    item.lastIndex = at;
    const match = item.exec(value);
    if (!match) {
      const comma = value.indexOf(",", at + 1);
      at = comma < 0 ? value.length : comma;
      continue;
    }
    at = item.lastIndex;
    const [, name = "", quoted, plain] = match;
    const text = quoted ?? plain;
    if (text === undefined) {
      current = name.toLowerCase() === "digest" ? new Map() : undefined;
      if (current) found.push(current);
      continue;
    }
    const key = name.toLowerCase();
    if (current?.has(key) || text.length > longestValue) current?.set("nonce", "");
    else if (current?.get("nonce") !== "") current?.set(key, text);
  }
  return found;
}
