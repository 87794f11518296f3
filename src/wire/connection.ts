/** One peer, as seen by the code that speaks HTTP with it. The host has it for real, over a socket. */
export interface Connection {
  /** The peer's address, without its port. */
  readonly peer: string;
  /** What the peer sends; ends when the peer does. */
  readonly incoming: AsyncIterator<Buffer>;
  /** False when the caller should wait for `drained` before it writes on. */
  write(bytes: Buffer): boolean;
  drained(): Promise<void>;
  /** The peer has gone, or has stopped sending for good. One listener at a time. */
  onGone(listener: (() => void) | undefined): void;
  /** Closes the connection after so many milliseconds without a further word; undefined: no limit. */
  within(milliseconds: number | undefined): void;
  /** Sends what was written, then closes; unread bytes of the peer are taken for a moment, so that it can read. */
  end(): Promise<void>;
  destroy(): void;
}
