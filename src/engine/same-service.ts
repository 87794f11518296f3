// Whether what was let through under one reading of the config may still go out under the other: to the same place, in
// the same way. Another credential is no reason to fail what began before it was given.
import type { ExecPolicy, Service } from "./config.ts";
import { schemeOf } from "./credential/index.ts";
import { isMade } from "./credential/scheme.ts";

export function sameService(a: Service, b: Service): boolean {
  return a === b || fingerprint(a) === fingerprint(b);
}

function fingerprint(service: Service): string {
  const { auth, maxAgeMs: _, ...rest } = service;
  return JSON.stringify([rest, auth.type, [...auth.open], lasting(service)]);
}

/** What janee itself writes beside a secret may have come for the very call that asks. */
function lasting({ auth }: Service): readonly string[] {
  const scheme = schemeOf(auth.type);
  const written = isMade(scheme) ? scheme.fields.filter((field) => field.renewed) : [];
  return [...auth.secret.keys()].filter((name) => !written.some((field) => field.name === name));
}

export function sameExec(a: ExecPolicy, b: ExecPolicy): boolean {
  return a === b || execFingerprint(a) === execFingerprint(b);
}

function execFingerprint(exec: ExecPolicy): string {
  const { envMap, args, sha256, ...rest } = exec;
  const rules = [...args].map(([command, list]) => [command, list.map(({ text }) => text)]);
  return JSON.stringify([rest, [...envMap], rules, [...sha256]]);
}
