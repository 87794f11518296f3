// What is wrong with certificates is told as a failure, before a connection or a tunnel is begun.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Failure } from "../../src/engine/failure.ts";
import { Secret } from "../../src/engine/secret.ts";
import { dial } from "../../src/host/dial.ts";
import { privateKeys } from "../../src/host/private-keys.ts";
import { read } from "../engine/config-sample.ts";
import { makeCertificate } from "../support/certificates.ts";
import { startTunnelProxy } from "../support/tunnel.ts";
import { startUpstream } from "../support/upstream.ts";

const limit = { timeout: 60_000 };
const garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "janee-dial-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("every certificate of a client's chain is whole, or it is refused", limit, () =>
  inFolder(async (folder) => {
    const one = makeCertificate(folder, "one", ["DNS:localhost"]);
    const two = makeCertificate(folder, "two", ["DNS:localhost"]);
    const identity = (chain: string) =>
      privateKeys.identity(new Secret(chain), new Secret(one.key), undefined);
    for (const chain of [`${one.cert}${garbage}`, garbage, "AAAA"]) {
      const refused = await identity(chain);
      assert.ok(refused instanceof Failure);
      assert.equal(refused.code, "credential_failed");
    }
    const good = await identity(`${one.cert}${two.cert}`);
    assert.ok(!(good instanceof Failure));
    const swapped = await identity(`${two.cert}${one.cert}`);
    assert.ok(swapped instanceof Failure, "the key belongs to the first one");
  }),
);

test(
  "an authority that is none ends in a failure, and opens no tunnel through the network's proxy",
  limit,
  () =>
    inFolder(async (folder) => {
      const upstream = await startUpstream();
      const proxy = await startTunnelProxy(upstream.port);
      try {
        const bad = join(folder, "bad.pem");
        writeFileSync(bad, garbage);
        const configWith = (file: string, host: string) =>
          read(
            `network: { proxy: "http://127.0.0.1:${proxy.port}" }\n` +
              `services:\n  s: { baseUrl: "https://${host}:${upstream.port}", caFile: ${file}, auth: { type: bearer, key: k } }\n`,
          ).config;
        for (const [file, host] of [
          [bad, "127.0.0.1"],
          [join(folder, "missing.pem"), "api.example.com"],
        ] as const) {
          const config = configWith(file, host);
          const service = config.services.get("s") ?? assert.fail();
          const before = proxy.asked.length;
          const dialled = await dial(service, config.network, undefined);
          assert.ok(dialled instanceof Failure, `${file} ${host}`);
          if (file !== bad) assert.equal(proxy.asked.length, before, "no tunnel for what cannot be checked");
        }
      } finally {
        await proxy.stop();
        await upstream.stop();
      }
    }),
);
