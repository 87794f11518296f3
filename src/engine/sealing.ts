// The credentials of a config, sealed where they stand in its file.
import type { Config } from "./config.ts";
import type { Edit } from "./edit-config.ts";
import { Failure } from "./failure.ts";
import { type ConfigDocument, editDocument, secretKey } from "./read-config.ts";
import { isSealed } from "./seal.ts";
import type { Vault } from "./vault.ts";

/** What stands in the clear is sealed; the rest stays as it is. */
export function sealPlain(document: ConfigDocument, vault: Vault): ConfigDocument | Failure {
  const { config, plain } = document.read;
  const edits = plain.map(({ service, field, path, secret }): Edit => {
    const owner = config.services.get(service);
    if (!owner) throw new Error("a credential without its service");
    return { path, value: vault.seal(owner, field, secret.reveal()) };
  });
  return editDocument(document, edits);
}

/** Each credential is taken out of one vault and put into the other. */
export function resealAll(
  document: ConfigDocument,
  from: Vault,
  to: Vault,
): { readonly text: string; readonly count: number } | Failure {
  const { config, secretPaths } = document.read;
  const edits: Edit[] = [];
  for (const service of config.services.values()) {
    for (const [field, stored] of service.auth.secret) {
      if (stored.kind === "reference") continue;
      const secret = stored.kind === "plain" ? stored.secret : from.open(service, field, stored.text);
      if (secret instanceof Failure) return secret;
      const path = secretPaths.get(secretKey(service.name, field));
      if (!path) throw new Error("a credential without its place in the config");
      edits.push({ path, value: to.seal(service, field, secret.reveal()) });
    }
  }
  const resealed = editDocument(document, edits);
  return resealed instanceof Failure ? resealed : { text: resealed.tree.text, count: edits.length };
}

export function holdsSealed(config: Config): boolean {
  for (const service of config.services.values()) {
    for (const stored of service.auth.secret.values()) {
      if (stored.kind === "sealed" && isSealed(stored.text)) return true;
    }
  }
  return false;
}
