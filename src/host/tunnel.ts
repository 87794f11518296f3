// A plain connection to an address of the world, for a tunnel. The name is looked up once, and what was judged is what
// is connected to: a name that leads to this machine or its network would make a proxy a way into both.
import { lookup } from "node:dns/promises";
import { connect, isIP, type Socket } from "node:net";
import type { NetworkSettings } from "../engine/config.ts";
import { type Origin, originText } from "../engine/destination.ts";
import { Failure } from "../engine/failure.ts";
import type { Connection } from "../wire/connection.ts";
import { isPublic } from "./address.ts";
import { dialProxy } from "./dial.ts";
import { type OpenConnections, SocketConnection } from "./socket-connection.ts";

const dialTimeoutMs = 10_000;
/** Nobody looks after deadlines here: the client's is the tunnel's, and ends both. */
const open: OpenConnections = new Set();

export async function dialTunnel(
  origin: Origin,
  network: NetworkSettings,
  resolve: (host: string) => Promise<string[] | Failure> = lookUp,
): Promise<Connection | Failure> {
  const addresses = isIP(origin.host) === 0 ? await resolve(origin.host) : [origin.host];
  if (addresses instanceof Failure) return addresses;
  const [first] = addresses;
  if (first === undefined || !addresses.every(isPublic)) {
    return new Failure(
      "host_not_allowed",
      `${origin.host} leads to a private address, where no tunnel goes`,
      {
        next: "ask the person for a capability",
      },
    );
  }
  // The network's proxy is told the address as well: it could look the name up to another one.
  const socket = network.proxy
    ? await dialProxy(network.proxy, originText({ ...origin, host: first }))
    : await dial(first, origin);
  return socket instanceof Failure ? socket : new SocketConnection(socket, open);
}

async function lookUp(host: string): Promise<string[] | Failure> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch {
    return new Failure("upstream_unreachable", `the name ${host} does not resolve`);
  }
}

function dial(address: string, origin: Origin): Promise<Socket | Failure> {
  return new Promise((done) => {
    const socket = connect({ host: address, port: origin.port, noDelay: true, allowHalfOpen: true });
    const fail = (): void => {
      clearTimeout(timer);
      socket.destroy();
      done(new Failure("upstream_unreachable", `${originText(origin)} cannot be reached`));
    };
    const timer = setTimeout(fail, dialTimeoutMs);
    socket.once("error", fail);
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.removeListener("error", fail);
      socket.on("error", () => {});
      done(socket);
    });
  });
}
