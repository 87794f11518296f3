// Where a credential may travel is decided on the address that is connected to, whatever name led there.
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { Service } from "../engine/config.ts";
import { Failure } from "../engine/failure.ts";

/** The addresses of a service that its flags allow, in the order of the resolver. */
export async function resolve(service: Service): Promise<readonly string[] | Failure> {
  const base = service.base;
  if (!base) throw new Error("a service without a base URL is never connected to");
  const addresses = isIP(base.host) ? [base.host] : await lookUp(base.host);
  if (addresses instanceof Failure) return addresses;
  for (const address of addresses) {
    const problem = refuseAddress(service, address);
    if (problem) return problem;
  }
  return addresses;
}

async function lookUp(host: string): Promise<string[] | Failure> {
  try {
    const found = await lookup(host, { all: true });
    return found.map(({ address }) => address);
  } catch {
    return new Failure("upstream_unreachable", `the name ${host} does not resolve`, {
      next: "check the baseUrl of the service and the network",
    });
  }
}

export function refuseAddress(service: Service, address: string): Failure | undefined {
  if (isLinkLocal(address) && !service.allowLinkLocal) {
    return new Failure("upstream_forbidden_address", `${service.name} leads to a link-local address`, {
      next: "a person can set allowLinkLocal: true if that is meant",
    });
  }
  if (service.base?.scheme === "http" && !service.allowCleartext && !isLoopback(address)) {
    return new Failure(
      "upstream_forbidden_address",
      `${service.name} would send its credential in the clear`,
      {
        next: "a person can use https, or set allowCleartext: true",
      },
    );
  }
  return undefined;
}

/** One way to write each address; an IPv4 address inside IPv6 is judged as the IPv4 address. */
function plain(address: string): string {
  const text = address.replace(/%.*$/s, "").toLowerCase();
  if (isIP(text) !== 6) return text;
  const written = new URL(`http://[${text}]/`).hostname.slice(1, -1);
  const inside = /^(?:::(?:ffff:(?:0:)?)?|64:ff9b::)([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(written);
  if (!inside) return written;
  const [high, low] = [Number.parseInt(inside[1] ?? "0", 16), Number.parseInt(inside[2] ?? "0", 16)];
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

export function isLoopback(address: string): boolean {
  const text = plain(address);
  return /^127\./.test(text) || text === "::1";
}

/** Link-local ranges, and the metadata addresses of clouds that lie outside them. */
export function isLinkLocal(address: string): boolean {
  const text = plain(address);
  return (
    /^169\.254\./.test(text) ||
    /^fe[89ab]/.test(text) ||
    text === "fd00:ec2::254" ||
    text === "100.100.100.200" ||
    text === "168.63.129.16"
  );
}

/** The internet, as seen from here: nothing of this machine, its networks, or what is reserved (RFC 6890). */
export function isPublic(address: string): boolean {
  const text = plain(address);
  if (isLinkLocal(text)) return false;
  if (isIP(text) === 4) {
    const [a = 0, b = 0, c = 0] = text.split(".").map(Number);
    if (a === 0 || a === 10 || a === 127 || a >= 224) return false;
    if (a === 100 && b >= 64 && b < 128) return false;
    if ((a === 169 && b === 254) || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168))
      return false;
    return !((a === 192 && b === 0 && (c === 0 || c === 2)) || (a === 198 && (b === 18 || b === 19)));
  }
  // Global unicast is 2000::/3; documentation, Teredo and 6to4 (which carries any IPv4 address) lie in it.
  return isIP(text) === 6 && /^[23]/.test(text) && !/^(?:2001:(?:0:|:|db8:)|2002:)/.test(text);
}
