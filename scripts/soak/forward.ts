// A thousand clients of the forward proxy that begin and do not go on, at each step in turn, and one that wants an answer.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { residentBytes } from "../../bench/box.ts";
import { megabytes, quantile } from "../../bench/figures.ts";
import { JaneeHome } from "../../bench/home.ts";
import { Issuer, makeAuthority } from "../../src/host/authority/certificates.ts";
import { beginSlow, slowKinds } from "../../test/support/slow-clients.ts";
import { basic, withTunnel } from "../../test/support/through.ts";
import { startUpstream } from "../../test/support/upstream.ts";
import { must } from "./home-of.ts";
import { type Part, scaled } from "./part.ts";

const clients = 1_000;
/** The longest deadline is that of a head, 15 s, with a look at it each quarter of a second. */
const letGoWithinMs = 18_000;
const mostEach = 128 * 1024;

export const forwardParts: Part = async (box, table, scale) => {
  const authority = await makeAuthority(["localhost"], Date.now());
  const issuer = must(await Issuer.open(authority));
  const caFile = join(box.folder, "forward-ca.pem");
  writeFileSync(caFile, authority.cert);
  const upstream = await startUpstream({
    tls: { key: issuer.key, cert: issuer.leaf("localhost", Date.now()) },
  });
  const home = new JaneeHome(join(box.folder, "forward"));
  home.configureTls(`https://localhost:${upstream.port}`, caFile);
  const { token } = home.grant();
  home.run(["ca", "renew"]);
  const serving = await home.serve(box);
  const through = {
    ...{ port: serving.port, authority: `localhost:${upstream.port}`, ca: home.run(["ca", "print"]), token },
    authorization: basic("x", token),
  };
  const ask = (): Promise<number> =>
    withTunnel(through, async ({ client }) => {
      const askedAt = performance.now();
      client.write(`GET /v1/items HTTP/1.1\r\nHost: ${through.authority}\r\n\r\n`);
      const { status } = await client.answer();
      if (status !== 200) throw new Error(`a good client was answered ${status}`);
      return performance.now() - askedAt;
    });
  const count = scaled(clients, scale);
  for (const kind of slowKinds) {
    await ask();
    const before = residentBytes(serving.pid) ?? Number.NaN;
    const lives: number[] = [];
    let refused = 0;
    for (let index = 0; index < count; index++) {
      const startedAt = performance.now();
      void beginSlow(kind, through).then(
        ({ closed }) => void closed.then(() => lives.push(performance.now() - startedAt)),
        () => {
          refused += 1;
        },
      );
      if (index % 20 === 19) await sleep(20);
    }
    const latencies: number[] = [];
    let highest = before;
    for (const end = performance.now() + letGoWithinMs + 2_000; performance.now() < end; await sleep(100)) {
      latencies.push(await ask());
      highest = Math.max(highest, residentBytes(serving.pid) ?? 0);
      if (lives.length + refused === count) break;
    }
    const each = (highest - before) / count;
    const after = residentBytes(serving.pid);
    const served = `${latencies.length} answered meanwhile, p99 ${quantile(latencies, 0.99).toFixed(1)} ms`;
    const letGo = lives.filter((life) => life <= letGoWithinMs).length;
    const when = lives.length === 0 ? "" : ` after ${(quantile(lives, 0.5) / 1000).toFixed(1)} s`;
    const name = `${count} that stop at ${kind}`;
    table.judge(name, `${letGo} let go${when}; ${served}`, "all, in time", letGo === count);
    const memory = `${megabytes(before)} → ${megabytes(highest)}, then ${megabytes(after)}`;
    const figure = `${(each / 1024).toFixed(0)} KB each: RSS ${memory}`;
    table.judge("  memory", figure, `≤ ${mostEach / 1024} KB each`, each <= mostEach);
  }
  const others = upstream.seen.filter(({ target }) => target !== "/v1/items");
  table.judge("  what went on of them", String(others.length), "nothing", others.length === 0);
  await serving.stop();
  await upstream.stop();
};
