// What makes a listener a forward proxy: certificates of the local authority, and the ways out.
import type { Config } from "../engine/config.ts";
import type { Failure } from "../engine/failure.ts";
import { ensureAuthority, Identities } from "../host/authority/authority.ts";
import { type AuthorityFile, makeAuthority } from "../host/authority/certificates.ts";
import { dialTunnel } from "../host/tunnel.ts";
import type { Forward } from "../surface/forward/face.ts";
import type { Janee } from "./wire-up.ts";

export function forwardFor(
  janee: Janee,
  own: Pick<Forward, "callerOf"> & { readonly unmatched?: "deny" | "tunnel" },
): Forward {
  const now = (): number => janee.sessions.now();
  const identities = new Identities(() => authorityOf(janee), now);
  return {
    identityOf: (host) => identities.identityOf(host),
    warm: () => identities.warm(),
    dial: (origin) => dialTunnel(origin, janee.home.current().config.network),
    unmatched: () => own.unmatched ?? janee.home.current().config.network.unmatched ?? "deny",
    callerOf: own.callerOf,
  };
}

/** Of a home that is kept, the one in its folder; otherwise its key is in memory alone. */
export function authorityOf(janee: Janee): Promise<AuthorityFile | Failure> {
  const { home, sessions } = janee;
  const hosts = secureHosts(home.current().config);
  if (!home.isFixed) return ensureAuthority(home.path, hosts, sessions.now());
  const known = unwritten.get(home) ?? makeAuthority(hosts, sessions.now());
  unwritten.set(home, known);
  return known;
}

const unwritten = new WeakMap<Janee["home"], Promise<AuthorityFile>>();

/** What the authority may speak for: the hosts of services that are behind TLS. */
export function secureHosts(config: Config): string[] {
  const hosts = [...config.services.values()].flatMap(({ base }) =>
    base?.scheme === "https" ? [base.host] : [],
  );
  return [...new Set(hosts)];
}
