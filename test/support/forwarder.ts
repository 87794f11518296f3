// A loopback forwarder that puts one header on each request, for clients that cannot be given one. Every other byte
// passes as it came, both ways.
import { connect, createServer, type Socket } from "node:net";

export interface Forwarder {
  readonly port: number;
  /** Where requests go; set it before the first one. */
  target: number;
  stop(): Promise<void>;
}

export async function startForwarder(header: () => string): Promise<Forwarder> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  };
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ host: "127.0.0.1", port: forwarder.target, noDelay: true });
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      keep(one);
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroySoon());
    }
    const pass = withHeader(header);
    client.on("data", (bytes: Buffer) => {
      for (const piece of pass(bytes)) upstream.write(piece);
    });
    client.on("end", () => upstream.end());
    upstream.pipe(client);
  });
  await new Promise<void>((done, failed) => {
    server.once("error", failed);
    server.listen({ host: "127.0.0.1", port: 0 }, () => done());
  });
  const address = server.address();
  const forwarder: Forwarder = {
    port: typeof address === "object" && address ? address.port : 0,
    target: 0,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
  return forwarder;
}

/** Finds the head of each request; bodies are of a known length, as clients with a whole body send them. */
function withHeader(header: () => string): (bytes: Buffer) => Buffer[] {
  let head: Buffer = Buffer.alloc(0);
  let bodyLeft = 0;
  return (bytes) => {
    const pieces: Buffer[] = [];
    let rest = bytes;
    while (rest.length > 0) {
      if (bodyLeft > 0) {
        const body = rest.subarray(0, bodyLeft);
        bodyLeft -= body.length;
        rest = rest.subarray(body.length);
        pieces.push(body);
        continue;
      }
      head = Buffer.concat([head, rest]);
      const end = head.indexOf("\r\n\r\n");
      if (end < 0) break;
      const text = head.subarray(0, end).toString("latin1");
      if (/^transfer-encoding:/im.test(text)) throw new Error("the forwarder takes no chunked requests");
      bodyLeft = Number(/^content-length: *(\d+)/im.exec(text)?.[1] ?? 0);
      pieces.push(Buffer.from(`${text}\r\n${header()}\r\n\r\n`, "latin1"));
      rest = head.subarray(end + 4);
      head = Buffer.alloc(0);
    }
    return pieces;
  };
}
