// A connection that has become a WebSocket: frames both ways, until either side ends.
import type { Reply } from "../engine/call.ts";
import type { Connection } from "../wire/connection.ts";
import { field, writeResponseHead } from "../wire/http1.ts";
import type { Incoming } from "./incoming.ts";

/** An agent that does not read gives up its place in time. */
const readsWithinMs = 120_000;

export async function carrySocket(
  connection: Connection,
  incoming: Incoming,
  reply: Reply,
  socket: NonNullable<Reply["socket"]>,
): Promise<void> {
  const fields = [...reply.fields, field("Connection", "Upgrade"), field("Upgrade", "websocket")];
  connection.write(writeResponseHead(reply.status, fields));
  // It ends with the service's side: what the agent sends after that has nowhere to go.
  void socket.take(incoming.rest()).catch(() => connection.destroy());
  for await (const frame of socket.frames) {
    if (connection.write(frame)) continue;
    connection.within(readsWithinMs);
    await connection.drained();
    connection.within(undefined);
  }
}
