// Whether a secret that an issuer renewed still belongs where it is to be stored.
import type { Service } from "../engine/config.ts";
import { Failure } from "../engine/failure.ts";
import type { Secret } from "../engine/secret.ts";
import type { Vault } from "../engine/vault.ts";

/** A service as it was read, and its secrets as they were opened then. */
export interface Instead {
  readonly service: Service;
  readonly opened: ReadonlyMap<string, Secret>;
}

export function stillStand(
  stored: Service,
  fields: readonly string[],
  instead: Instead,
  vault: Vault,
): boolean {
  return fields.every((field) => {
    const there = stored.auth.secret.get(field);
    const before = instead.service.auth.secret.get(field);
    if (there?.kind === "reference") return before?.kind === "reference" && before.text === there.text;
    if (there?.kind !== "sealed") return there === undefined && before === undefined;
    // Sealed anew by a rotation, it is another text and the same secret.
    const opened = vault.open(stored, field, there.text);
    const held = instead.opened.get(field);
    return !(opened instanceof Failure) && held !== undefined && opened.equals(held);
  });
}

/** Whether a new secret of the one belongs to the other: the same place, the same open fields. */
export function isSameAccount(a: Service, b: Service): boolean {
  const account = ({ auth, base }: Service): string =>
    JSON.stringify([base?.text, auth.type, [...auth.open]]);
  return account(a) === account(b);
}
