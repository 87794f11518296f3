// The flags of schemes that say their own fields: each field has one, and a secret also takes a variable or a file.
import { isSecret, problemInOpen } from "../engine/config-made.ts";
import { madeSchemes } from "../engine/credential/index.ts";
import type { AuthField, MadeScheme } from "../engine/credential/scheme.ts";
import type { Json } from "../engine/edit-config.ts";
import { Failure } from "../engine/failure.ts";
import { isReference } from "../engine/reference.ts";
import { Secret } from "../engine/secret.ts";
import { privateKeys } from "../host/private-keys.ts";
import { askHidden, askLine, isInteractive } from "../host/terminal.ts";
import type { Arguments, Flag, Talk } from "./command.ts";
import { keyFlags, readSecretText, type SecretSource, secretFile } from "./secret-source.ts";

export function flagOf({ flag, name }: AuthField): string {
  return flag ?? name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

export const madeFlags: Readonly<Record<string, Flag>> = Object.fromEntries([
  ...madeSchemes.map(({ type, title }): [string, Flag] => [
    type,
    { type: "boolean", help: `authenticate by ${title}: the same as --auth-type ${type}`, schemes: [type] },
  ]),
  ...fieldsByFlag().flatMap((sharing) => flagsFor(sharing)),
]);

interface Sharing {
  readonly field: AuthField;
  /** More than one scheme can have the same flag: it is said once. */
  readonly help: string;
  readonly schemes: readonly string[];
}

function fieldsByFlag(): Sharing[] {
  const byFlag = new Map<string, Sharing>();
  for (const { type, fields } of madeSchemes) {
    for (const field of fields) {
      const flag = flagOf(field);
      // A flag of their own: what stands for every scheme's key, and what nobody gives.
      if (flag === "key" || flag === "username" || field.renewed === "alone") continue;
      const before = byFlag.get(flag);
      const said = `with ${type}: ${field.expected}`;
      byFlag.set(
        flag,
        before
          ? { ...before, help: `${before.help}; ${said}`, schemes: [...before.schemes, type] }
          : { field, help: said, schemes: [type] },
      );
    }
  }
  return [...byFlag.values()];
}

function flagsFor({ field, help, schemes }: Sharing): [string, Flag][] {
  const name = flagOf(field);
  if (!isSecret(field)) {
    const multiple = field.kind === "list" || field.kind === "map";
    return [
      [
        name,
        { type: "string", value: field.kind === "map" ? "NAME=VALUE" : "VALUE", multiple, help, schemes },
      ],
    ];
  }
  return [
    [
      name,
      { type: "string", value: "VALUE", help: `${help}; others can see it: better --${name}-file`, schemes },
    ],
    [
      `${name}-env`,
      { type: "string", value: "NAME", help: `take --${name} from this variable, now`, schemes },
    ],
    [`${name}-file`, { type: "string", value: "PATH", help: `take --${name} from this file, now`, schemes }],
  ];
}

/** The scheme that the flags name, if they name one. */
export function schemeFromFlags(args: Arguments): MadeScheme | Failure | undefined {
  const type = args.text("auth-type");
  const named = madeSchemes.filter((scheme) => args.flag(scheme.type) || type === scheme.type);
  if (named.length <= 1) return named[0];
  return new Failure("usage", `either ${named.map((scheme) => `--${scheme.type}`).join(" or ")}, not both`);
}

export function givesMade(args: Arguments): boolean {
  return Object.keys(madeFlags).some((flag) => args.flag(flag));
}

const keyFamily = ["key", "key-stdin", "key-env", "key-file"];

export interface MadeAuth {
  readonly type: string;
  readonly open: Readonly<Record<string, Json>>;
  readonly secret: Readonly<Record<string, string>>;
}

/** Whether a secret was typed where other programs can see it. */
export function typesSecret(args: Arguments): boolean {
  return madeSchemes.some(({ fields }) =>
    fields.some((field) => {
      const text = isSecret(field) ? args.text(flagOf(field)) : undefined;
      return text !== undefined && !isReference(text);
    }),
  );
}

/** `whole`: what is missing is asked for, or refused; else what is given takes the old one's place. */
export async function readMade(
  args: Arguments,
  talk: Talk,
  scheme: MadeScheme,
  whole: boolean,
): Promise<MadeAuth | Failure> {
  const open: Record<string, Json> = {};
  const secret: Record<string, string> = {};
  const main =
    scheme.fields.find((field) => flagOf(field) === "key") ??
    scheme.fields.find((field) => isSecret(field) && field.required) ??
    scheme.fields.find(isSecret);
  let unpacked: Readonly<Record<string, string>> = {};
  const bare = !whole && !givesMade(args) && !keyFamily.some((flag) => args.flag(flag));
  for (const field of scheme.fields) {
    if (field.renewed === "alone") continue;
    if (isSecret(field)) {
      const wanted = whole ? field.required : bare && field === main;
      const text = await readSecretField(args, talk, scheme, field, field === main, wanted);
      if (text instanceof Failure) return text;
      const found = text === undefined || field !== main ? undefined : scheme.unpack?.(text);
      if (found && "problem" in found) return new Failure("usage", String(found.problem));
      if (found) unpacked = found;
      const own = unpacked[field.name] ?? text;
      const unfit = own === undefined ? undefined : await problemInKey(field, own);
      if (unfit) return unfit;
      if (own !== undefined) secret[field.name] = own;
      continue;
    }
    const value = await readOpenField(args, scheme, field, whole, unpacked[field.name]);
    if (value instanceof Failure) return value;
    if (value !== undefined) open[field.name] = value;
  }
  const unfit = await problemTogether(scheme, secret);
  return unfit ?? { type: scheme.type, open, secret };
}

/** What a reference leads to is looked at when it is used. */
async function problemTogether(
  scheme: MadeScheme,
  secret: Readonly<Record<string, string>>,
): Promise<Failure | undefined> {
  const typed = Object.entries(secret).filter(([, text]) => !isReference(text));
  const opened = new Map(typed.map(([name, text]) => [name, new Secret(text)]));
  const unfit = await scheme.unfit?.(opened, privateKeys);
  if (!unfit) return undefined;
  const { message, next } = unfit;
  return new Failure("usage", message, next === undefined ? {} : { next });
}

/** What a reference leads to is looked at when it is used. */
async function problemInKey(field: AuthField, text: string): Promise<Failure | undefined> {
  if (!field.signs || isReference(text)) return undefined;
  const key = await privateKeys.rsa(new Secret(text));
  if (!(key instanceof Failure)) return undefined;
  const { message, next } = key;
  return new Failure("usage", message, next === undefined ? {} : { next });
}

async function readOpenField(
  args: Arguments,
  scheme: MadeScheme,
  field: AuthField,
  whole: boolean,
  unpacked: string | undefined,
): Promise<Json | Failure | undefined> {
  const many = field.kind === "list" || field.kind === "map";
  const flag = flagOf(field);
  const given = many
    ? args.texts(flag).flatMap((text) => text.split(","))
    : [args.text(flag) ?? unpacked ?? ""];
  const typed = given.map((text) => text.trim()).filter((text) => text !== "");
  const texts = typed.length > 0 || !whole || !field.required ? typed : await askFor(scheme, field);
  if (texts instanceof Failure) return texts;
  if (texts.length === 0) return undefined;
  for (const text of texts) {
    const problem = problemInOpen(text, field, many);
    if (problem) return new Failure("usage", `--${flag}: ${problem}`);
  }
  if (field.kind === "list") return texts;
  if (field.kind !== "map") return texts[0];
  return Object.fromEntries(
    texts.map((text) => [text.slice(0, text.indexOf("=")), text.slice(text.indexOf("=") + 1)]),
  );
}

async function askFor(scheme: MadeScheme, field: AuthField): Promise<string[] | Failure> {
  if (!isInteractive()) return missing(scheme, field, `--${flagOf(field)} VALUE`);
  const line = ((await askLine(`${field.expected}: `)) ?? "").trim();
  return line === ""
    ? new Failure("usage", "cancelled: nothing was changed")
    : line.split(",").map((one) => one.trim());
}

async function readSecretField(
  args: Arguments,
  talk: Talk,
  scheme: MadeScheme,
  field: AuthField,
  isMain: boolean,
  wanted: boolean,
): Promise<string | Failure | undefined> {
  const flag = flagOf(field);
  const own = { value: flag, variable: `${flag}-env`, file: `${flag}-file` };
  const source: SecretSource = { flags: flag === "key" ? keyFlags : own, alsoKey: isMain };
  const given = await readSecretText(args, talk, source, field.expected);
  if (given !== undefined || !wanted) return given;
  if (!isInteractive()) return missing(scheme, field, `--${flag}-file PATH or --${flag}-env NAME`);
  if (field.kind === "pem") {
    return secretFile(((await askLine(`${field.expected}, its file: `)) ?? "").trim());
  }
  return (
    (await askHidden(`${field.expected} (not shown): `)) ||
    new Failure("usage", "cancelled: nothing was changed")
  );
}

function missing(scheme: MadeScheme, field: AuthField, flags: string): Failure {
  return new Failure("usage", `${scheme.type} needs ${field.expected}`, { next: `give it with ${flags}` });
}
