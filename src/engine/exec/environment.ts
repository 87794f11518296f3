// What `envMap` puts into a command's environment: the credential, alone or inside a longer value.
import type { Auth, OpenedSecrets } from "../credential/scheme.ts";
import { Failure } from "../failure.ts";

const placeholder = /\{\{credential(?:\.([A-Za-z0-9_.-]+))?\}\}/g;

export function environmentOf(
  envMap: ReadonlyMap<string, string>,
  auth: Auth,
  secrets: OpenedSecrets,
): ReadonlyMap<string, string> | Failure {
  const environment = new Map<string, string>();
  for (const [name, template] of envMap) {
    let missing: string | undefined;
    const value = template.replace(placeholder, (_, field: string | undefined) => {
      const found = field === undefined ? wholeOf(auth, secrets) : fieldOf(field, auth, secrets);
      if (found === undefined) missing = field ?? "credential";
      return found ?? "";
    });
    if (missing !== undefined) {
      return new Failure(
        "config_invalid",
        `envMap: ${name} names "${missing}", which the service's auth does not have`,
      );
    }
    environment.set(name, value);
  }
  return environment;
}

/** The one secret; of a user and a password both, as `user:password`. */
function wholeOf(auth: Auth, secrets: OpenedSecrets): string | undefined {
  const [first, second] = [...secrets.values()];
  if (!first || second) return undefined;
  const username = auth.type === "basic" && !secrets.has("key") ? auth.open.get("username") : undefined;
  return username === undefined ? first.reveal() : `${username}:${first.reveal()}`;
}

function fieldOf(field: string, auth: Auth, secrets: OpenedSecrets): string | undefined {
  return secrets.get(field)?.reveal() ?? auth.open.get(field);
}
