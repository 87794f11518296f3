// Secrets of one service that do not belong together, such as a certificate and the key of another.
import type { Service } from "../engine/config.ts";
import { schemeOf } from "../engine/credential/index.ts";
import { isMade } from "../engine/credential/scheme.ts";
import { Failure } from "../engine/failure.ts";
import type { Secret } from "../engine/secret.ts";
import type { Vault } from "../engine/vault.ts";
import { privateKeys } from "../host/private-keys.ts";

/** Of what can be read here: without a vault only what stands in the clear, and never what a reference leads to. */
export async function unfitSecrets(service: Service, vault: Vault | undefined): Promise<Failure | undefined> {
  const scheme = schemeOf(service.auth.type);
  if (!scheme || !isMade(scheme) || !scheme.unfit) return undefined;
  const opened = new Map<string, Secret>();
  for (const [field, stored] of service.auth.secret) {
    if (stored.kind === "plain") opened.set(field, stored.secret);
    if (stored.kind !== "sealed") continue;
    const secret = vault?.open(service, field, stored.text);
    if (secret && !(secret instanceof Failure)) opened.set(field, secret);
  }
  return scheme.unfit(opened, privateKeys);
}
