// Which capability a request to an address of the world is a use of: by the service's origin and its prefix.
import type { BaseUrl, Config } from "./config.ts";
import { Failure } from "./failure.ts";
import { readTarget } from "./target.ts";

/** Where a client wants to go, host in lower case without brackets. */
export interface Origin {
  readonly scheme: "http" | "https";
  readonly host: string;
  readonly port: number;
}

/** Host and port as a client writes them, or undefined: addresses in forms other than the usual are no one's. */
export function readAuthority(text: string, scheme: Origin["scheme"]): Origin | undefined {
  const [, name, port] = /^(\[[0-9A-Fa-f:.]+\]|[^:[\]]+)(?::([0-9]{1,5}))?$/.exec(text) ?? [];
  if (name === undefined) return undefined;
  const number = port === undefined ? (scheme === "http" ? 80 : 443) : Number(port);
  if (number < 1 || number > 65_535) return undefined;
  const host = name.replace(/^\[|\]$/g, "").toLowerCase();
  try {
    // What a URL parser would turn into something else (127.1, 0x7f000001) means that something to a client.
    const { hostname } = new URL(`${scheme}://${name}:${number}/`);
    if (hostname.replace(/^\[|\]$/g, "") !== host) return undefined;
    // With the dot of the root it is the same host under a name that no service has.
    if (host.endsWith(".")) return undefined;
  } catch {
    return undefined;
  }
  return { scheme, host, port: number };
}

export function originText({ host, port }: Origin): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function isAt(base: BaseUrl, origin: Origin): boolean {
  return base.scheme === origin.scheme && base.host === origin.host && base.port === origin.port;
}

/** What a caller may use, in its order where it chose one. */
export interface Reach {
  readonly capabilities: readonly string[];
  /** Of several capabilities for one address the first decides. */
  readonly firstMatch: boolean;
}

function candidates(config: Config, reach: Reach, origin: Origin): { name: string; base: BaseUrl }[] {
  return reach.capabilities.flatMap((name) => {
    const capability = config.capabilities.get(name);
    const base = capability?.mode === "http" ? config.services.get(capability.service)?.base : undefined;
    return base && isAt(base, origin) ? [{ name, base }] : [];
  });
}

/** Whether any capability of this caller lies at this address. */
export function reaches(config: Config, reach: Reach, origin: Origin): boolean {
  return candidates(config, reach, origin).length > 0;
}

/** Why nothing is at an address: a key is never sent in the clear where the service is behind TLS. */
export function refuseOrigin(config: Config, reach: Reach, origin: Origin): Failure {
  if (origin.scheme === "http") {
    const secure = reach.capabilities.some((name) => {
      const base = config.services.get(config.capabilities.get(name)?.service ?? "")?.base;
      return base?.scheme === "https" && base.host === origin.host;
    });
    if (secure) {
      return new Failure(
        "cleartext_forbidden",
        "this service is behind TLS: nothing is sent to it in the clear",
        {
          next: "use https",
        },
      );
    }
  }
  const names = reach.capabilities.join(", ");
  return new Failure("host_not_allowed", `no capability of this session is at ${originText(origin)}`, {
    next: names === "" ? "ask the person for a capability" : `what it has: ${names.slice(0, 500)}`,
  });
}

export interface Destination {
  readonly capability: string;
  /** What stands behind the service's prefix: as on the reverse proxy behind the capability's name. */
  readonly target: string;
}

/** `target` is raw; a prefix is compared as it is written, and what follows is judged like any target. */
export function destinationOf(
  config: Config,
  reach: Reach,
  origin: Origin,
  target: string,
): Destination | Failure {
  const here = candidates(config, reach, origin);
  if (here.length === 0) return refuseOrigin(config, reach, origin);
  const found = here.flatMap(({ name, base }) => {
    const rest = behind(base.prefix, target);
    return rest === undefined ? [] : [{ capability: name, target: rest }];
  });
  const [first, second] = found;
  if (!first) {
    const read = readTarget(target);
    if (read instanceof Failure) return read;
    return new Failure("host_not_allowed", "this path lies outside of what the service is configured for");
  }
  if (!second || reach.firstMatch) return first;
  const names = found.map(({ capability }) => capability).join(", ");
  return new Failure("capability_ambiguous", `several capabilities are for this address: ${names}`, {
    next: "name the one you mean as the user of the proxy's URL: http://<capability>:<token>@…",
  });
}

function behind(prefix: string, target: string): string | undefined {
  if (prefix === "") return target;
  if (!target.startsWith(prefix)) return undefined;
  const rest = target.slice(prefix.length);
  if (rest === "" || rest.startsWith("?")) return `/${rest}`;
  return rest.startsWith("/") ? rest : undefined;
}

/** Two capabilities of which neither can cancel what the other denies, unless an order was given. */
export function overlapping(config: Config, names: readonly string[]): readonly [string, string] | undefined {
  const bases = names.flatMap((name) => {
    const capability = config.capabilities.get(name);
    const base = capability?.mode === "http" ? config.services.get(capability.service)?.base : undefined;
    return base ? [{ name, base }] : [];
  });
  for (const [at, { name, base }] of bases.entries()) {
    const other = bases.slice(at + 1).find((one) => {
      if (!isAt(one.base, base)) return false;
      const [a, b] = [`${base.prefix}/`, `${one.base.prefix}/`];
      return a.startsWith(b) || b.startsWith(a);
    });
    if (other) return [name, other.name];
  }
  return undefined;
}
