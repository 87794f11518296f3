// A new connection to a service: address checked, TLS verified, through the network's proxy where there is one.
import { readFileSync } from "node:fs";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls, rootCertificates } from "node:tls";
import type { Config, Service } from "../engine/config.ts";
import { Failure } from "../engine/failure.ts";
import type { ClientIdentity } from "../engine/ports.ts";
import { defaultHeadLimits, Malformed, readResponseHead } from "../wire/http1.ts";
import { isLoopback, resolve } from "./address.ts";

type Network = Config["network"];

const dialTimeoutMs = 10_000;

export async function dial(
  service: Service,
  network: Network,
  identity: ClientIdentity | undefined,
): Promise<Socket | Failure> {
  const base = service.base;
  if (!base) throw new Error("a service without a base URL is never connected to");
  const proxied = network.proxy && !bypasses(network, base.host);
  if (proxied) return dialThroughProxy(service, network, identity);
  const addresses = await resolve(service);
  if (addresses instanceof Failure) return addresses;
  let last: Failure | undefined;
  for (const address of addresses.slice(0, 4)) {
    const socket = await dialAddress(service, network, identity, address, base.port);
    if (!(socket instanceof Failure)) return socket;
    last = socket;
    if (socket.code === "upstream_tls") break;
  }
  return last ?? new Failure("upstream_unreachable", `${base.host} has no address`);
}

function bypasses(network: Network, host: string): boolean {
  if (host === "localhost" || (isIP(host) !== 0 && isLoopback(host))) return true;
  return network.noProxy.some((entry) => {
    const name = entry.toLowerCase();
    return (
      name === "*" ||
      host === name.replace(/^\./, "") ||
      host.endsWith(name.startsWith(".") ? name : `.${name}`)
    );
  });
}

function dialAddress(
  service: Service,
  network: Network,
  identity: ClientIdentity | undefined,
  address: string,
  port: number,
): Promise<Socket | Failure> {
  if (service.base?.scheme === "http")
    return settled(whereOf(service), connectTcp({ host: address, port }), "connect");
  const options = tlsOptions(service, network, identity);
  if (options instanceof Failure) return Promise.resolve(options);
  return secured(service, { ...options, host: address, port });
}

/** What a caFile or a client certificate holds can be such that no connection is begun. */
function secured(service: Service, options: ConnectionOptions): Promise<Socket | Failure> {
  try {
    return settled(whereOf(service), connectTls(options), "secureConnect");
  } catch {
    const failure = new Failure(
      "upstream_tls",
      `the certificates for ${service.base?.authority} cannot be used`,
      { next: "check its caFile and client certificate: each is whole and in PEM" },
    );
    return Promise.resolve(failure);
  }
}

function tlsOptions(
  service: Service,
  network: Network,
  identity: ClientIdentity | undefined,
): ConnectionOptions | Failure {
  const host = service.base?.host ?? "";
  const authorities = certificateAuthorities([service.caFile, network.caFile]);
  if (authorities instanceof Failure) return authorities;
  return {
    // Stated, since NODE_TLS_REJECT_UNAUTHORIZED in the environment would switch the default off.
    rejectUnauthorized: true,
    ca: authorities,
    ALPNProtocols: ["http/1.1"],
    minVersion: "TLSv1.2",
    ...(isIP(host) ? {} : { servername: host }),
    ...(identity ? { cert: identity.certificate, key: identity.key.reveal() } : {}),
  };
}

/** The roots that came with janee, and those that the config adds; never those of the environment. */
function certificateAuthorities(files: readonly (string | undefined)[]): string[] | Failure {
  const list = [...rootCertificates];
  for (const file of files) {
    if (file === undefined) continue;
    try {
      list.push(readFileSync(file, "utf8"));
    } catch {
      return new Failure("upstream_tls", `the caFile ${file} cannot be read`, {
        next: "check the path in the config",
      });
    }
  }
  return list;
}

function whereOf({ base, name }: Service): string {
  return base?.authority ?? name;
}

/** Resolves when the socket is ready for use, or with why it is not. */
function settled(
  where: string,
  socket: Socket,
  ready: "connect" | "secureConnect",
): Promise<Socket | Failure> {
  return new Promise((done) => {
    const finish = (result: Socket | Failure): void => {
      clearTimeout(timer);
      socket.removeListener("error", fail);
      socket.removeListener("close", closed);
      if (result instanceof Failure) {
        socket.on("error", () => {});
        socket.destroy();
      } else {
        socket.setNoDelay(true);
      }
      done(result);
    };
    const fail = (error: Error): void => finish(connectFailure(where, error));
    const closed = (): void => finish(new Failure("upstream_unreachable", `${where} closed the connection`));
    const timer = setTimeout(() => {
      finish(new Failure("upstream_timeout", `${where} did not answer within ${dialTimeoutMs / 1000} s`));
    }, dialTimeoutMs);
    socket.once(ready, () => {
      const verified = ready === "connect" || (socket as { authorized?: boolean }).authorized === true;
      finish(verified ? socket : new Failure("upstream_tls", `the certificate of ${where} is not trusted`));
    });
    socket.once("error", fail);
    socket.once("close", closed);
  });
}

function connectFailure(where: string, error: Error): Failure {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  if (
    /CERT|SSL|TLS|ALTNAME|SELF_SIGNED|VERIFY|UNKNOWN_ISSUER|ERR_BORINGSSL/i.test(
      `${code} ${error.name} ${error.message}`,
    )
  ) {
    return new Failure(
      "upstream_tls",
      `the certificate of ${where} is not trusted (${code || "TLS error"})`,
      {
        next: "check the baseUrl; a private authority belongs in caFile of the service: janee add SERVICE --ca-file PATH",
      },
    );
  }
  return new Failure("upstream_unreachable", `${where} cannot be reached${code === "" ? "" : ` (${code})`}`, {
    next: "check the network and the baseUrl, then try again",
  });
}

/** A tunnel for https (RFC 9110 section 9.3.6). Plain http never goes through a proxy with a credential. */
async function dialThroughProxy(
  service: Service,
  network: Network,
  identity: ClientIdentity | undefined,
): Promise<Socket | Failure> {
  const { base } = service;
  const { proxy } = network;
  if (!base || !proxy) throw new Error("no proxy to dial through");
  if (base.scheme === "http") {
    return new Failure("upstream_forbidden_address", "plain http is not sent through a proxy", {
      next: "use https, or add the host to network.noProxy",
    });
  }
  // Before the proxy is bothered, and left with a tunnel that nobody uses.
  const options = tlsOptions(service, network, identity);
  if (options instanceof Failure) return options;
  const tcp = await dialProxy(
    proxy,
    `${base.host.includes(":") ? `[${base.host}]` : base.host}:${base.port}`,
  );
  if (tcp instanceof Failure) return tcp;
  const socket = await secured(service, { ...options, socket: tcp });
  if (socket instanceof Failure) tcp.destroy();
  return socket;
}

/** A tunnel through the network's proxy, ready for use. */
export async function dialProxy(
  proxy: NonNullable<Network["proxy"]>,
  authority: string,
): Promise<Socket | Failure> {
  const tcp = await settled(authority, connectTcp({ host: proxy.host, port: proxy.port }), "connect");
  if (tcp instanceof Failure) return tcp;
  return (await openTunnel(tcp, authority, proxy.authorization)) ?? tcp;
}

function openTunnel(
  tcp: Socket,
  authority: string,
  authorization: string | undefined,
): Promise<Failure | undefined> {
  return new Promise((done) => {
    let received = Buffer.alloc(0);
    const finish = (failure: Failure | undefined): void => {
      clearTimeout(timer);
      tcp.removeListener("data", onData);
      tcp.removeListener("close", onClose);
      if (failure) tcp.destroy();
      done(failure);
    };
    const refused = (why: string): void => finish(new Failure("upstream_unreachable", `the proxy ${why}`));
    const onData = (bytes: Buffer): void => {
      received = Buffer.concat([received, bytes]);
      const head = readResponseHead(received, "CONNECT", defaultHeadLimits);
      if (head === undefined) return;
      if (head instanceof Malformed) return refused("answered nonsense");
      if (head.status !== 200) return refused(`refused the tunnel (${head.status})`);
      finish(
        head.size === received.length
          ? undefined
          : new Failure("upstream_nonsense", "the proxy spoke out of turn"),
      );
    };
    const onClose = (): void => refused("closed the connection");
    const timer = setTimeout(() => refused("did not answer"), dialTimeoutMs);
    tcp.on("data", onData);
    tcp.on("close", onClose);
    tcp.on("error", () => {});
    const credentials = authorization === undefined ? "" : `Proxy-Authorization: ${authorization}\r\n`;
    tcp.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${credentials}\r\n`);
  });
}
