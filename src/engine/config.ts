// What the config file means, once it is read. Reading it is `read-config.ts`.
import type { Auth } from "./credential/scheme.ts";
import type { ArgsRule } from "./exec/args-rule.ts";
import type { FieldPattern } from "./issued/pattern.ts";
import type { RuleList } from "./rule.ts";

export interface BaseUrl {
  /** As written in the file; bound whole into the seal. */
  readonly text: string;
  readonly scheme: "http" | "https";
  /** Lower case; an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
  /** "" or "/api/v2": begins with a slash, ends without; canonical. */
  readonly prefix: string;
  /** Value of the Host header: host, and the port where it is not the scheme's own. */
  readonly authority: string;
}

export interface Service {
  readonly name: string;
  readonly base: BaseUrl | undefined;
  readonly auth: Auth;
  readonly allowCleartext: boolean;
  readonly allowLinkLocal: boolean;
  readonly allowEmptySegments: boolean;
  readonly allowCookies: boolean;
  readonly allowRange: boolean;
  readonly caFile: string | undefined;
  /** Fields of its answers that hold credentials which it has just issued. */
  readonly capture: readonly FieldPattern[];
  /** Where in a request placeholders are replaced. */
  readonly placeholders: readonly PlaceholderPlace[];
  /** How old the credential may grow before a person is told. */
  readonly maxAgeMs?: number | undefined;
}

export type PlaceholderPlace = "header" | "query" | "path" | "body";

export interface RateLimit {
  readonly count: number;
  /** Length of the window in milliseconds. */
  readonly windowMs: number;
  /** As written: `100/h`. */
  readonly text: string;
}

export interface ExecPolicy {
  readonly allowCommands: readonly string[];
  readonly envMap: ReadonlyMap<string, string>;
  readonly timeoutMs: number;
  readonly workDir: string | undefined;
  /** Commands that hand the credential to whoever writes their arguments are meant to be listed. */
  readonly dangerous: boolean;
  /** Rules on the arguments of a command; a command that is not in here has none. */
  readonly args: ReadonlyMap<string, readonly ArgsRule[]>;
  /** The digest, in lower-case hex, that a command's file must have. */
  readonly sha256: ReadonlyMap<string, string>;
}

export interface Capability {
  readonly name: string;
  readonly service: string;
  readonly mode: "http" | "exec";
  readonly description: string | undefined;
  readonly ttlMs: number;
  readonly autoApprove: boolean;
  readonly approval: "any" | "out-of-band";
  readonly requireReason: boolean;
  readonly limit: RateLimit | undefined;
  readonly allowedAgents: readonly string[] | undefined;
  readonly rules: RuleList;
  readonly exec: ExecPolicy | undefined;
  /** In http mode: variables in which `janee run` puts what stands for the credential. */
  readonly runMap?: ReadonlyMap<string, string>;
}

export interface NetworkSettings {
  readonly proxy:
    | { readonly host: string; readonly port: number; readonly authorization?: string }
    | undefined;
  /** Host names, or suffixes that begin with a dot. */
  readonly noProxy: readonly string[];
  readonly caFile: string | undefined;
  /** What the forward proxy does with addresses that no capability is at; absent: deny. */
  readonly unmatched?: Unmatched;
}

export type Unmatched = "deny" | "tunnel";

/** How janee logs in to Vault or OpenBao; the secret that belongs to it is sealed or a reference. */
export type VaultLogin =
  | { readonly type: "token" }
  | { readonly type: "approle"; readonly mount: string; readonly roleId: string }
  | { readonly type: "jwt"; readonly mount: string; readonly role: string };

export interface VaultStore {
  /** Where it is reached, and what its secret is bound to: a service that no capability can name. */
  readonly service: Service;
  readonly namespace: string | undefined;
  readonly login: VaultLogin;
  /** The field of `service.auth.secret` that the login needs. */
  readonly secret: string;
}

/** Stores of secrets that references lead to. */
export interface Stores {
  readonly vault: VaultStore | undefined;
}

export interface Config {
  readonly services: ReadonlyMap<string, Service>;
  readonly capabilities: ReadonlyMap<string, Capability>;
  readonly network: NetworkSettings;
  readonly audit: { readonly sync: boolean };
  readonly stores: Stores;
}

/** Everything that has secrets in the config. */
export function secretOwners({ services, stores }: Config): readonly Service[] {
  return [...services.values(), ...(stores.vault ? [stores.vault.service] : [])];
}

/** What a service allows beyond what is safe by default. */
export const serviceFlags = [
  "allowCleartext",
  "allowLinkLocal",
  "allowEmptySegments",
  "allowCookies",
  "allowRange",
] as const satisfies readonly (keyof Service)[];
