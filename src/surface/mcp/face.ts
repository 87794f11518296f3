// What the MCP surface is given: the one broker, and what is needed to answer about it.
import type { Approvals } from "../../engine/approval.ts";
import type { Broker } from "../../engine/broker.ts";
import type { Caller } from "../../engine/caller.ts";
import type { Policy } from "../../engine/ports.ts";
import type { Sessions } from "../../engine/session.ts";

export interface McpFace {
  readonly broker: Broker;
  readonly policy: Policy;
  readonly sessions: Sessions;
  readonly approvals: Approvals;
  /** Signs what a client has to bring back with a person's answer; 32 random bytes. */
  readonly stateKey: Uint8Array;
  /** Where `janee serve` of this home listens, if it does. */
  readonly servingUrl: () => string | undefined;
}

/** What a connection is about, as soon as it is there: the handshake needs none of it. */
export interface Served {
  readonly face: McpFace;
  readonly caller: Caller;
}

/** One tool call: who makes it, and the thread by which it hangs. */
export interface Asked {
  readonly surface: string;
  readonly caller: Caller;
  readonly signal: AbortSignal;
  /** Tells the client how far a long answer has come; undefined where it did not ask to be told. */
  readonly progress: ((bytes: number) => void) | undefined;
  /** Before an answer of so many bytes is made into text: resolves when there is room for it. */
  readonly room: (bytes: number) => Promise<void>;
}
