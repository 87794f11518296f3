// The credentials of a config, sealed where they stand in its file.
import { type Config, type Service, secretOwners } from "./config.ts";
import type { Edit } from "./edit-config.ts";
import { Failure } from "./failure.ts";
import { type ConfigDocument, editDocument, type PlainSecret, secretKey } from "./read-config.ts";
import { isSealed, sealedWhen } from "./seal.ts";
import type { Vault } from "./vault.ts";

/** What stands in the clear is sealed as of `now`; the rest stays as it is. `before`: the file without the edits. */
export function sealPlain(
  document: ConfigDocument,
  before: ConfigDocument,
  vault: Vault,
  now: number,
): ConfigDocument | Failure {
  const { config, plain } = document.read;
  const edits = plain.map((found): Edit => {
    const owner = ownerOf(config, found.service);
    if (!owner) throw new Error("a credential without its owner");
    const setAt = standingSince(found, before.read.config, vault) ?? now;
    return { path: found.path, value: vault.seal(owner, found.field, found.secret.reveal(), setAt) };
  });
  return editDocument(document, edits);
}

/** The very credential that was there, bound anew, is as old as it was. */
function standingSince(
  { service, field, secret }: PlainSecret,
  before: Config,
  vault: Vault,
): number | undefined {
  const owner = ownerOf(before, service);
  const stored = owner?.auth.secret.get(field);
  if (!owner || stored?.kind !== "sealed") return undefined;
  const opened = vault.open(owner, field, stored.text);
  return opened instanceof Failure || !opened.equals(secret) ? undefined : sealedWhen(stored.text);
}

function ownerOf(config: Config, name: string): Service | undefined {
  return secretOwners(config).find((owner) => owner.name === name);
}

/** Each credential is taken out of one vault and put into the other, as old as it was. */
export function resealAll(
  document: ConfigDocument,
  from: Vault,
  to: Vault,
  now: number,
): { readonly text: string; readonly count: number } | Failure {
  const { config, secretPaths } = document.read;
  const edits: Edit[] = [];
  for (const service of secretOwners(config)) {
    for (const [field, stored] of service.auth.secret) {
      if (stored.kind === "reference") continue;
      const secret = stored.kind === "plain" ? stored.secret : from.open(service, field, stored.text);
      if (secret instanceof Failure) return secret;
      const path = secretPaths.get(secretKey(service.name, field));
      if (!path) throw new Error("a credential without its place in the config");
      const setAt = stored.kind === "plain" ? now : sealedWhen(stored.text);
      edits.push({ path, value: to.seal(service, field, secret.reveal(), setAt) });
    }
  }
  const resealed = editDocument(document, edits);
  return resealed instanceof Failure ? resealed : { text: resealed.tree.text, count: edits.length };
}

export function holdsSealed(config: Config): boolean {
  for (const owner of secretOwners(config)) {
    for (const stored of owner.auth.secret.values()) {
      if (stored.kind === "sealed" && isSealed(stored.text)) return true;
    }
  }
  return false;
}
