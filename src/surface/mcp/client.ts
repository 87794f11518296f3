// What a client says of itself: in each request (2026-07-28), or once when it connects (2025 and before).
import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  type Server,
  type ServerContext,
} from "@modelcontextprotocol/server";

const longestName = 64;

export interface Client {
  readonly context: ServerContext;
  readonly server: Server;
}

/** Whether it can put a form to a person. Before there were modes, an empty object meant forms. */
export function canShowForms({ context, server }: Client): boolean {
  const declared = inEnvelope(context, CLIENT_CAPABILITIES_META_KEY) ?? server.getClientCapabilities();
  const elicitation = (declared as { elicitation?: unknown } | undefined)?.elicitation;
  if (typeof elicitation !== "object" || elicitation === null) return false;
  return "form" in elicitation || !("url" in elicitation);
}

/** For people to read; it decides nothing. */
export function nameOf({ context, server }: Client): string | undefined {
  const info = inEnvelope(context, CLIENT_INFO_META_KEY) ?? server.getClientVersion();
  const name = (info as { name?: unknown } | undefined)?.name;
  return typeof name === "string" && name !== "" ? name.slice(0, longestName) : undefined;
}

function inEnvelope(context: ServerContext, key: string): unknown {
  return (context.mcpReq.envelope as Readonly<Record<string, unknown>> | undefined)?.[key];
}
