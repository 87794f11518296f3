// What a certificate is to everyone but the socket that uses it: a name. Its key stays in here.
import type { SecureContext } from "node:tls";
import type { TlsIdentity } from "../../wire/connection.ts";

const contexts = new WeakMap<TlsIdentity, SecureContext>();

export function makeIdentity(host: string, context: SecureContext): TlsIdentity {
  const identity = { host };
  contexts.set(identity, context);
  return identity;
}

export function contextOf(identity: TlsIdentity): SecureContext | undefined {
  return contexts.get(identity);
}
