// A loopback way to a server on which someone changes bytes.
import { connect, createServer, type Socket } from "node:net";

export interface Tampering {
  readonly port: number;
  /** What becomes of what is on its way to the server. */
  change: (text: string) => string;
  stop(): Promise<void>;
}

export async function startTampering(target: number): Promise<Tampering> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ host: "127.0.0.1", port: target, noDelay: true });
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        sockets.delete(one);
        other.destroySoon();
      });
    }
    client.on("data", (bytes: Buffer) => {
      upstream.write(Buffer.from(tampering.change(bytes.toString("latin1")), "latin1"));
    });
    upstream.pipe(client);
  });
  await new Promise<void>((done) => server.listen({ host: "127.0.0.1", port: 0 }, () => done()));
  const address = server.address();
  const tampering: Tampering = {
    port: typeof address === "object" && address ? address.port : 0,
    change: (text) => text,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
  return tampering;
}
