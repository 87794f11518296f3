// A reference stands in the place of a credential and says where that lies. How each kind is written, once: the
// config is checked with this table, the README's is made from it.

export type Reference =
  | { readonly kind: "env"; readonly name: string }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "cmd"; readonly program: string; readonly words: readonly string[] }
  | { readonly kind: "keychain"; readonly service: string; readonly account: string }
  | { readonly kind: "op"; readonly item: string }
  | { readonly kind: "vault"; readonly mount: string; readonly path: string; readonly field: string }
  | { readonly kind: "aws-sm"; readonly secretId: string; readonly field: string | undefined }
  | { readonly kind: "gcp-sm"; readonly project: string; readonly secret: string; readonly version: string }
  | { readonly kind: "doppler"; readonly project: string; readonly config: string; readonly name: string }
  | {
      readonly kind: "infisical";
      readonly project: string;
      readonly environment: string;
      readonly folder: string;
      readonly name: string;
    };

export type ReferenceKind = Reference["kind"];

export interface ReferenceForm {
  readonly form: string;
  readonly example: string;
  readonly followed: string;
  /** The vendor's page; undefined where there is no vendor. */
  readonly docs: string | undefined;
  /** What stands behind the colon, read; undefined: it is not of this form. */
  readonly read: (target: string) => Reference | undefined;
}

/** The beginning decides the kind; `op` has its slashes, since `op:` alone may begin a user and password. */
const beginning = /^(?:(env|file|cmd|keychain|vault|aws-sm|gcp-sm|doppler|infisical):|(op):\/\/)/;

export const referenceForms: Readonly<Record<ReferenceKind, ReferenceForm>> = {
  env: {
    form: "env:NAME",
    example: "env:STRIPE_KEY",
    followed: "the variable of janee's own environment",
    docs: undefined,
    read: (name) => (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? { kind: "env", name } : undefined),
  },
  file: {
    form: "file:/path",
    example: "file:~/keys/stripe",
    followed: "the file, without the line break at its end",
    docs: undefined,
    read: (path) =>
      /^(?:\/|~\/|[A-Za-z]:[\\/]|\\\\)[^/\\]*/.test(path) ? { kind: "file", path } : undefined,
  },
  cmd: {
    form: "cmd:program arguments",
    example: "cmd:pass show stripe",
    followed: "what the program prints; words are split at blanks, there is no shell",
    docs: undefined,
    read(command) {
      const [program = "", ...words] = command.trim().split(/ +/);
      return program === "" ? undefined : { kind: "cmd", program, words };
    },
  },
  keychain: {
    form: "keychain:service/account",
    example: "keychain:stripe/me@example.com",
    followed: "the keychain of the system (macOS Keychain, Secret Service, Windows Credential Manager)",
    docs: "https://bun.com/docs/runtime/secrets",
    read(target) {
      const [, service, account] = /^([^/]+)\/(.+)$/.exec(target) ?? [];
      return service && account ? { kind: "keychain", service, account } : undefined;
    },
  },
  op: {
    form: "op://vault/item/field",
    example: "op://dev/Stripe/publishable-key",
    followed: "`op read`, the 1Password CLI",
    docs: "https://developer.1password.com/docs/cli/secret-reference-syntax",
    read: (target) =>
      /^[^/]+(?:\/[^/]+){2,3}$/.test(target) ? { kind: "op", item: `op://${target}` } : undefined,
  },
  vault: {
    form: "vault:mount/path#field",
    example: "vault:secret/apps/stripe#key",
    followed: "HashiCorp Vault or OpenBao, KV version 2, over HTTP as `stores.vault` says",
    docs: "https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2",
    read(target) {
      const [, mount, path, field] = /^([^/#?]+)\/([^#?]+)#(.+)$/.exec(target) ?? [];
      if (!mount || !path || !field) return undefined;
      const plain = [mount, ...path.split("/")].every((one) => one !== "" && one !== "." && one !== "..");
      return plain ? { kind: "vault", mount, path, field } : undefined;
    },
  },
  "aws-sm": {
    form: "aws-sm:secret-id[#json-field]",
    example: "aws-sm:prod/stripe#key",
    followed: "`aws secretsmanager get-secret-value`, the AWS CLI; the id may be a whole ARN",
    docs: "https://docs.aws.amazon.com/cli/latest/reference/secretsmanager/get-secret-value.html",
    read(target) {
      const [, secretId, field] = /^([A-Za-z0-9/_+=.@][A-Za-z0-9/_+=.@:-]*)(?:#(.+))?$/.exec(target) ?? [];
      return secretId ? { kind: "aws-sm", secretId, field } : undefined;
    },
  },
  "gcp-sm": {
    form: "gcp-sm:projects/P/secrets/S[/versions/V]",
    example: "gcp-sm:projects/shop-1/secrets/stripe",
    followed:
      "`gcloud secrets versions access`, the Google Cloud CLI; the version `latest` unless it is said",
    docs: "https://cloud.google.com/sdk/gcloud/reference/secrets/versions/access",
    read(target) {
      const form =
        /^projects\/([a-z0-9][a-z0-9:.-]*)\/secrets\/([A-Za-z0-9_][A-Za-z0-9_-]*)(?:\/versions\/([A-Za-z0-9_][A-Za-z0-9_-]*))?$/;
      const [, project, secret, version = "latest"] = form.exec(target) ?? [];
      return project && secret ? { kind: "gcp-sm", project, secret, version } : undefined;
    },
  },
  doppler: {
    form: "doppler:project/config/NAME",
    example: "doppler:shop/prd/STRIPE_KEY",
    followed: "`doppler secrets get`, the Doppler CLI",
    docs: "https://docs.doppler.com/docs/accessing-secrets",
    read(target) {
      const [project, config, name, ...more] = words(target);
      if (!project || !config || !name || more.length > 0) return undefined;
      return { kind: "doppler", project, config, name };
    },
  },
  infisical: {
    form: "infisical:project-id/environment/[folder/]NAME",
    example: "infisical:5f1c2a/prod/STRIPE_KEY",
    followed: "`infisical secrets get`, the Infisical CLI",
    docs: "https://infisical.com/docs/cli/commands/secrets",
    read(target) {
      const [project, environment, ...rest] = words(target);
      const name = rest.pop();
      if (!project || !environment || !name) return undefined;
      return { kind: "infisical", project, environment, folder: `/${rest.join("/")}`, name };
    },
  },
};

/** No word can be taken for a flag. */
function words(target: string): readonly string[] {
  const found = target.split("/");
  return found.every((word) => /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(word)) ? found : [];
}

export function isReference(text: string): boolean {
  return beginning.test(text);
}

/** undefined: this is no reference but the credential itself. The problem repeats nothing of the text. */
export function parseReference(text: string): Reference | { readonly problem: string } | undefined {
  const [whole = "", colon, slashes] = beginning.exec(text) ?? [];
  const kind = (colon ?? slashes) as ReferenceKind | undefined;
  if (kind === undefined) return undefined;
  const { form, example, read } = referenceForms[kind];
  const found = /[\x00-\x1f\x7f-\x9f]/.test(text) ? undefined : read(text.slice(whole.length));
  return found ?? { problem: `expected a reference of the form ${form}, such as ${example}` };
}

/**
 * `home`: the config of one's own home. `elsewhere`: a config that somebody else may have written, which must not
 * read files or run programs. `store`: what opens a store of secrets, which must not lie in a store itself.
 */
export type ReferencePlace = "home" | "elsewhere" | "store";

const kindsIn: Readonly<Record<ReferencePlace, readonly ReferenceKind[]>> = {
  home: Object.keys(referenceForms) as ReferenceKind[],
  elsewhere: ["env"],
  store: ["env", "file", "cmd", "keychain"],
};

/** Why a reference of this kind may not stand there; undefined: it may. */
export function refusedIn(place: ReferencePlace, kind: ReferenceKind): string | undefined {
  const kinds = kindsIn[place];
  if (kinds.includes(kind)) return undefined;
  return `a reference of the kind "${kind}" is not followed here: expected ${kinds.map((one) => `${one}:`).join(", ")}`;
}
