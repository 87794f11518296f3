// A client behind a forward proxy: CONNECT, then TLS with the host, then exactly the bytes it is given.
import { connect, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { Client } from "./client.ts";
import { within } from "./wait.ts";

export interface Through {
  /** Of the proxy. */
  readonly port: number;
  /** `host:port` of the one behind it. */
  readonly authority: string;
  /** The whole of Proxy-Authorization; undefined: none. */
  readonly authorization?: string | undefined;
  /** The authority of the proxy, in PEM. */
  readonly ca: string;
  /** SNI, where it is not the host of `authority`; "": none. */
  readonly serverName?: string;
  readonly alpn?: readonly string[];
}

export interface Tunnelled {
  readonly client: Client;
  readonly tls: TLSSocket;
}

const withinMs = 10_000;

export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

/** The status line of what CONNECT was answered, and the socket behind it. */
export function askTunnel(
  through: Omit<Through, "ca">,
): Promise<{ status: number; head: string; socket: Socket }> {
  const { port, authority, authorization } = through;
  const proof = authorization === undefined ? "" : `Proxy-Authorization: ${authorization}\r\n`;
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  return within(
    withinMs,
    new Promise((done, failed) => {
      let received = Buffer.alloc(0);
      socket.once("error", failed);
      socket.on("data", function take(bytes: Buffer) {
        received = Buffer.concat([received, bytes]);
        if (!received.includes("\r\n\r\n")) return;
        socket.removeListener("data", take);
        socket.removeListener("error", failed);
        socket.on("error", () => {});
        const head = received.toString("latin1");
        done({ status: Number(head.split(" ")[1]), head, socket });
      });
      socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${proof}\r\n`);
    }),
    "the answer to CONNECT",
  );
}

/** Fails when the tunnel is refused, or its certificate is not trusted. */
export async function tunnelled(through: Through): Promise<Tunnelled> {
  const { status, head, socket } = await askTunnel(through);
  if (status !== 200) {
    socket.destroy();
    throw new Error(`the tunnel was refused: ${head}`);
  }
  const host = through.authority.replace(/:\d+$/, "");
  const { serverName = host, ca, alpn = ["http/1.1"] } = through;
  const tls = await within(
    withinMs,
    new Promise<TLSSocket>((done, failed) => {
      const secured = connectTls({
        ...{ socket, ca: [ca], ALPNProtocols: [...alpn] },
        ...(serverName === "" ? {} : { servername: serverName }),
        // The certificate is for the host of CONNECT, whatever name is asked for.
        checkServerIdentity: () => undefined,
      });
      secured.once("error", failed);
      secured.once("secureConnect", () => done(secured));
    }),
    "a handshake",
  );
  return { client: new Client(tls), tls };
}

export async function withTunnel<T>(through: Through, work: (tunnel: Tunnelled) => Promise<T>): Promise<T> {
  const tunnel = await tunnelled(through);
  try {
    return await work(tunnel);
  } finally {
    tunnel.client.destroy();
  }
}
