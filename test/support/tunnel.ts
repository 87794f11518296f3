// A forward proxy of the network: it opens tunnels, and remembers what it was asked for.
import { connect, createServer, type Socket } from "node:net";

export interface TunnelProxy {
  readonly port: number;
  /** The heads of all requests that came, whatever they were. */
  readonly asked: string[];
  stop(): Promise<void>;
}

/** Every tunnel leads to a port on loopback: to one, or to that of the host that it was asked for. */
export async function startTunnelProxy(to: number | ((host: string) => number)): Promise<TunnelProxy> {
  const sockets = new Set<Socket>();
  const asked: string[] = [];
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
  };
  const server = createServer((client) => {
    keep(client);
    let head = "";
    const onData = (bytes: Buffer): void => {
      head += bytes.toString("latin1");
      if (!head.includes("\r\n\r\n")) return;
      client.removeListener("data", onData);
      asked.push(head);
      if (!head.startsWith("CONNECT "))
        return void client.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
      const host = /^CONNECT (\S+):\d+ /.exec(head)?.[1] ?? "";
      const target = connect({ host: "127.0.0.1", port: typeof to === "number" ? to : to(host) });
      keep(target);
      target.on("connect", () => {
        client.write("HTTP/1.1 200 Connection established\r\n\r\n");
        client.pipe(target);
        target.pipe(client);
      });
    };
    client.on("data", onData);
  });
  await new Promise<void>((done) => server.listen({ host: "127.0.0.1", port: 0 }, () => done()));
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : 0,
    asked,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
}
