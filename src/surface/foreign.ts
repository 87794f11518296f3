// Who may speak with this listener at all: decided before anything else is looked at.
import { Failure } from "../engine/failure.ts";
import type { RequestHead } from "../wire/http1.ts";

/** `host:port` pairs that mean this listener; exact, without prefix or suffix matching (DNS rebinding). */
export function ownAuthorities(
  port: number,
  hosts: readonly string[],
  added: readonly string[] = [],
): ReadonlySet<string> {
  const authorities = new Set<string>();
  for (const host of hosts) {
    const name = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host.toLowerCase();
    authorities.add(`${name}:${port}`);
    if (port === 80) authorities.add(name);
  }
  // Names that a person added stand as they are too: behind a port mapping, clients name another port or none.
  for (const name of added) {
    authorities.add(name.toLowerCase());
    if (!/:\d+$/.test(name)) authorities.add(`${name.toLowerCase()}:${port}`);
  }
  return authorities;
}

export function refuseForeign(head: RequestHead, own: ReadonlySet<string>): Failure | undefined {
  if (!own.has(head.host.toLowerCase())) {
    return new Failure("foreign_host", "this Host is not served here", {
      next: "use the address janee listens on; a person can add names with --allow-host",
    });
  }
  for (const { key, value } of head.fields) {
    if (key === "origin" && !isOwnOrigin(value, own)) {
      return new Failure("foreign_origin", "pages of other origins are not served");
    }
    if (key === "sec-fetch-site" && value !== "same-origin" && value !== "none") {
      return new Failure("foreign_origin", "a page of another site sent this request");
    }
  }
  return undefined;
}

/**
 * What a service sends must not run in a browser as if it came from here: it would stand beside the page of
 * approvals, of the same origin. `empty` is what `fetch` sends (W3C Fetch Metadata, section 2.1).
 */
export function refuseDocument(head: RequestHead): Failure | undefined {
  const active = head.fields.some(({ key, value }) => key === "sec-fetch-dest" && value !== "empty");
  if (!active) return undefined;
  return new Failure("foreign_origin", "a browser does not show what a service sends through here", {
    next: "use it from a program; the page for people is at /_janee/",
  });
}

/** Whether an authority, as a client of a proxy names it, is this listener. */
export function isOwnAuthority(authority: string, own: ReadonlySet<string>): boolean {
  return own.has(authority.toLowerCase());
}

function isOwnOrigin(origin: string, own: ReadonlySet<string>): boolean {
  const match = /^https?:\/\/([^/]+)$/.exec(origin.toLowerCase());
  return match?.[1] !== undefined && own.has(match[1]);
}
