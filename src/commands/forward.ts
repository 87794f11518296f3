// What makes a listener a forward proxy: certificates of the local authority, and the ways out.
import type { Config } from "../engine/config.ts";
import type { Failure } from "../engine/failure.ts";
import {
  ensureAuthority,
  Identities,
  type KeptAuthority,
  type KeySeal,
  keep,
} from "../host/authority/authority.ts";
import { makeAuthority } from "../host/authority/certificates.ts";
import { dialTunnel } from "../host/tunnel.ts";
import type { Forward } from "../surface/forward/face.ts";
import type { Janee } from "./wire-up.ts";

export function forwardFor(
  janee: Janee,
  own: Pick<Forward, "callerOf"> & { readonly unmatched?: "deny" | "tunnel" },
): Forward {
  const now = (): number => janee.sessions.now();
  const identities = new Identities(() => authorityOf(janee), keySealOf(janee), now);
  return {
    identityOf: (host) => identities.identityOf(host),
    warm: () => identities.warm(),
    dial: (origin) => dialTunnel(origin, janee.home.current().config.network),
    unmatched: () => own.unmatched ?? janee.home.current().config.network.unmatched ?? "deny",
    callerOf: own.callerOf,
  };
}

/** Of a home that is kept, the one in its folder; otherwise its key is in memory alone. */
export function authorityOf(janee: Janee): Promise<KeptAuthority | Failure> {
  const { home, sessions } = janee;
  const hosts = secureHosts(home.current().config);
  if (!home.isFixed) return ensureAuthority(home.path, hosts, sessions.now(), keySealOf(janee));
  const made = () => makeAuthority(hosts, sessions.now()).then((one) => keep(one, keySealOf(janee)));
  const known = unwritten.get(home) ?? made();
  unwritten.set(home, known);
  return known;
}

const unwritten = new WeakMap<Janee["home"], Promise<KeptAuthority>>();

/** By the vault as it is at the time: another process may have taken over another. */
export function keySealOf({ home }: Janee): KeySeal {
  return {
    seal: (key, cert) => home.vault.sealBeside("authority", key, cert),
    open: (kept, cert) => home.vault.openBeside("authority", kept, cert),
  };
}

/** What the authority may speak for: the hosts of services that are behind TLS. */
export function secureHosts(config: Config): string[] {
  const hosts = [...config.services.values()].flatMap(({ base }) =>
    base?.scheme === "https" ? [base.host] : [],
  );
  return [...new Set(hosts)];
}
