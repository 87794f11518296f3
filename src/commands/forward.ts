// What makes a listener a forward proxy: certificates of the local authority, and the ways out.
import type { Config } from "../engine/config.ts";
import { ensureAuthority, Identities } from "../host/authority/authority.ts";
import { dialTunnel } from "../host/tunnel.ts";
import type { Forward } from "../surface/forward/face.ts";
import type { Janee } from "./wire-up.ts";

export function forwardFor(
  janee: Janee,
  own: Pick<Forward, "callerOf"> & { readonly unmatched?: "deny" | "tunnel" },
): Forward {
  const now = (): number => janee.sessions.now();
  const authority = () => ensureAuthority(janee.home.path, secureHosts(janee.home.current().config), now());
  const identities = new Identities(authority, now);
  return {
    identityOf: (host) => identities.identityOf(host),
    warm: () => identities.warm(),
    dial: (origin) => dialTunnel(origin, janee.home.current().config.network),
    unmatched: () => own.unmatched ?? janee.home.current().config.network.unmatched ?? "deny",
    callerOf: own.callerOf,
  };
}

/** What the authority may speak for: the hosts of services that are behind TLS. */
export function secureHosts(config: Config): string[] {
  const hosts = [...config.services.values()].flatMap(({ base }) =>
    base?.scheme === "https" ? [base.host] : [],
  );
  return [...new Set(hosts)];
}
