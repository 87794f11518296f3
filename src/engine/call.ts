// What an agent wants done, what it gets back, and what is known of it on the way.
import type { Admission, Granted } from "./admit.ts";
import type { Body, HeaderField, Lifeline } from "./ports.ts";
import type { Session } from "./session.ts";
import type { By } from "./standing.ts";
import type { Upgrade } from "./websocket/handshake.ts";
import type { AgentSocket } from "./websocket/relay.ts";

/** What an agent wants done, with who it is and the thread it hangs by. */
export interface Call {
  readonly surface: string;
  /** Whose refusals are counted together: an address, or an owner. */
  readonly peer: string;
  readonly by: By;
  readonly capability: string;
  readonly method: string;
  readonly target: string;
  readonly fields: readonly HeaderField[];
  readonly body: Body;
  readonly reason?: string;
  readonly upgrade?: Upgrade;
  readonly lifeline: Lifeline;
}

/** What the agent gets back. */
export interface Reply {
  readonly status: number;
  readonly fields: readonly HeaderField[];
  readonly body: Body;
  /** What janee says beside it. */
  readonly notice?: string | undefined;
  /** With status 101, of a call that asked for it. */
  readonly socket?: AgentSocket;
}

/** One call on its way. */
export interface Progress {
  readonly id: string;
  readonly call: Call;
  readonly startedAt: number;
  readonly body: Body;
  /** The body as form fields, where it is a form. */
  readonly form: string | undefined;
  /** SHA-256 of the body in hex, and its beginning for a person to read, where a person is asked. */
  readonly digest: string | undefined;
  readonly preview: string | undefined;
}

/** A verdict, with what was looked at to reach it. */
export interface Judged<Verdict extends Granted = Admission> {
  readonly admission: Verdict;
  readonly session: Session | undefined;
  readonly version: number;
  readonly generation: number;
}
