import type { Edit } from "../engine/edit-config.ts";
import { Failure } from "../engine/failure.ts";
import { secretKey } from "../engine/read-config.ts";
import { shapeOf } from "./add.ts";
import type { Command } from "./command.ts";
import { credentialFlags, readAuth, shapeFromFlags } from "./credential-flags.ts";
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
      if (flags && flags.type !== shape.type) {
        return new Failure("usage", `"${name}" authenticates by ${shape.type}, which set does not change`, {
          next: `to change how it authenticates: janee add ${name} --auth-type …`,
        });
      }
      const auth = await readAuth(args, talk, shape, name);
      if (auth instanceof Failure) return auth;
      const failure = await applyChange(janee, talk, {
        command: `set ${name}`,
        newCredentialFor: name,
        plan: (read) => {
          const open = Object.entries(auth.open).map(
            ([key, value]): Edit => ({ path: ["services", name, "auth", key], value }),
          );
          const secret = Object.entries(auth.secret).map(([field, value]): Edit => {
            return {
              path: read.secretPaths.get(secretKey(name, field)) ?? [
                "services",
                name,
                "auth",
                ...field.split("."),
              ],
              value,
            };
          });
          return [...open, ...secret];
        },
      });
      if (failure) return failure;
      if (talk.json) talk.printJson({ service: name });
      else talk.print(`${name} has a new credential`);
      return 0;
    }),
};

export function unknownService(name: string, names: readonly string[]): Failure {
  const known = names.length === 0 ? "none yet: janee add <service>" : names.join(", ");
  return new Failure("not_found", `there is no service "${name.slice(0, 64)}"`, {
    next: `known services: ${known}`,
  });
}
