// What an agent wants run, and what it gets back.
import type { Lifeline } from "../ports.ts";
import type { Asking } from "../standing.ts";

export interface CommandCall extends Asking {
  readonly peer: string;
  /** A name and its arguments; never a line for a shell. */
  readonly command: readonly string[];
  /** Inside the capability's `workDir`. */
  readonly cwd?: string;
  readonly stdin: Buffer;
  readonly lifeline: Lifeline;
  /** Takes what the command writes, scrubbed, as it comes. Without it the reply holds it, bounded. */
  readonly output?: (stream: "stdout" | "stderr", bytes: Buffer) => void;
}

/** What one stream of a command wrote: all of it, or its head and its tail. */
export interface Captured {
  readonly bytes: Buffer;
  /** Bytes that were left out between head and tail. */
  readonly omitted: number;
  /** Where in `bytes` they were. */
  readonly cutAt: number;
}

export interface CommandReply {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: Captured;
  readonly stderr: Captured;
  readonly durationMs: number;
  readonly timedOut: boolean;
}
