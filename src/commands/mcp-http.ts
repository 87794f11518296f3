// `/mcp` of `janee serve`. The SDK is loaded when the first client comes: most listeners never see one.
import { shortId } from "../engine/token.ts";
import { entropy } from "../host/clock.ts";
import { collectGarbage } from "../host/runtime.ts";
import { servingUrl } from "../host/serving.ts";
import type { McpOverHttp } from "../surface/mcp/http.ts";
import type { Mcp } from "../surface/proxy.ts";
import { version } from "./version.ts";
import type { Janee } from "./wire-up.ts";

const stateKeyBytes = 32;
const sessionIdLength = 32;
const sweepEveryMs = 1_000;

export function mcpOverHttp(janee: Janee): { readonly serve: Mcp; readonly close: () => Promise<void> } {
  let loading: Promise<McpOverHttp> | undefined;
  let sweeping: ReturnType<typeof setInterval> | undefined;
  const load = async (): Promise<McpOverHttp> => {
    const { McpOverHttp, toolsOverHttp } = await import("../surface/mcp/http.ts");
    const { home, broker, sessions, approvals, agents } = janee;
    const face = {
      ...{ broker, policy: home, sessions, approvals },
      stateKey: entropy.bytes(stateKeyBytes),
      servingUrl: () => servingUrl(home.path),
    };
    const newId = (): string => shortId(entropy, sessionIdLength);
    const mcp = new McpOverHttp({
      ...{ agents, newId, now: () => sessions.now() },
      refused: ({ owner }, failure) => broker.refuseUnread("mcp-http", owner, failure),
      makeServer: toolsOverHttp(version, face, collectGarbage),
    });
    sweeping = setInterval(() => mcp.sweep(), sweepEveryMs);
    return mcp;
  };
  return {
    serve: async (head, body, lifeline) => {
      loading ??= load();
      return (await loading).serve(head, body, lifeline);
    },
    close: async () => {
      clearInterval(sweeping);
      await (await loading)?.close();
    },
  };
}
