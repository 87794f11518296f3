// The listener, the framing and the MCP transport of `janee serve`, with the suite's registry instead of janee's tools.
import type { Agents } from "../../src/engine/agents.ts";
import { Failure } from "../../src/engine/failure.ts";
import { shortId } from "../../src/engine/token.ts";
import { entropy } from "../../src/host/clock.ts";
import { listen } from "../../src/host/listener.ts";
import { ownAuthorities } from "../../src/surface/foreign.ts";
import { McpOverHttp } from "../../src/surface/mcp/http.ts";
import { type Face, serveConnection } from "../../src/surface/proxy.ts";
import { makeFixtureServer } from "./registry.ts";
import type { Target } from "./suite.ts";

export const fixtureToken = "jna_conformance";

export async function startFixtureStack(also: readonly string[]): Promise<Omit<Target, "token">> {
  const agents: Pick<Agents, "byToken"> = {
    byToken: (token) => (token === fixtureToken ? { owner: "agent:conformance" } : undefined),
  };
  const mcp = new McpOverHttp({
    agents,
    newId: () => shortId(entropy, 32),
    now: () => Date.now(),
    makeServer: makeFixtureServer,
    refused: async () => {},
  });
  let own: ReadonlySet<string> = new Set();
  const face: Omit<Face, "own"> = {
    // There is nothing behind it: only what is refused comes this far.
    broker: { refuseUnread: async () => {} } as unknown as Face["broker"],
    policy: {} as Face["policy"],
    page: () => Promise.resolve(new Failure("not_found", "not in this test")),
    mcp: (head, body, lifeline) => mcp.serve(head, body, lifeline),
    patience: { idle: 75_000, head: 15_000, body: 60_000 },
    mostRequests: 100,
  };
  const load = { atWork: 0 };
  const listening = await listen({
    host: "127.0.0.1",
    port: 0,
    mostConnections: 100,
    tooMany: Buffer.from("HTTP/1.1 503 Busy\r\n\r\n"),
    serve: (connection) => {
      serveConnection(connection, { ...face, own }, load).catch(() => connection.destroy());
    },
  });
  if (listening instanceof Failure) throw new Error(listening.message);
  own = ownAuthorities(listening.port, ["127.0.0.1"], also);
  return {
    port: listening.port,
    stop: async () => {
      await mcp.close();
      await listening.close();
    },
  };
}
