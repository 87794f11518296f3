// Load on a forward proxy, run as a process of its own: CONNECT, TLS inside, requests one after the other on each tunnel.
// `fresh`: a new tunnel for each request. One JSON order on stdin, one JSON result on stdout.
import { connect } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";

export interface TunnelOrder {
  /** Of the proxy. */
  readonly port: number;
  readonly authority: string;
  readonly path: string;
  readonly proxyAuthorization: string;
  /** PEM of the proxy's authority. */
  readonly ca: string;
  readonly connections: number;
  readonly seconds: number;
  readonly fresh: boolean;
}

export interface TunnelLoad {
  readonly requests: number;
  readonly perSecond: number;
  readonly failed: number;
}

async function generate(order: TunnelOrder): Promise<TunnelLoad> {
  const { authority, proxyAuthorization } = order;
  const asking = `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\nProxy-Authorization: ${proxyAuthorization}\r\n\r\n`;
  const request = Buffer.from(`GET ${order.path} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  let requests = 0;
  let failed = 0;
  let running = true;

  function open(): Promise<TLSSocket> {
    return new Promise((done, refused) => {
      const socket = connect({ port: order.port, host: "127.0.0.1", noDelay: true });
      socket.once("error", refused);
      socket.once("data", (bytes: Buffer) => {
        if (!bytes.toString("latin1").startsWith("HTTP/1.1 200")) return refused(new Error("no tunnel"));
        const servername = authority.replace(/:\d+$/, "");
        const tls = connectTls({ socket, servername, ca: [order.ca], ALPNProtocols: ["http/1.1"] });
        tls.once("error", refused);
        tls.once("secureConnect", () => done(tls));
      });
      socket.write(asking);
    });
  }

  function ask(tls: TLSSocket): Promise<boolean> {
    return new Promise((done) => {
      let received = "";
      const take = (bytes: Buffer): void => {
        received += bytes.toString("latin1");
        const end = received.indexOf("\r\n\r\n");
        const length = Number(/content-length: *(\d+)/i.exec(received)?.[1] ?? Number.NaN);
        if (end < 0 || received.length < end + 4 + length) return;
        tls.removeListener("data", take);
        done(received.startsWith("HTTP/1.1 200"));
      };
      tls.on("data", take);
      tls.write(request);
    });
  }

  async function line(): Promise<void> {
    let tls: TLSSocket | undefined;
    while (running) {
      try {
        tls ??= await open();
        if (await ask(tls)) requests += 1;
        else failed += 1;
        if (order.fresh) {
          tls.destroy();
          tls = undefined;
        }
      } catch {
        failed += 1;
        tls = undefined;
        await new Promise((done) => setTimeout(done, 10));
      }
    }
    tls?.destroy();
  }

  const startedAt = performance.now();
  for (let count = 0; count < order.connections; count += 1) void line();
  await new Promise((done) => setTimeout(done, order.seconds * 1000));
  running = false;
  const elapsed = (performance.now() - startedAt) / 1000;
  return { requests, perSecond: requests / elapsed, failed };
}

if (import.meta.main) {
  const order = JSON.parse(await Bun.stdin.text()) as TunnelOrder;
  process.stdout.write(JSON.stringify(await generate(order)));
  process.exit(0);
}
