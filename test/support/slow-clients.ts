// Clients of a forward proxy that begin and do not go on, each at another step on the way to a request.
import { connect, type Socket } from "node:net";
import { basic, type Through, tunnelled } from "./through.ts";

export const slowKinds = ["a head", "a tunnel", "a handshake", "a request inside"] as const;
export type SlowKind = (typeof slowKinds)[number];

export interface SlowClient {
  readonly kind: SlowKind;
  /** Resolves when the proxy has ended the connection. */
  readonly closed: Promise<void>;
  readonly socket: Socket;
}

export interface SlowThrough extends Through {
  readonly token: string;
}

/** The head of a TLS record with a ClientHello, and a little of what it says it holds. */
const hello = Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]);
const dripEveryMs = 1_000;

export async function beginSlow(kind: SlowKind, through: SlowThrough): Promise<SlowClient> {
  const { port, authority, token } = through;
  const authorization = basic("x", token);
  if (kind === "a request inside") {
    const { tls } = await tunnelled({ ...through, authorization });
    return hang(kind, tls, `GET /v1/slow HTTP/1.1\r\nHost: ${authority}\r\nX-Slow: `, "a");
  }
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  const head = `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\nProxy-Authorization: ${authorization}\r\n`;
  if (kind === "a head") return hang(kind, socket, head, "X");
  await new Promise<void>((done, failed) => {
    socket.once("error", failed);
    socket.once("data", (bytes: Buffer) => {
      socket.removeListener("error", failed);
      if (bytes.toString("latin1").startsWith("HTTP/1.1 200")) done();
      else failed(new Error(bytes.toString("latin1")));
    });
    socket.write(`${head}\r\n`);
  });
  return hang(kind, socket, kind === "a handshake" ? hello : "", kind === "a handshake" ? "\0" : "");
}

/** Sends the beginning, then a byte now and then for as long as it is let. */
function hang(kind: SlowKind, socket: Socket, begin: string | Buffer, drip: string): SlowClient {
  socket.on("error", () => {});
  socket.resume();
  if (begin.length > 0) socket.write(begin);
  const dripping = setInterval(() => {
    if (drip !== "" && !socket.destroyed && socket.writable) socket.write(drip);
  }, dripEveryMs);
  const closed = new Promise<void>((done) => {
    for (const event of ["end", "close"]) {
      socket.once(event, () => {
        clearInterval(dripping);
        socket.destroy();
        done();
      });
    }
  });
  return { kind, closed, socket };
}
