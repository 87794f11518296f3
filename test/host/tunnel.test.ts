// Where a tunnel without a credential leads: to the address that was judged, also behind the network's proxy.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { NetworkSettings } from "../../src/engine/config.ts";
import { Failure } from "../../src/engine/failure.ts";
import { dialTunnel } from "../../src/host/tunnel.ts";
import { startTunnelProxy } from "../support/tunnel.ts";
import { withUpstream } from "../support/upstream.ts";

const limit = { timeout: 30_000 };
const origin = { scheme: "https", host: "far.example", port: 443 } as const;

test("the network's proxy is told the address that was judged, never a name to look up anew", limit, () =>
  withUpstream({}, async (upstream) => {
    const proxy = await startTunnelProxy(upstream.port);
    const network: NetworkSettings = {
      caFile: undefined,
      noProxy: [],
      proxy: { host: "127.0.0.1", port: proxy.port },
    };
    try {
      for (const [addresses, asked] of [
        [["9.9.9.9"], "9.9.9.9:443"],
        [["2620:fe::fe", "9.9.9.9"], "[2620:fe::fe]:443"],
      ] as const) {
        proxy.asked.length = 0;
        const connection = await dialTunnel(origin, network, () => Promise.resolve([...addresses]));
        assert.ok(!(connection instanceof Failure), String(connection));
        connection.destroy();
        assert.match(
          proxy.asked[0] ?? "",
          new RegExp(`^CONNECT ${asked.replace(/[[\].]/g, "\\$&")} HTTP/1.1\r\n`),
        );
        assert.ok(!proxy.asked[0]?.includes("far.example"));
      }
      proxy.asked.length = 0;
      for (const addresses of [["10.0.0.1"], ["9.9.9.9", "127.0.0.1"], ["169.254.169.254"], []]) {
        const refused = await dialTunnel(origin, network, () => Promise.resolve(addresses));
        assert.equal(refused instanceof Failure && refused.code, "host_not_allowed", addresses.join());
      }
      assert.deepEqual(proxy.asked, []);
    } finally {
      await proxy.stop();
    }
  }),
);
