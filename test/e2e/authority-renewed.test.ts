// An authority that was taken back speaks for no host any more, in a janee that has been running all along.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeCertificate } from "../support/certificates.ts";
import { canary, inHome } from "../support/janee.ts";
import { basic, tunnelled } from "../support/through.ts";
import { withUpstream } from "../support/upstream.ts";

test(
  "after janee ca renew the next tunnel is the new authority's, and none is the old one's",
  {
    timeout: 60_000,
  },
  () =>
    inHome(async (home) => {
      const certificate = makeCertificate(home.beside, "upstream", ["DNS:localhost"]);
      await withUpstream({ tls: certificate }, async (upstream) => {
        const authority = `localhost:${upstream.port}`;
        await home.do(["init"]);
        home.writeConfig(
          `services:\n  tls: { baseUrl: "https://${authority}", caFile: "${certificate.file}", auth: { type: bearer, key: "${canary}" } }\n` +
            "capabilities:\n  tls: { service: tls, autoApprove: true }\n",
        );
        const { token } = await home.grant("tls");
        const { port } = await home.serve();
        const authorities: string[] = [];
        const handshake = async (ca: string): Promise<boolean> => {
          const through = { port, authority, ca, authorization: basic("x", token) };
          const tunnel = await tunnelled(through).catch(() => undefined);
          tunnel?.client.destroy();
          return tunnel !== undefined;
        };
        for (let round = 0; round < 2; round++) {
          await home.do(["ca", "renew"]);
          authorities.push((await home.do(["ca", "print"])).stdout);
          for (const [at, ca] of authorities.entries()) {
            assert.equal(await handshake(ca), at === round, `authority ${at} in round ${round}`);
          }
        }
      });
    }),
);

test(
  "a running janee goes on with its authority through janee rotate; a service that is taken out is permitted no more",
  { timeout: 60_000 },
  () =>
    inHome(async (home) => {
      const certificate = makeCertificate(home.beside, "upstream", ["DNS:localhost"]);
      await withUpstream({ tls: certificate }, async (upstream) => {
        const authority = `localhost:${upstream.port}`;
        const auth = `auth: { type: bearer, key: "${canary}" }`;
        const config = `services:\n  tls: { baseUrl: "https://${authority}", caFile: "${certificate.file}", ${auth} }\n`;
        const other = `  gone: { baseUrl: "https://gone.example", ${auth} }\n`;
        const rest = "capabilities:\n  tls: { service: tls, autoApprove: true }\n";
        await home.do(["init"]);
        home.writeConfig(`${config}${other}${rest}`);
        const { token } = await home.grant("tls");
        const { port } = await home.serve();
        await home.do(["ca", "renew"]);
        const printed = async () => home.json<{ cert: string; hosts: string[] }>(["ca", "print"]);
        const first = await printed();
        assert.deepEqual(first.hosts, ["gone.example", "localhost"]);
        const serves = async (ca: string): Promise<void> => {
          const through = { port, authority, ca, authorization: basic("x", token) };
          const { client } = await tunnelled(through);
          try {
            client.write(`GET /x HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
            assert.equal((await client.answer()).status, 200);
          } finally {
            client.destroy();
          }
        };
        const file = join(home.path, "ca/authority.json");
        assert.doesNotMatch(readFileSync(file, "utf8"), /PRIVATE KEY/);
        await serves(first.cert);
        await home.do(["rotate"], { env: { JANEE_UNATTENDED: "1" } });
        await serves(first.cert);
        assert.equal((await printed()).cert, first.cert);

        home.writeConfig(home.readConfig().replace(/^ {2}gone:.*\n/m, ""));
        const told = await home.run(["doctor"]);
        assert.match(told.stdout, /authority +it may still speak for gone\.example/);
        await serves(first.cert);
        const narrower = await printed();
        assert.deepEqual(narrower.hosts, ["localhost"]);
        assert.notEqual(narrower.cert, first.cert);
        for (const cert of [first.cert, narrower.cert]) await serves(cert);
        assert.match((await home.run(["doctor"])).stdout, /speaks for localhost and no other name/);
        assert.match(
          (await home.do(["ca", "print"])).stderr,
          /speaks for localhost and no other name, until 20/,
        );
      });
    }),
);
