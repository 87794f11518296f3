// A peer on a socket, as the code that speaks HTTP with it sees it.
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Connection, SecuredConnection, TlsIdentity } from "../wire/connection.ts";
import { Flow } from "../wire/flow.ts";
import { contextOf } from "./authority/identity.ts";
import { pauseBelow } from "./runtime.ts";

/** A peer that has stopped sending may still be reading; after this it is taken for gone. */
const halfClosedGraceMs = 500;
const lingerMs = 2_000;
const lingerBytes = 4 * 1024 * 1024;
const handshakeWithinMs = 10_000;

/** Those whose deadlines are looked after, and that end with their listener. */
export type OpenConnections = Set<SocketConnection>;

export class SocketConnection implements Connection {
  readonly peer: string;
  readonly incoming: Flow;
  readonly #socket: Socket;
  readonly #open: OpenConnections;
  #deadline = Number.POSITIVE_INFINITY;
  #gone = false;
  #onGone: (() => void) | undefined;
  #onClosed: (() => void) | undefined;
  #drained: (() => void) | undefined;

  /** `below`: the socket that a TLS socket lies over. */
  constructor(
    socket: Socket,
    open: OpenConnections,
    peer: string = socket.remoteAddress ?? "unknown",
    below?: Socket,
  ) {
    this.#socket = socket;
    this.#open = open;
    this.peer = peer;
    open.add(this);
    this.incoming = new Flow({
      setFlowing: (flowing) => {
        if (flowing) socket.resume();
        else socket.pause();
        if (below) pauseBelow(below, !flowing);
      },
      stopped: () => {},
    });
    socket.on("data", (bytes: Buffer) => this.incoming.push(bytes));
    socket.on("drain", () => this.#releaseDrained());
    socket.on("error", () => {});
    socket.on("end", () => {
      this.incoming.end();
      setTimeout(() => this.#leave(), halfClosedGraceMs).unref();
    });
    socket.on("close", () => {
      this.incoming.end();
      this.#leave();
      open.delete(this);
      this.#onClosed?.();
    });
  }

  get hasUnread(): boolean {
    return this.incoming.holdsSome;
  }

  write(bytes: Buffer): boolean {
    if (this.#socket.destroyed) return true;
    return this.#socket.write(bytes);
  }

  drained(): Promise<void> {
    if (this.#gone || this.#socket.destroyed || !this.#socket.writableNeedDrain) return Promise.resolve();
    return new Promise((done) => {
      this.#drained = done;
    });
  }

  onGone(listener: (() => void) | undefined): void {
    this.#onGone = listener;
    if (listener && this.#gone) listener();
  }

  onClosed(listener: () => void): void {
    this.#onClosed = listener;
    if (this.#socket.destroyed) listener();
  }

  within(milliseconds: number | undefined): void {
    this.#deadline = milliseconds === undefined ? Number.POSITIVE_INFINITY : performance.now() + milliseconds;
  }

  endIfOverdue(now: number): void {
    if (now >= this.#deadline) this.destroy();
  }

  async end(): Promise<void> {
    this.#socket.end();
    this.within(lingerMs);
    for (let taken = 0; taken < lingerBytes; ) {
      const { done, value } = await this.incoming.next();
      if (done) break;
      taken += value.length;
    }
    this.#socket.destroySoon();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  finish(): void {
    this.#socket.end();
  }

  async secured(identity: TlsIdentity): Promise<SecuredConnection | undefined> {
    const socket = this.#socket;
    const context = contextOf(identity);
    if (socket.destroyed || this.#gone || !context) return undefined;
    for (const event of ["data", "drain", "end", "error", "close"]) socket.removeAllListeners(event);
    socket.on("error", () => {});
    const secure = new TLSSocket(socket, {
      isServer: true,
      secureContext: context,
      ALPNProtocols: ["http/1.1"],
    });
    // Counted as open until it is done, or a thousand handshakes that never end would count for nothing.
    const ready = () => new SocketConnection(secure, this.#open, this.peer, socket);
    const done = await handshake(secure, socket, ready);
    this.#open.delete(this);
    if (!done) return undefined;
    const { servername } = secure as { readonly servername?: string | false | null };
    return Object.assign(done, { serverName: servername ? servername : undefined });
  }

  #leave(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#releaseDrained();
    this.#onGone?.();
  }

  #releaseDrained(): void {
    const drained = this.#drained;
    this.#drained = undefined;
    drained?.();
  }
}

/** undefined: it did not come to its end, and the socket is gone. */
function handshake(
  secure: TLSSocket,
  socket: Socket,
  ready: () => SocketConnection,
): Promise<SocketConnection | undefined> {
  return new Promise((done) => {
    const fail = (): void => {
      clearTimeout(timer);
      secure.on("error", () => {});
      secure.destroy();
      socket.destroy();
      done(undefined);
    };
    const timer = setTimeout(fail, handshakeWithinMs);
    secure.once("error", fail);
    secure.once("close", fail);
    secure.once("secure", () => {
      clearTimeout(timer);
      secure.removeListener("error", fail);
      secure.removeListener("close", fail);
      // In this very tick: what was sent behind the handshake finds a reader.
      done(ready());
    });
  });
}
