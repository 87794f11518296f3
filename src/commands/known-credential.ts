// What the directory knows of a service's credential: how it is carried, and what it looks like.

import { isReference } from "../engine/reference.ts";
import { describeShape, type KnownAuth, type KnownService, looksLikeKey } from "../engine/services/shape.ts";
import type { Arguments } from "./command.ts";
import type { AuthBlock } from "./credential-flags.ts";

/** The flags that a person would have typed for this service, beside those that were. */
export function withKnownFlags(args: Arguments, known: KnownService | undefined): Arguments {
  if (!known) return args;
  const own = new Map(Object.entries(flagsOf(known.auth)));
  return {
    ...args,
    flag: (name) => args.flag(name) || own.has(name),
    text: (name) => args.text(name) ?? own.get(name)?.at(-1),
    texts: (name) => (args.flag(name) ? args.texts(name) : (own.get(name) ?? [])),
  };
}

function flagsOf(auth: KnownAuth): Readonly<Record<string, readonly string[]>> {
  if (typeof auth === "string") return { "auth-type": [auth] };
  if ("username" in auth) return { "auth-type": ["basic"], username: [auth.username] };
  if ("header" in auth) return { "auth-type": ["headers"], header: [auth.header].flat() };
  if ("param" in auth) return { "auth-type": ["query"], param: [auth.param].flat() };
  const flags = Object.entries(auth.flags ?? {}).map(([name, value]) => [name, [value]]);
  return { "auth-type": [auth.scheme], ...Object.fromEntries(flags) };
}

/** `Bot abc…` where the service wants it and only the key was given; a reference stays as it is. */
export function withPrefix(known: KnownService | undefined, auth: AuthBlock): AuthBlock {
  const prefix = prefixOf(known);
  if (prefix === "" || auth.type !== "headers") return auth;
  const secret = Object.entries(auth.secret).map(([field, value]) => {
    const whole = value.toLowerCase().startsWith(prefix.toLowerCase()) || isReference(value);
    return [field, whole ? value : prefix + value];
  });
  return { ...auth, secret: Object.fromEntries(secret) };
}

/** What to say of a key that no key of this service looks like: neither the key nor a part of it. */
export function doubtAbout(
  known: KnownService | undefined,
  auth: AuthBlock,
  ownerOf: (key: string) => KnownService | undefined,
): string | undefined {
  if (!known || !flagsOf(known.auth)["auth-type"]?.includes(auth.type)) return undefined;
  // Which of a scheme's own fields looks how, the directory does not say.
  if (typeof known.auth === "object" && "scheme" in known.auth) return undefined;
  const secrets = Object.entries(auth.secret);
  const [field = "", value = ""] = secrets[0] ?? [];
  if (secrets.length !== 1 || isReference(value)) return undefined;
  const prefix = prefixOf(known);
  const bare = prefix !== "" && value.startsWith(prefix) ? value.slice(prefix.length) : value;
  // user:key as one secret
  const key = auth.type === "basic" && field === "key" ? bare.slice(bare.lastIndexOf(":") + 1) : bare;
  if (known.key && looksLikeKey(known.key, key)) return undefined;
  const owner = ownerOf(key);
  if (owner && vendorOf(owner) !== vendorOf(known))
    return `this looks like a key of ${owner.title}, not of ${known.title}`;
  if (!known.key) return undefined;
  return `this does not look like a key of ${known.title}, which would be ${describeShape(known.key)}`;
}

function vendorOf({ vendor, name }: KnownService): string {
  return vendor ?? name;
}

function prefixOf(known: KnownService | undefined): string {
  const auth = known?.auth;
  return typeof auth === "object" && "header" in auth ? (auth.prefix ?? "") : "";
}
