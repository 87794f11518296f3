import type { Service } from "../engine/config.ts";
import { schemeOf } from "../engine/credential/index.ts";
import { isMade } from "../engine/credential/scheme.ts";
import type { Edit } from "../engine/edit-config.ts";
import { Failure } from "../engine/failure.ts";
import { type ReadConfig, secretKey } from "../engine/read-config.ts";
import type { Vault } from "../engine/vault.ts";
import { resealed, shapeOf } from "./add.ts";
import type { Command } from "./command.ts";
import {
  type AuthBlock,
  type AuthShape,
  credentialFlags,
  credentialKind,
  readAuth,
  shapeFromFlags,
} from "./credential-flags.ts";
import { doubtAbout, withPrefix } from "./known-credential.ts";
import { withJanee } from "./open.ts";
import { applyChange } from "./policy-change.ts";

export const command: Command = {
  usage: "<service> [--key-stdin | --key-env NAME | --key-file PATH | --key KEY | --header NAME=VALUE]",
  flags: credentialFlags,
  positionals: { least: 1, most: 1 },
  notes: [
    "Rules and everything else stay as they are; running janee processes use the new credential at once.",
  ],
  run: (args, talk) =>
    withJanee(talk, async (janee) => {
      const name = args.positionals[0] ?? "";
      const { services } = janee.home.current().config;
      const service = services.get(name);
      if (!service) return unknownService(name, [...services.keys()]);
      const shape = shapeOf(service);
      const flags = shapeFromFlags(args);
      if (flags instanceof Failure) return flags;
      if (flags && typeOf(flags) !== typeOf(shape)) {
        return new Failure(
          "usage",
          `"${name}" authenticates by ${typeOf(shape)}, which set does not change`,
          {
            next: `to change how it authenticates: janee add ${name} --auth-type …`,
          },
        );
      }
      const alien =
        flags &&
        "names" in flags &&
        "names" in shape &&
        flags.names.find((one) => !shape.names.includes(one));
      if (alien)
        return new Failure("usage", `"${name}" has no "${alien.slice(0, 64)}"`, { next: "janee list" });
      // Of several headers or parameters, only those that are named get a new value.
      const given = await readAuth(args, talk, flags ?? shape, name, false);
      if (given instanceof Failure) return given;
      const { knownAt, ownerOf } = await import("../engine/services/index.ts");
      const known = knownAt(name, service.base?.text)?.service;
      const auth = flags ? given : withPrefix(known, given);
      const doubt = doubtAbout(known, auth, ownerOf);
      const failure = await applyChange(janee, talk, {
        command: `set ${name}`,
        credential: credentialKind(auth, staying(service, auth)),
        plan: (read, vault) => [
          ...openEdits(name, auth),
          ...secretEdits(read, name, service, auth),
          ...stayingEdits(read, vault, name, auth),
        ],
      });
      if (failure) return failure;
      if (doubt !== undefined) talk.say(`janee: warning: ${doubt}; it was taken as it is`);
      if (talk.json) talk.printJson({ service: name, ...(doubt && { warning: doubt }) });
      else {
        talk.print(`${name} has a new credential`);
        if (service.base) talk.say(`  → try it: janee test ${name}`);
      }
      return 0;
    }),
};

function typeOf(shape: AuthShape): string {
  return shape.type === "made" ? shape.scheme.type : shape.type;
}

function openEdits(name: string, auth: AuthBlock): Edit[] {
  return Object.entries(auth.open).map(([key, value]) => ({ path: ["services", name, "auth", key], value }));
}

/** The secrets that a person gave once and does not give now. */
function staying({ auth }: Service, given: AuthBlock): string[] {
  const replaced = (field: string): boolean =>
    field in given.secret || (field === "password" && "key" in given.secret);
  const scheme = schemeOf(auth.type);
  const noted = isMade(scheme) ? scheme.fields.filter(({ renewed }) => renewed === "alone") : [];
  return [...auth.secret.keys()].filter(
    (field) => !replaced(field) && !noted.some(({ name }) => name === field),
  );
}

/** What stays is sealed anew where a field that it was bound to changes. */
function stayingEdits(read: ReadConfig, vault: Vault, name: string, auth: AuthBlock): Edit[] {
  const service = read.config.services.get(name);
  if (!service || Object.keys(auth.open).length === 0) return [];
  const given = new Set(Object.keys(auth.secret));
  return resealed(read, vault, service).filter(({ path }) => !given.has(path.at(-1) ?? ""));
}

/** Each secret is put where the old one stands, whichever way the file spells it. */
function secretEdits(read: ReadConfig, name: string, service: Service, auth: AuthBlock): Edit[] {
  return Object.entries(auth.secret).map(([field, value]) => {
    // A Basic pair that stands as user and password gets a new password.
    const standing = field === "key" && service.auth.secret.has("password") ? "password" : field;
    const path = read.secretPaths.get(secretKey(name, standing)) ?? [
      "services",
      name,
      "auth",
      ...field.split("."),
    ];
    return { path, value };
  });
}

export function unknownService(name: string, names: readonly string[]): Failure {
  const known = names.length === 0 ? "none yet: janee add <service>" : [...new Set(names)].join(", ");
  return new Failure("not_found", `there is no service "${name.slice(0, 64)}"`, {
    next: `known: ${known}`,
  });
}
