// Where a service lives: http(s), a host, an optional path prefix, and nothing else.
import type { BaseUrl } from "./config.ts";
import { Failure } from "./failure.ts";
import { readTarget } from "./target.ts";

/** The address, or what is wrong with it. The text may hold a token in its path, so it is never repeated. */
export function parseBaseUrl(text: string): BaseUrl | { readonly problem: string } {
  const problem = problemInText(text);
  if (problem) return { problem };
  const match = /^(https?):\/\/([^/]*)(.*)$/i.exec(text);
  const [, written, address, path] = match ?? [];
  if (!written || !address || path === undefined) {
    return { problem: "expected http:// or https:// and a host, such as https://api.example.com" };
  }
  const url = readAddress(text, address);
  if (!url) return { problem: "expected a host name or address, with a port from 1 to 65535 if any" };

  const prefix = path.endsWith("/") ? path.slice(0, -1) : path;
  if (prefix !== "") {
    const target = readTarget(prefix);
    if (target instanceof Failure) return { problem: `in the path prefix: ${target.message}` };
    if (target.path !== prefix || prefix.endsWith("/")) {
      return { problem: "the path prefix is not in its plain form: no needless escapes, no empty segments" };
    }
  }
  const scheme = written.toLowerCase() === "http" ? "http" : "https";
  const port = url.port === "" ? (scheme === "http" ? 80 : 443) : Number(url.port);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return { text, scheme, host, port, prefix, authority: url.host };
}

function problemInText(text: string): string | undefined {
  if (/[\s\x00-\x1f\x7f]/.test(text)) return "a URL holds no spaces or control characters";
  if (/[{}]|\$\(/.test(text)) return "nothing is interpolated: write the URL itself, without placeholders";
  if (text.includes("*")) return "a URL holds no wildcard: one service is one host";
  if (text.includes("\\")) return "a URL holds no backslash";
  if (text.includes("#")) return "a base URL has no fragment";
  if (text.includes("?")) return "a base URL has no query: a key that goes there belongs under auth";
  if (/^[^/]*\/\/[^/]*@/.test(text)) return "a base URL has no user or password: they belong under auth";
  return undefined;
}

function readAddress(text: string, address: string): URL | undefined {
  const named = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*(?::[0-9]{1,5})?$/.test(address);
  const numbered = /^\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?$/.test(address);
  if (!named && !numbered) return undefined;
  try {
    const url = new URL(text);
    return url.port === "0" || url.hostname.length > 253 ? undefined : url;
  } catch {
    return undefined;
  }
}

/** This machine, by a literal or by `localhost`; what other names resolve to is judged on connecting. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

/** Link-local addresses and the metadata services of clouds, which hand out credentials. `host` is normalised. */
export function isLinkLocal(host: string): boolean {
  if (["metadata.google.internal", "100.100.100.200", "168.63.129.16"].includes(host)) return true;
  if (host.startsWith("169.254.")) return true;
  const groups = host.includes(":") ? ipv6Groups(host) : undefined;
  if (!groups) return false;
  const [first = 0, , , , , , seventh = 0, last = 0] = groups;
  if ((first & 0xffc0) === 0xfe80) return true;
  if (groups.map((group) => group.toString(16)).join(":") === "fd00:ec2:0:0:0:0:0:254") return true;
  return embedsIpv4(groups) && isLinkLocal(dotted(seventh, last));
}

/** IPv4-compatible, IPv4-mapped, IPv4-translated and NAT64 addresses carry an IPv4 address at the end. */
function embedsIpv4(groups: readonly number[]): boolean {
  const head = groups.slice(0, 6).map((group) => group.toString(16));
  return ["0:0:0:0:0:0", "0:0:0:0:0:ffff", "0:0:0:0:ffff:0", "64:ff9b:0:0:0:0"].includes(head.join(":"));
}

function dotted(high: number, low: number): string {
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

/** The eight groups of an address as URL parsing writes it: hex only, "::" at most once. */
function ipv6Groups(host: string): readonly number[] | undefined {
  const [head = "", tail] = host.split("::");
  const parse = (part: string): number[] =>
    part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));
  const front = parse(head);
  const back = parse(tail ?? "");
  const gap = Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => 0);
  const groups = [...front, ...gap, ...back];
  return groups.length === 8 ? groups : undefined;
}
