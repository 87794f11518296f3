// A first connection to a host whose certificate is not made yet, over one that goes there directly. Both go through the
// same small proxy, since names of hosts that there are not have to lead to this machine.
import { writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { connect as connectTls, createSecureContext, type SecureContext } from "node:tls";
import { Issuer, makeAuthority } from "../src/host/authority/certificates.ts";
import { type Box, cpuSeconds, freePort, listens, until } from "./box.ts";
import { quantile, type Table } from "./figures.ts";
import { JaneeHome, type Serving } from "./home.ts";
import { loadCore, proxyCore } from "./load.ts";
import { nginxTlsUpstream } from "./nginx.ts";
import type { Pace } from "./proxies.ts";

const domain = "bench.example";
const mostAddedMs = 15;
const answersWithinMs = 10_000;

export async function benchFirst(box: Box, table: Table, pace: Pace): Promise<void> {
  const hosts = Array.from({ length: Math.min(30 * pace.rounds, 180) }, (_, index) => `h${index}.${domain}`);
  const authority = await makeAuthority([domain], Date.now());
  const issuer = await Issuer.open(authority);
  if (!(issuer instanceof Issuer)) throw new Error(issuer.message);
  const caFile = join(box.folder, "first-ca.pem");
  writeFileSync(caFile, authority.cert);
  const leaf = { key: issuer.key, cert: issuer.leaf(`*.${domain}`, Date.now()) };
  const upstream = await nginxTlsUpstream(box, loadCore, leaf);
  const network = await way(box, upstream.port);
  const home = new JaneeHome(join(box.folder, "first"));
  home.configureHosts(hosts, { caFile, proxy: `http://127.0.0.1:${network.port}` });
  const agent = JSON.parse(home.run(["agent", "add", "bench", "--json"])) as { token: string };
  // One half of the hosts has its session already, the other half's is opened by the request.
  const tokens = hosts.map((_, index) =>
    index % 2 === 0 ? home.grant(undefined, `s${index}`).token : agent.token,
  );
  home.run(["ca", "renew"]);
  const serving = await home.serve(box, proxyCore);
  const ca = createSecureContext({ ca: home.run(["ca", "print"]) });
  const direct: Way = { port: network.port, context: createSecureContext({ ca: authority.cert }) };
  const added: { readonly granted: number[]; readonly opened: number[] } = { granted: [], opened: [] };
  const again: number[] = [];
  const before = cpuSeconds(serving.pid) ?? Number.NaN;
  for (const [index, host] of hosts.entries()) {
    const through: Way = { port: serving.port, token: tokens[index] ?? "", context: ca };
    const [plain, first] = [await timed(direct, host), await timed(through, host)];
    if (index === 0) table.add("first connection of all, over direct", `${(first - plain).toFixed(1)} ms`);
    else (index % 2 === 0 ? added.granted : added.opened).push(first - plain);
    again.push((await timed(through, host)) - (await timed(direct, host)));
  }
  const cpuMs = (1000 * ((cpuSeconds(serving.pid) ?? Number.NaN) - before)) / hosts.length;
  const shown = (times: readonly number[]): string =>
    `${quantile(times, 0.5).toFixed(1)} ms at the median, p90 ${quantile(times, 0.9).toFixed(1)}`;
  const name = `first connection to each of ${added.granted.length} hosts, over direct`;
  const met = quantile(added.granted, 0.5) <= mostAddedMs;
  table.judge(name, shown(added.granted), `≤ ${mostAddedMs} ms at the median`, met);
  table.add("  the same, where it opens the session as well", shown(added.opened));
  table.add("  a second connection to the same, over direct", shown(again));
  table.add("  processor time of both connections to one host", `${cpuMs.toFixed(1)} ms`);
  await serving.stop();
  await network.stop();
  await upstream.stop();
}

interface Way {
  readonly port: number;
  readonly token?: string;
  readonly context: SecureContext;
}

/** Milliseconds from nothing to the last byte of one answer. */
function timed({ port, token, context }: Way, host: string): Promise<number> {
  const startedAt = performance.now();
  const proof =
    token === undefined
      ? ""
      : `Proxy-Authorization: Basic ${Buffer.from(`x:${token}`).toString("base64")}\r\n`;
  return new Promise((done, refused) => {
    const late = setTimeout(() => refused(new Error(`${host} did not answer`)), answersWithinMs);
    const failed = (error: Error): void => {
      clearTimeout(late);
      refused(error);
    };
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    socket.once("error", failed);
    socket.once("data", (bytes: Buffer) => {
      if (!/^HTTP\/1\.1 200/.test(bytes.toString("latin1"))) return failed(new Error(bytes.toString()));
      const tls = connectTls({
        socket,
        servername: host,
        secureContext: context,
        ALPNProtocols: ["http/1.1"],
      });
      tls.once("error", failed);
      tls.once("secureConnect", () => tls.write(`GET /v1/items HTTP/1.1\r\nHost: ${host}\r\n\r\n`));
      let received = "";
      tls.on("data", (piece: Buffer) => {
        received += piece.toString("latin1");
        const end = received.indexOf("\r\n\r\n");
        const length = Number(/content-length: *(\d+)/i.exec(received)?.[1] ?? Number.NaN);
        if (end < 0 || received.length < end + 4 + length) return;
        clearTimeout(late);
        tls.destroy();
        if (received.startsWith("HTTP/1.1 200")) done(performance.now() - startedAt);
        else refused(new Error(received));
      });
    });
    socket.write(`CONNECT ${host}:443 HTTP/1.1\r\nHost: ${host}:443\r\n${proof}\r\n`);
  });
}

/** A proxy whose every tunnel leads to one port, in a process of its own. */
async function way(box: Box, to: number): Promise<Serving> {
  const port = await freePort();
  const started = box.start([process.execPath, import.meta.path, String(port), String(to)], {
    core: loadCore,
  });
  await until("the way to the upstream", () => listens(port));
  return { ...started, port };
}

if (import.meta.main) {
  const [port = 0, to = 0] = process.argv.slice(2).map(Number);
  createServer({ noDelay: true }, (client) => {
    client.on("error", () => client.destroy());
    client.once("data", () => {
      const far = connect({ port: to, host: "127.0.0.1", noDelay: true }, () => {
        client.write("HTTP/1.1 200 OK\r\n\r\n");
        client.pipe(far);
        far.pipe(client);
      });
      far.on("error", () => client.destroy());
      client.on("close", () => far.destroy());
    });
  }).listen(port, "127.0.0.1");
}
