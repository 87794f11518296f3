// An authority that was taken back speaks for no host any more, in a janee that has been running all along.
import assert from "node:assert/strict";
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
