// The port on which agents reach janee.
import { createServer, type Server, type Socket } from "node:net";
import { Failure } from "../engine/failure.ts";
import type { Connection } from "../wire/connection.ts";
import { Flow } from "../wire/flow.ts";

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly mostConnections: number;
  readonly serve: (connection: Connection) => void;
  /** A connection too many: it gets this answer and is closed. */
  readonly tooMany: Buffer;
}

export interface Listening {
  readonly port: number;
  close(): Promise<void>;
}

const sweepEveryMs = 250;
/** A peer that has stopped sending may still be reading; after this it is taken for gone. */
const halfClosedGraceMs = 500;
const lingerMs = 2_000;
const lingerBytes = 4 * 1024 * 1024;

export function listen(options: ListenOptions): Promise<Listening | Failure> {
  const open = new Set<SocketConnection>();
  const sweep = setInterval(() => {
    const now = performance.now();
    for (const connection of open) connection.endIfOverdue(now);
  }, sweepEveryMs);
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    if (open.size >= options.mostConnections) {
      socket.on("error", () => {});
      socket.end(options.tooMany, () => socket.destroy());
      return;
    }
    const connection = new SocketConnection(socket, () => open.delete(connection));
    open.add(connection);
    options.serve(connection);
  });
  return new Promise((done) => {
    server.once("error", (error) => {
      clearInterval(sweep);
      done(listenFailure(error, options));
    });
    server.listen({ host: options.host, port: options.port, backlog: 1024 }, () => {
      const close = async (): Promise<void> => {
        clearInterval(sweep);
        for (const connection of open) connection.destroy();
        await new Promise<void>((closed) => server.close(() => closed()));
      };
      done({ port: portOf(server), close });
    });
  });
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}

function listenFailure(error: Error, options: ListenOptions): Failure {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const where = `${options.host}:${options.port}`;
  if (code === "EADDRINUSE") {
    return new Failure("address_in_use", `${where} is in use`, {
      next: "stop the other program, or choose another port with --port",
    });
  }
  return new Failure("address_in_use", `cannot listen on ${where}${code === "" ? "" : ` (${code})`}`, {
    next: "choose another --host or --port",
  });
}

class SocketConnection implements Connection {
  readonly peer: string;
  readonly incoming: Flow;
  readonly #socket: Socket;
  #deadline = Number.POSITIVE_INFINITY;
  #gone = false;
  #onGone: (() => void) | undefined;
  #drained: (() => void) | undefined;

  constructor(socket: Socket, closed: () => void) {
    this.#socket = socket;
    this.peer = socket.remoteAddress ?? "unknown";
    this.incoming = new Flow({
      setFlowing: (flowing) => {
        if (flowing) socket.resume();
        else socket.pause();
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
      closed();
    });
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
