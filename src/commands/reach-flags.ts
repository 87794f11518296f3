// How janee reaches a service whose certificate or address is not what the world's are.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Json } from "../engine/edit-config.ts";
import { Failure } from "../engine/failure.ts";
import type { Arguments, Flag } from "./command.ts";

export const reachFlags: Readonly<Record<string, Flag>> = {
  "ca-file": {
    type: "string",
    value: "PATH",
    help: "authorities to trust for this service, in PEM: for a private one",
  },
  "allow-cleartext": {
    type: "boolean",
    help: "send the credential over http:// to another machine, where others can read it",
  },
};

/** The keys of the service that these flags give. */
export function reachFrom(args: Arguments, baseUrl: string | undefined): Record<string, Json> | Failure {
  const file = args.text("ca-file");
  const fields: Record<string, Json> = {};
  if (file !== undefined) {
    const path = resolve(file);
    if (!existsSync(path)) {
      return new Failure("usage", "--ca-file: there is no such file", {
        next: "name a file of certificates in PEM, from here or by its whole path",
      });
    }
    if (baseUrl?.startsWith("http:")) {
      return new Failure("usage", "--ca-file is for https://: over http:// no certificate is shown", {
        next: "leave it out, or give an https:// base URL",
      });
    }
    fields.caFile = path;
  }
  if (args.flag("allow-cleartext")) fields.allowCleartext = true;
  return fields;
}
