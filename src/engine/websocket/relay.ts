// A WebSocket that was agreed on: both directions as scrubbed messages, until either side or a revocation ends it.
import { type FailureCode, FailureError } from "../failure.ts";
import type { UpstreamSocket } from "../ports.ts";
import type { Scrubber } from "../scrub.ts";
import { closeFrame } from "./frames.ts";
import { Messages } from "./messages.ts";

/** What the agent's side is given of it. */
export interface AgentSocket {
  /** Frames for the agent; ends when the service does, or when nothing may pass any more. */
  readonly frames: AsyncIterable<Buffer>;
  /** Takes what the agent sends, to its end. */
  take(bytes: AsyncIterable<Buffer>): Promise<void>;
}

export interface RelayEnd {
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly redactions: number;
  readonly failure?: FailureCode;
}

export function relay(
  socket: UpstreamSocket,
  parts: {
    readonly scrubber: () => Scrubber;
    readonly mask: () => Uint8Array;
    readonly ended: (end: RelayEnd) => Promise<unknown>;
  },
): AgentSocket {
  const { scrubber, mask } = parts;
  const toAgent = new Messages({ fromClient: false, scrubber, mask });
  const toService = new Messages({ fromClient: true, scrubber, mask });
  let bytesIn = 0;
  let bytesOut = 0;
  let failure: FailureCode | undefined;
  /** What the agent broke, told to it as a last frame. */
  let broken: number | undefined;

  async function* frames(): AsyncGenerator<Buffer> {
    try {
      for await (const bytes of socket.incoming) {
        const passed = toAgent.push(bytes);
        if (typeof passed === "number") {
          await socket.write(closeFrame(passed, mask()));
          yield closeFrame(1011);
          return;
        }
        for (const frame of passed) {
          bytesOut += frame.length;
          yield frame;
        }
      }
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      failure = error.failure.code;
      // 1008 says that it was no end of the service's own.
      yield closeFrame(broken ?? 1008);
    } finally {
      socket.end();
      const redactions = toAgent.redactions + toService.redactions;
      await parts.ended({ bytesIn, bytesOut, redactions, ...(failure === undefined ? {} : { failure }) });
    }
    if (broken !== undefined) yield closeFrame(broken);
  }

  async function take(bytes: AsyncIterable<Buffer>): Promise<void> {
    try {
      for await (const chunk of bytes) {
        const passed = toService.push(chunk);
        if (typeof passed === "number") {
          broken = passed;
          await socket.write(closeFrame(passed, mask()));
          return;
        }
        for (const frame of passed) {
          bytesIn += frame.length;
          await socket.write(frame);
        }
      }
    } finally {
      socket.end();
    }
  }

  return { frames: frames(), take };
}
