import type { KeptAuthority } from "../host/authority/authority.ts";

const mostNamed = 8;

/** What the certificate of the authority lets it speak for, in a sentence without an end. */
export function permits({ hosts, expiresAt }: Pick<KeptAuthority, "hosts" | "expiresAt">): string {
  const named = hosts.slice(0, mostNamed).join(", ");
  const more = hosts.length > mostNamed ? ` and ${hosts.length - mostNamed} more` : "";
  const whom = hosts.length === 0 ? "no host" : `${named}${more} and no other name`;
  return `the local authority speaks for ${whom}, until ${new Date(expiresAt).toISOString().slice(0, 10)}`;
}
