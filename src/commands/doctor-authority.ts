import type { Config } from "../engine/config.ts";
import { Failure } from "../engine/failure.ts";
import { hasBareKey, readAuthority } from "../host/authority/authority.ts";
import { permits } from "./ca-permits.ts";
import { type Found, problemOf } from "./doctor-checks.ts";
import { secureHosts } from "./forward.ts";

const check = "authority";

/** The local authority of the forward proxy, where one was made: what it may speak for, and how its key is kept. */
export function checkAuthority(home: string, config: Config): Found[] {
  const kept = readAuthority(home);
  if (kept === undefined) return [];
  if (kept instanceof Failure) return [problemOf(check, kept)];
  const remedy = "janee ca print mends it, as does the next use of the forward proxy";
  const warn = (message: string): Found => ({ level: "warn", check, message, remedy });
  const hosts = secureHosts(config);
  const gone = kept.hosts.filter((host) => !hosts.includes(host));
  return [
    { level: "ok", check, message: permits(kept) },
    ...(gone.length > 0 ? [warn(`it may still speak for ${gone.join(", ")}, where no service is now`)] : []),
    ...(hasBareKey(kept) ? [warn("its key lies unsealed in ca/authority.json")] : []),
  ];
}
