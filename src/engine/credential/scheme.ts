// One interface for every way a service authenticates. A scheme knows which of its fields are secret,
// where the credential goes on a request, and every value that must never come back.
import type { BaseUrl, Service } from "../config.ts";
import type { Failure } from "../failure.ts";
import type { Body, ClientIdentity, Digest, Entropy, HeaderField, Opener, PrivateKeys } from "../ports.ts";
import type { Secret } from "../secret.ts";
import type { Target } from "../target.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Tokens } from "./tokens.ts";

/** The `auth:` block of a service as it stands in the config, its secrets apart. */
export interface Auth {
  readonly type: string;
  /** Fields that are no secret: `username`, `region`, … A list is joined by commas, a map is `a=b,c=d`. */
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

/** A key of the `auth:` block, for those who read the config, ask for it, and describe it. */
export interface AuthField {
  readonly name: string;
  /** `secret`: one line. `pem`: a secret in PEM, of several lines. `list` and `map` of texts. */
  readonly kind: "secret" | "pem" | "text" | "url" | "list" | "map";
  readonly required: boolean;
  /** What is expected, for an error and for help: "the app's id, a number". */
  readonly expected: string;
  /** A private key that signs RS256: what is none is refused where it is given, and not first where it is used. */
  readonly signs?: "RS256";
  /** Why a value (of a list or a map: each member) is none. Never shows it. */
  readonly problem?: (text: string) => string | undefined;
  /** Of `janee add`, without dashes; by default the name in kebab case. */
  readonly flag?: string;
  /**
   * janee itself stores a new one in its place: a call that is on its way then goes on. `alone`: nobody else gives
   * it, so that it has no flag.
   */
  readonly renewed?: "also" | "alone";
}

/** What is put on a request. */
export interface Placed {
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Name and value, percent-encoded by the one who sends. */
  readonly query: readonly (readonly [name: string, value: string])[];
}

/** The same on every request, with every form of it that is redacted from the answer. */
export interface Injection extends Placed {
  readonly redact: readonly string[];
}

/** A request as it will be sent, but for the credential. */
export interface Unsigned {
  readonly method: string;
  readonly base: BaseUrl;
  /** Canonical, the prefix of the base URL included. */
  readonly target: Target;
  /** Without Host, Accept-Encoding and framing, which the sending side writes itself. */
  readonly fields: readonly HeaderField[];
  /** Complete where the scheme `readsBody`; "stream" where the bytes are not known yet. */
  readonly body: Body;
  /** Milliseconds since 1970 by the wall clock. */
  readonly now: number;
}

/** A credential that is ready to be put on requests. */
export interface Credential {
  /** Beside the service's own secrets, what must never come back: tokens, and those they took the place of. */
  readonly redact: readonly string[];
  /** Milliseconds since 1970 from which it must be made anew. */
  readonly until?: number;
  /** What stands for the credential in commands, instead of the service's own secrets. */
  readonly exposed?: OpenedSecrets;
  readonly identity?: ClientIdentity;
  /** Called in the tick in which the first byte goes out. */
  sign(request: Unsigned): Placed | Failure;
  /** Looks at an answer of 401: true, and the request is signed anew and sent once more. */
  challenged?(fields: readonly HeaderField[], request: Unsigned): boolean;
  /** The service answered 401 to it: true, and it is made anew for the next request. */
  refused?(): boolean;
}

/** What a scheme may use to make a credential. */
export interface CredentialTools {
  /** Milliseconds since 1970 by the wall clock. */
  now(): number;
  readonly digest: Digest;
  readonly entropy: Entropy;
  readonly keys: PrivateKeys;
  readonly tokens: Tokens;
  readonly endpoint: Endpoint;
  /** For secrets that are exchanged for new ones, such as refresh tokens that rotate. */
  readonly exchange: Opener["exchange"];
}

interface Placement {
  readonly type: string;
  readonly title: string;
  /** The vendor's or the standard's page. */
  readonly page: string;
  /** Where the credential goes, bound into the seal: `header:authorization`, `query:api_key`. */
  place(auth: Auth): string;
  /** Header names, in lower case, that only janee may set. */
  headerNames(auth: Auth): readonly string[];
  queryNames(auth: Auth): readonly string[];
}

/** The credential is what is stored. */
export interface FixedScheme extends Placement {
  /** The ways in which its block can be written, for people. */
  readonly forms: readonly string[];
  inject(auth: Auth, opened: OpenedSecrets): Injection;
}

/** A request that an agent's own library may have signed already. */
export interface Wrapped {
  readonly auth: Auth;
  /** The fields as they came, those that never go out among them. */
  readonly asked: readonly HeaderField[];
  readonly fields: readonly HeaderField[];
  readonly body: Body;
}

/** The credential is made from what is stored: fetched, or computed for each request. */
export interface MadeScheme extends Placement {
  readonly fields: readonly AuthField[];
  /** The fields in one file of the vendor, given where the first secret is expected; undefined: it is none. */
  unpack?(text: string): { readonly [field: string]: string } | { readonly problem: string } | undefined;
  /** Which fields go together, and with where the service lives; undefined: all is well. */
  problemIn?(
    open: ReadonlyMap<string, string>,
    secrets: ReadonlySet<string>,
    base: BaseUrl | undefined,
  ): string | undefined;
  /** Whether secrets that were opened belong together; undefined: they do, or it cannot be told yet. */
  unfit?(opened: OpenedSecrets, keys: PrivateKeys): Promise<Failure | undefined>;
  /** A short-lived token is made of the secrets: commands get it, and never the secrets. */
  readonly yieldsToken: boolean;
  make(
    service: Service,
    opened: OpenedSecrets,
    tools: CredentialTools,
  ): Credential | Failure | Promise<Credential | Failure>;
  /** Why what an agent asks for must not be signed. `target`: below the prefix of the base URL. */
  refuse?(service: Service, target: Target, fields: readonly HeaderField[]): Failure | undefined;
  /** Whether the bytes of this body are signed, so that it has to be read whole. */
  readsBody?(service: Service, fields: readonly HeaderField[]): boolean;
  /** The body without what an agent's own signature put around it or into it; undefined: there is nothing of it. */
  unwrap?(
    wrapped: Wrapped,
  ): { readonly fields: readonly HeaderField[]; readonly body: Body } | Failure | undefined;
}

export type Scheme = FixedScheme | MadeScheme;

export function isMade(scheme: Scheme): scheme is MadeScheme {
  return "make" in scheme;
}

export function need(opened: OpenedSecrets, field: string): string {
  const secret = opened.get(field);
  if (!secret) throw new Error(`the secret field "${field}" was not opened`);
  return secret.reveal();
}
