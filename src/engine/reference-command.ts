// What is run for a reference: by janee, and by a person who looks by hand.
import type { Reference } from "./reference.ts";

/** For a person, who may see where a credential lies: how to look by hand. */
export function lookByHand(reference: Reference): string {
  switch (reference.kind) {
    case "env":
      return `set ${reference.name} for janee`;
    case "file":
      return `check the path and its mode: ls -l ${reference.path}`;
    case "cmd":
      return `run it by hand: ${[reference.program, ...reference.words].join(" ")}`;
    case "keychain":
      return `look for the entry "${reference.service}", "${reference.account}" in the keychain, and unlock it`;
    case "op":
      return `sign in (op signin), then look by hand: op read "${reference.item}"`;
    case "vault":
      return `check stores.vault in config.yaml, then look by hand: vault kv get -mount=${reference.mount} ${reference.path}`;
    default: {
      const [program, ...words] = storeCommand(reference);
      return `sign in to it, then look by hand: ${[program, ...words].join(" ")}`;
    }
  }
}

/** Program and arguments for what is read through a vendor's own command line. */
export function storeCommand(
  reference: Extract<Reference, { readonly kind: "op" | "aws-sm" | "gcp-sm" | "doppler" | "infisical" }>,
): readonly [program: string, ...words: string[]] {
  switch (reference.kind) {
    case "op":
      return ["op", "read", "--no-newline", reference.item];
    case "aws-sm": {
      const { secretId } = reference;
      const region = /^arn:[\w-]+:secretsmanager:([a-z0-9-]+):/.exec(secretId)?.[1];
      const where = region ? ["--region", region] : [];
      return [
        "aws",
        "secretsmanager",
        "get-secret-value",
        "--secret-id",
        secretId,
        "--output",
        "json",
        ...where,
      ];
    }
    case "gcp-sm": {
      const { project, secret, version } = reference;
      const of = ["--secret", secret, "--project", project, "--quiet"];
      return ["gcloud", "secrets", "versions", "access", version, ...of];
    }
    case "doppler": {
      const { project, config, name } = reference;
      return ["doppler", "secrets", "get", name, "--plain", "--project", project, "--config", config];
    }
    default: {
      const { project, environment, folder, name } = reference;
      const of = [`--projectId=${project}`, `--env=${environment}`, `--path=${folder}`];
      return ["infisical", "secrets", "get", name, ...of, "--plain", "--silent"];
    }
  }
}
