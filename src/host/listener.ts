// The port on which agents reach janee.
import { createServer, type Server } from "node:net";
import { Failure } from "../engine/failure.ts";
import type { Connection } from "../wire/connection.ts";
import { type OpenConnections, SocketConnection } from "./socket-connection.ts";

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

export function listen(options: ListenOptions): Promise<Listening | Failure> {
  const open: OpenConnections = new Set();
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
    options.serve(new SocketConnection(socket, open));
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
