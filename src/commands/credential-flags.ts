// Where a command gets a new credential from, and which secret fields it fills.
import { schemeTypes } from "../engine/credential/index.ts";
import type { MadeScheme } from "../engine/credential/scheme.ts";
import type { Json } from "../engine/edit-config.ts";
import { Failure } from "../engine/failure.ts";
import { didYouMean } from "../engine/nearest.ts";
import { isReference } from "../engine/reference.ts";
import { askHidden, isInteractive } from "../host/terminal.ts";
import type { Arguments, Flag, Talk } from "./command.ts";
import { givesMade, madeFlags, readMade, schemeFromFlags, typesSecret } from "./made-flags.ts";
import { keyFlags, readSecretText } from "./secret-source.ts";

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
  cookie: {
    type: "string",
    value: "NAME=VALUE",
    multiple: true,
    help: "a cookie with a secret value; NAME alone takes it from --key…",
  },
  ...madeFlags,
};

/** Schemes whose secrets have names that the person chooses: the flag that gives one, and what groups them in the config. */
const named = {
  headers: { flag: "header", field: "headers" },
  query: { flag: "param", field: "params" },
  cookie: { flag: "cookie", field: "cookies" },
} as const;
type NamedType = keyof typeof named;
const namedTypes = Object.keys(named) as NamedType[];

export function isNamed(type: string | undefined): type is NamedType {
  return type !== undefined && Object.hasOwn(named, type);
}

/** How a service authenticates, before its secrets are known. */
export type AuthShape =
  | { readonly type: "bearer" }
  | { readonly type: "basic" }
  | { readonly type: NamedType; readonly names: readonly string[] }
  | { readonly type: "made"; readonly scheme: MadeScheme };

/** The `auth:` block as it is written, secrets in the clear: they are sealed before anything is stored. */
export interface AuthBlock {
  readonly type: string;
  readonly open: Readonly<Record<string, Json>>;
  /** By secret field: `key`, `password`, `headers.X-Api-Key`, `params.api_key`. */
  readonly secret: Readonly<Record<string, string>>;
}

/** Whether what was given is a secret of its own, or names one that lies elsewhere. `staying`: secrets that it leaves. */
export function credentialKind(
  auth: AuthBlock | undefined,
  staying: readonly string[] = [],
): "none" | "new" | "reference" {
  if (!auth) return "none";
  if (Object.values(auth.secret).some(isReference)) return "reference";
  // Beside a secret that stays, what else is given decides what an existing credential can do.
  return staying.length > 0 ? "none" : "new";
}

export function shapeFromFlags(args: Arguments): AuthShape | Failure | undefined {
  const scheme = schemeFromFlags(args);
  if (scheme instanceof Failure) return scheme;
  if (scheme) return { type: "made", scheme };
  const type = args.text("auth-type");
  const given = namedTypes.filter((one) => args.flag(named[one].flag));
  if (given.length > 1) {
    const flags = given.map((one) => `--${named[one].flag}`);
    return new Failure("usage", `${flags.join(" and ")} exclude each other`);
  }
  const implied = given[0] ?? (args.text("username") && "basic");
  if (type !== undefined && implied && implied !== type) {
    return new Failure(
      "usage",
      `--auth-type ${type.slice(0, 20)} does not go with the other flags, which mean ${implied}`,
    );
  }
  const chosen = type ?? implied;
  if (chosen === undefined) return undefined;
  if (chosen === "bearer" || chosen === "basic") return { type: chosen };
  if (isNamed(chosen)) {
    const { flag } = named[chosen];
    const names = args.texts(flag).map(nameOf);
    if (names.length > 0) return { type: chosen, names };
    return new Failure("usage", `--auth-type ${chosen} wants --${flag} NAME=VALUE`);
  }
  return new Failure(
    "usage",
    `unknown --auth-type ${chosen.slice(0, 20)}${didYouMean(chosen, schemeTypes)}`,
    { next: `expected one of ${schemeTypes.join(", ")}` },
  );
}

function inlineSecrets(args: Arguments): readonly string[] {
  return namedTypes.flatMap((type) => args.texts(named[type].flag)).filter((text) => text.includes("="));
}

export function givesCredential(args: Arguments): boolean {
  const sources = ["key", "key-stdin", "key-env", "key-file"];
  return inlineSecrets(args).length > 0 || givesMade(args) || sources.some((flag) => args.flag(flag));
}

/** The block with its secrets, asked for on a terminal where no flag gave them. `whole`: it is a new one. */
export async function readAuth(
  args: Arguments,
  talk: Talk,
  shape: AuthShape,
  service: string,
  whole: boolean,
): Promise<AuthBlock | Failure> {
  const typed = args.text("key");
  if (inlineSecrets(args).length > 0 || (typed !== undefined && !isReference(typed)) || typesSecret(args)) {
    talk.say(
      "janee: warning: a secret on the command line is seen by other programs and kept in the shell's history; --key-stdin is not",
    );
  }
  if (shape.type === "made") return readMade(args, talk, shape.scheme, whole);
  if ("names" in shape) return namedSecrets(args, talk, shape, service);
  const key = await readKey(
    args,
    talk,
    `the ${shape.type === "basic" && !args.flag("username") ? "user:password" : "API key"} of ${service}`,
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
  const { flag, field } = named[shape.type];
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

async function readKey(args: Arguments, talk: Talk, what: string): Promise<string | Failure> {
  const given = await readSecretText(args, talk, { flags: keyFlags, alsoKey: false }, what);
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
