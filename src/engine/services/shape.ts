// What an entry of the directory holds, and what its plain texts mean: rules, shapes of keys, examples of keys.
import type { Effect } from "../rule.ts";

export type KnownAuth =
  | "bearer"
  | "basic"
  /** Basic with this user always; the key is the password. */
  | { readonly username: string }
  /** Headers with a secret value each; with `prefix` what stands before the key, such as `Bot `. */
  | { readonly header: string | readonly string[]; readonly prefix?: string }
  | { readonly param: string | readonly string[] }
  /** Any other `auth.type`, by its name, with those flags of `janee add` that are the same for everyone. */
  | { readonly scheme: string; readonly flags?: Readonly<Record<string, string>> };

/** Regular expressions as text, for whole keys; at least one of the two. */
export interface KeyShape {
  /** Keys that begin as no other vendor's do: found in a text, they tell whose they are. */
  readonly own?: string;
  /** Keys that could be another vendor's as well. */
  readonly shape?: string;
  /** Examples: `{24}` stands for 24 letters or digits, `{24:hex}` for digits of a kind, `{uuid}` for a UUID. */
  readonly like: readonly string[];
}

export interface KnownService {
  readonly name: string;
  readonly title: string;
  /** Who it is from, where that is not the name: services of one vendor may share a variable. */
  readonly vendor?: string;
  readonly baseUrl: string;
  /** Each customer has a host of their own, and `baseUrl` is only an example of it. */
  readonly ownHost?: true;
  readonly auth: KnownAuth;
  /** Where a person makes a key. */
  readonly keyPage: string;
  readonly docs: string;
  /** The page or file of the vendor that the base URL was read from; with `ownHost`, how a key is carried. */
  readonly source: string;
  readonly key?: KeyShape;
  /** The variables that the vendor's own tools read, those first that hold the key itself. */
  readonly variables: readonly string[];
  /** A harmless GET, for `janee test`. */
  readonly test: string;
  /** What the service wants to see with it. */
  readonly testHeaders?: Readonly<Record<string, string>>;
  /** Ordered rules: `allow: GET /v1/*`. Each list ends in `deny: *`. */
  readonly policies: Readonly<Record<string, readonly string[]>>;
}

/** A field of work and its services. */
export interface Field {
  readonly field: string;
  readonly services: readonly KnownService[];
}

/** GET reads, and nothing else does. */
export const reading: readonly string[] = ["allow: GET *", "deny: *"];

/** Everything but what deletes: a POST may do so as well, by its path or inside of a GraphQL body. */
export const keeping: readonly string[] = [
  ...["deny: POST /*delete*", "deny: POST /*graphql*"],
  ...["allow: GET *", "allow: POST *", "allow: PUT *", "allow: PATCH *", "deny: *"],
];

/** The policies of a service that the directory does not have. */
export const genericPolicies: Readonly<Record<string, readonly string[]>> = {
  "read-only": reading,
  "no-delete": ["deny: DELETE *", "allow: *"],
};

/** `allow: GET /v1/*` as effect and pattern. */
export function splitRule(text: string): { readonly effect: Effect; readonly pattern: string } {
  const at = text.indexOf(": ");
  return { effect: text.slice(0, at) as Effect, pattern: text.slice(at + 2) };
}

/** Whether it could be a key of the service; true where nobody knows what its keys look like. */
export function looksLikeKey({ own, shape }: KeyShape, key: string): boolean {
  return [own, shape].some((source) => source !== undefined && new RegExp(`^(?:${source})$`).test(key));
}

const alphabets: Readonly<Record<string, string>> = {
  "": "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
  hex: "0123456789abcdef",
  digits: "0123456789",
  lower: "abcdefghijklmnopqrstuvwxyz0123456789",
  upper: "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
};
const gap = /\{(?:(\d+)(?::([a-z]+))?|uuid)\}/g;
const uuid = "{8:hex}-{4:hex}-4{3:hex}-8{3:hex}-{12:hex}";

/** A made-up key: each gap of the example filled by `pick`, which chooses a number below its argument. */
export function fillExample(example: string, pick: (below: number) => number): string {
  return example.replaceAll("{uuid}", uuid).replace(gap, (_, count: string, kind: string | undefined) => {
    const alphabet = alphabets[kind ?? ""] ?? "";
    return Array.from({ length: Number(count) }, () => alphabet[pick(alphabet.length)]).join("");
  });
}

const kinds: Readonly<Record<string, string>> = {
  "": "letters or digits",
  hex: "hex digits",
  digits: "digits",
  lower: "small letters or digits",
  upper: "capitals or digits",
};

/** For a person: `sk_test_…, or 32 hex digits`. */
export function describeShape({ like }: KeyShape): string {
  const texts = like.map((example) => {
    const alone = /^\{(\d+)(?::([a-z]+))?\}$/.exec(example);
    if (alone) return `${alone[1]} ${kinds[alone[2] ?? ""]}`;
    return example === "{uuid}" ? "a UUID" : example.replace(gap, "…");
  });
  return [...new Set(texts)].join(", or ");
}
