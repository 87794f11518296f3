/** One peer, as seen by the code that speaks HTTP with it. The host has it for real, over a socket. */
export interface Connection {
  /** The peer's address, without its port. */
  readonly peer: string;
  /** What the peer sends; ends when the peer does. */
  readonly incoming: AsyncIterator<Buffer>;
  /** Whether bytes have come that were not read from `incoming` yet. Absent where nobody needs to know. */
  readonly hasUnread?: boolean;
  /** False when the caller should wait for `drained` before it writes on. */
  write(bytes: Buffer): boolean;
  drained(): Promise<void>;
  /** The peer has gone, or has stopped sending for good. One listener at a time. */
  onGone(listener: (() => void) | undefined): void;
  /** Nothing can be read or written any more. Absent where nobody needs to know. */
  onClosed?(listener: () => void): void;
  /** Closes the connection after so many milliseconds without a further word; undefined: no limit. */
  within(milliseconds: number | undefined): void;
  /** Sends what was written, then closes; unread bytes of the peer are taken for a moment, so that it can read. */
  end(): Promise<void>;
  destroy(): void;
  /** Says that nothing more will be written; what the peer still sends can be read. */
  finish?(): void;
  /**
   * The same peer behind TLS that ends here, once the handshake is done; undefined where it failed, and then the
   * connection is gone. Everything that came before must have been read. Absent where the peer cannot be one.
   */
  secured?(identity: TlsIdentity): Promise<SecuredConnection | undefined>;
}

/** A certificate with its key, made by the host and used by nobody else. */
export interface TlsIdentity {
  readonly host: string;
}

export interface SecuredConnection extends Connection {
  /** The name that the peer asked for (SNI, RFC 6066 section 3). */
  readonly serverName: string | undefined;
}
