// Where a command gets a new credential from, and which secret fields it fills.
import { schemeTypes } from "../engine/credential/index.ts";
import type { MadeScheme } from "../engine/credential/scheme.ts";
import type { Json } from "../engine/edit-config.ts";
import { Failure } from "../engine/failure.ts";
import { askHidden, isInteractive } from "../host/terminal.ts";
import type { Arguments, Flag, Talk } from "./command.ts";
import { givesMade, madeFlags, readMade, schemeFromFlags, typesSecret } from "./made-flags.ts";
import { readSecretText, type SecretSource } from "./secret-source.ts";

export const credentialFlags: Readonly<Record<string, Flag>> = {
  "auth-type": { type: "string", value: "TYPE", help: `one of ${schemeTypes.join(", ")}` },
  key: { type: "string", value: "KEY", help: "the credential; others can see it: better --key-stdin" },
  "key-stdin": { type: "boolean", help: "read the credential from standard input" },
  "key-env": { type: "string", value: "NAME", help: "take it from this environment variable, now" },
  "key-file": { type: "string", value: "PATH", help: "take it from this file, now" },
  username: { type: "string", value: "NAME", help: "with basic: the user; or give user:password as the key" },
  header: {
    type: "string",
    value: "NAME=VALUE",
    multiple: true,
    help: "a header with a secret value; NAME alone takes it from --key…",
  },
  param: {
    type: "string",
    value: "NAME=VALUE",
    multiple: true,
    help: "a query parameter with a secret value; NAME alone takes it from --key…",
  },
  ...madeFlags,
};

/** How a service authenticates, before its secrets are known. */
export type AuthShape =
  | { readonly type: "bearer" }
  | { readonly type: "basic" }
  | { readonly type: "headers"; readonly names: readonly string[] }
  | { readonly type: "query"; readonly names: readonly string[] }
  | { readonly type: "made"; readonly scheme: MadeScheme };

/** The `auth:` block as it is written, secrets in the clear: they are sealed before anything is stored. */
export interface AuthBlock {
  readonly type: string;
  readonly open: Readonly<Record<string, Json>>;
  /** By secret field: `key`, `password`, `headers.X-Api-Key`, `params.api_key`. */
  readonly secret: Readonly<Record<string, string>>;
}

/** Whether what was given is a secret of its own, or names one that lies elsewhere. */
export function credentialKind(auth: AuthBlock | undefined): "none" | "new" | "reference" {
  if (!auth) return "none";
  return Object.values(auth.secret).some((text) => /^(?:env|file|cmd):/.test(text)) ? "reference" : "new";
}

export function shapeFromFlags(args: Arguments): AuthShape | Failure | undefined {
  const scheme = schemeFromFlags(args);
  if (scheme instanceof Failure) return scheme;
  if (scheme) return { type: "made", scheme };
  const headers = args.texts("header").map(nameOf);
  const params = args.texts("param").map(nameOf);
  const type = args.text("auth-type");
  if (headers.length > 0 && params.length > 0)
    return new Failure("usage", "--header and --param exclude each other");
  const implied =
    headers.length > 0 ? "headers" : params.length > 0 ? "query" : args.text("username") && "basic";
  if (type !== undefined && implied && implied !== type) {
    return new Failure(
      "usage",
      `--auth-type ${type.slice(0, 20)} does not go with the other flags, which mean ${implied}`,
    );
  }
  const chosen = type ?? implied;
  if (chosen === undefined) return undefined;
  if (chosen === "bearer" || chosen === "basic") return { type: chosen };
  if (chosen === "headers") {
    if (headers.length === 0) return new Failure("usage", "--auth-type headers wants --header NAME=VALUE");
    return { type: "headers", names: headers };
  }
  if (chosen === "query") {
    if (params.length === 0) return new Failure("usage", "--auth-type query wants --param NAME=VALUE");
    return { type: "query", names: params };
  }
  return new Failure(
    "usage",
    `unknown --auth-type ${chosen.slice(0, 20)}: expected ${schemeTypes.join(", ")}`,
  );
}

export function givesCredential(args: Arguments): boolean {
  const sources = ["key", "key-stdin", "key-env", "key-file"];
  const inline = [...args.texts("header"), ...args.texts("param")].some((text) => text.includes("="));
  return inline || givesMade(args) || sources.some((flag) => args.flag(flag));
}

/** The block with its secrets, asked for on a terminal where no flag gave them. `whole`: it is a new one. */
export async function readAuth(
  args: Arguments,
  talk: Talk,
  shape: AuthShape,
  service: string,
  whole: boolean,
): Promise<AuthBlock | Failure> {
  const inline = [...args.texts("header"), ...args.texts("param")].filter((text) => text.includes("="));
  if (inline.length > 0 || args.text("key") !== undefined || typesSecret(args)) {
    talk.say(
      "janee: warning: a secret on the command line is seen by other programs and kept in the shell's history; --key-stdin is not",
    );
  }
  if (shape.type === "made") return readMade(args, talk, shape.scheme, whole);
  if (shape.type === "headers" || shape.type === "query") return namedSecrets(args, talk, shape, service);
  const key = await readKey(
    args,
    talk,
    `the ${shape.type === "basic" ? "user:password" : "API key"} of ${service}`,
  );
  if (key instanceof Failure) return key;
  if (shape.type === "bearer") return { type: "bearer", open: {}, secret: { key } };
  return basicFrom(args.text("username"), key);
}

/** Without --username the whole pair is the secret; a key without a colon is a user with an empty password. */
function basicFrom(username: string | undefined, key: string): AuthBlock {
  if (username !== undefined) return { type: "basic", open: { username }, secret: { password: key } };
  return { type: "basic", open: {}, secret: { key } };
}

async function namedSecrets(
  args: Arguments,
  talk: Talk,
  shape: Extract<AuthShape, { readonly names: readonly string[] }>,
  service: string,
): Promise<AuthBlock | Failure> {
  const [flag, field] = shape.type === "headers" ? ["header", "headers"] : ["param", "params"];
  const given = new Map(args.texts(flag).map((text) => [nameOf(text), givenValue(text)]));
  const secret: Record<string, string> = {};
  const missing = shape.names.filter((name) => given.get(name) === undefined);
  if (missing.length > 1) {
    return new Failure(
      "usage",
      `give each value: --${flag} ${missing.map((name) => `${name}=…`).join(` --${flag} `)}`,
    );
  }
  for (const name of shape.names) {
    const value = given.get(name) ?? (await readKey(args, talk, `the value of ${name} for ${service}`));
    if (value instanceof Failure) return value;
    secret[`${field}.${name}`] = value;
  }
  return { type: shape.type, open: {}, secret };
}

const keySource: SecretSource = {
  flags: { value: "key", variable: "key-env", file: "key-file", stdin: "key-stdin" },
  alsoKey: false,
};

async function readKey(args: Arguments, talk: Talk, what: string): Promise<string | Failure> {
  const given = await readSecretText(args, talk, keySource, what);
  if (given !== undefined) return given;
  if (!isInteractive()) {
    return new Failure("usage", `${what} is missing`, {
      next: "give it with --key-stdin, --key-env NAME or --key-file PATH",
    });
  }
  return (await askHidden(`${what} (not shown): `)) ?? new Failure("usage", "cancelled: nothing was changed");
}

function nameOf(text: string): string {
  const equals = text.indexOf("=");
  return equals < 0 ? text : text.slice(0, equals);
}

function givenValue(text: string): string | undefined {
  const equals = text.indexOf("=");
  return equals < 0 ? undefined : text.slice(equals + 1);
}
