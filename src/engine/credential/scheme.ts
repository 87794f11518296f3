// One interface for every way a service authenticates. A scheme knows which of its fields are secret,
// where the credential goes on a request, and every value that must never come back.
import type { Secret } from "../secret.ts";

/** The `auth:` block of a service as it stands in the config, its secrets apart. */
export interface Auth {
  readonly type: string;
  /** Fields that are no secret: `username`, … */
  readonly open: ReadonlyMap<string, string>;
  /** Secret fields by their path below `auth`, joined by dots: `key`, `headers.X-Api-Key`. */
  readonly secret: ReadonlyMap<string, StoredSecret>;
}

/** A secret as the config holds it. */
export type StoredSecret =
  | { readonly kind: "plain"; readonly secret: Secret }
  | { readonly kind: "sealed"; readonly text: string }
  | { readonly kind: "reference"; readonly text: string };

/** Secret fields, opened. */
export type OpenedSecrets = ReadonlyMap<string, Secret>;

/** What is put on one request, and every form of it that is redacted from the answer. */
export interface Injection {
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Name and value, percent-encoded by the one who sends. */
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly redact: readonly string[];
}

export interface Scheme {
  readonly type: string;
  /** Where the credential goes, bound into the seal: `header:authorization`, `query:api_key`. */
  place(auth: Auth): string;
  /** Header names, in lower case, that only janee may set. */
  headerNames(auth: Auth): readonly string[];
  queryNames(auth: Auth): readonly string[];
  inject(auth: Auth, opened: OpenedSecrets): Injection;
}

export function need(opened: OpenedSecrets, field: string): string {
  const secret = opened.get(field);
  if (!secret) throw new Error(`the secret field "${field}" was not opened`);
  return secret.reveal();
}
