// The handshake of a WebSocket (RFC 6455 section 4): a GET that the rules judge, and the few fields that belong to it.
import type { HeaderField } from "../ports.ts";

export type Upgrade = "websocket";

/** Of the agent's fields; extensions are left out, so that none changes what the bytes of a frame mean. */
export const handshakeFields: ReadonlySet<string> = new Set([
  "sec-websocket-key",
  "sec-websocket-version",
  "sec-websocket-protocol",
]);

function only(fields: readonly HeaderField[], key: string): string | undefined {
  const found = fields.filter((field) => field.key === key);
  return found.length === 1 ? found[0]?.value : undefined;
}

function names(fields: readonly HeaderField[], key: string, token: string): boolean {
  return fields.some(
    (field) =>
      field.key === key && field.value.split(",").some((part) => part.trim().toLowerCase() === token),
  );
}

/** Only a whole and unambiguous one is: everything else that wants an upgrade is refused. */
export function upgradeOf(method: string, fields: readonly HeaderField[]): Upgrade | undefined {
  const isOne =
    method === "GET" &&
    only(fields, "upgrade")?.toLowerCase() === "websocket" &&
    names(fields, "connection", "upgrade") &&
    only(fields, "sec-websocket-version") === "13" &&
    /^[A-Za-z0-9+/]{22}==$/.test(only(fields, "sec-websocket-key") ?? "");
  return isOne ? "websocket" : undefined;
}

/** Whether the service has agreed, and to nothing beside. */
export function isAgreed(fields: readonly HeaderField[]): boolean {
  return (
    only(fields, "upgrade")?.toLowerCase() === "websocket" &&
    names(fields, "connection", "upgrade") &&
    only(fields, "sec-websocket-accept") !== undefined &&
    !fields.some(({ key }) => key === "sec-websocket-extensions")
  );
}
