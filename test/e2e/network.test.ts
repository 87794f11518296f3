// How janee itself reaches the world: what it trusts, what it goes through, where it never goes.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Certificate, makeCertificate } from "../support/certificates.ts";
import { canary, Home, inHome } from "../support/janee.ts";
import { withStage } from "../support/stage.ts";
import { startTunnelProxy, type TunnelProxy } from "../support/tunnel.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

const limit = { timeout: 60_000 };
const auth = `auth: { type: bearer, key: ${canary} }`;

interface Secure {
  readonly upstream: Upstream;
  readonly certificate: Certificate;
}

/** TLS upstreams with certificates of their own, made in the home's folder. */
async function secure(home: Home, ...alternatives: string[]): Promise<Secure> {
  const name = alternatives.join("-").replace(/[^a-z0-9]+/gi, "-");
  const certificate = makeCertificate(home.beside, name, alternatives);
  return { certificate, upstream: await startUpstream({ tls: certificate }) };
}

// A broker that takes any certificate sends the key to whoever stands in the way.
test(
  "TLS: only what janee's roots or the service's caFile vouch for, under the right name",
  limit,
  async () => {
    const folder = new Home();
    const upstreams: Upstream[] = [];
    try {
      const own = await secure(folder, "DNS:localhost", "IP:127.0.0.1");
      const other = await secure(folder, "DNS:somewhere.else");
      upstreams.push(own.upstream, other.upstream);
      const url = `https://localhost:${own.upstream.port}`;
      const trusting: Record<string, string> = {
        NODE_TLS_REJECT_UNAUTHORIZED: "0",
        NODE_EXTRA_CA_CERTS: own.certificate.file,
        SSL_CERT_FILE: own.certificate.file,
        SSL_CERT_DIR: folder.beside,
        DENO_CERT: own.certificate.file,
        DENO_TLS_CA_STORE: "system",
        NODE_OPTIONS: "--use-openssl-ca",
      };
      const config = (): string => `
services:
  unknown: { baseUrl: "${url}", ${auth} }
  vouched: { baseUrl: "${url}", caFile: "${own.certificate.file}", ${auth} }
  by-address: { baseUrl: "https://127.0.0.1:${own.upstream.port}", caFile: "${own.certificate.file}", ${auth} }
  wrong-name: { baseUrl: "https://localhost:${other.upstream.port}", caFile: "${other.certificate.file}", ${auth} }
  wrong-file: { baseUrl: "${url}", caFile: "${other.certificate.file}", ${auth} }
  no-file: { baseUrl: "${url}", caFile: "${folder.beside}/missing.pem", ${auth} }
capabilities:
  unknown: { service: unknown, autoApprove: true }
  vouched: { service: vouched, autoApprove: true }
  by-address: { service: by-address, autoApprove: true }
  wrong-name: { service: wrong-name, autoApprove: true }
  wrong-file: { service: wrong-file, autoApprove: true }
  no-file: { service: no-file, autoApprove: true }
`;
      const grant = ["unknown", "vouched", "by-address", "wrong-name", "wrong-file", "no-file"];
      await withStage({ config, grant, serve: { env: trusting } }, async (on) => {
        for (const name of ["unknown", "wrong-name", "wrong-file", "no-file", "unknown"]) {
          const answer = await on.ask(name, "/v1/x");
          assert.deepEqual([answer.status, answer.error.code], [502, "upstream_tls"], name);
          assert.ok(!answer.text.includes(canary));
        }
        assert.deepEqual([...own.upstream.seen, ...other.upstream.seen], [], "the key went out");
        for (const name of ["vouched", "by-address"]) {
          const answer = await on.ask(name, "/v1/x");
          assert.deepEqual([answer.status, answer.text], [200, "ok"], name);
        }
        assert.deepEqual(own.upstream.seen[0]?.values("authorization"), [`Bearer ${canary}`]);
        // A connection that one service may use is not lent to another that trusts less.
        assert.equal((await on.ask("unknown", "/v1/x")).status, 502);
      });
    } finally {
      for (const upstream of upstreams) await upstream.stop();
      await folder.dispose();
    }
  },
);

// Taken from the environment, a proxy could be planted by whoever starts janee.
test(
  "network.proxy carries https in a tunnel, noProxy goes by, and the environment says nothing",
  limit,
  async () => {
    const folder = new Home();
    let upstream: Upstream | undefined;
    let proxy: TunnelProxy | undefined;
    let planted: TunnelProxy | undefined;
    try {
      const tls = await secure(folder, "DNS:api.behind.test", "DNS:localhost");
      upstream = tls.upstream;
      const ca = tls.certificate.file;
      const tunnel = await startTunnelProxy(upstream.port);
      const trap = await startTunnelProxy(upstream.port);
      [proxy, planted] = [tunnel, trap];
      const trapUrl = `http://127.0.0.1:${trap.port}`;
      const environment: Record<string, string> = {};
      for (const name of ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"]) {
        environment[name] = trapUrl;
        environment[name.toLowerCase()] = trapUrl;
      }
      const services = (origin: string): string => `
services:
  behind: { baseUrl: "https://api.behind.test", caFile: "${ca}", ${auth} }
  direct: { baseUrl: "https://api.direct.test", caFile: "${ca}", ${auth} }
  plain: { baseUrl: "http://api.behind.test", allowCleartext: true, ${auth} }
  here: { baseUrl: "${origin}", ${auth} }
  here-tls: { baseUrl: "https://localhost:${tls.upstream.port}", caFile: "${ca}", ${auth} }
capabilities:
  behind: { service: behind, autoApprove: true }
  direct: { service: direct, autoApprove: true }
  plain: { service: plain, autoApprove: true }
  here: { service: here, autoApprove: true }
  here-tls: { service: here-tls, autoApprove: true }
`;
      const config = (origin: string): string =>
        `${services(origin)}network: { proxy: "http://user:pass@127.0.0.1:${tunnel.port}", noProxy: [.direct.test] }\n`;
      const grant = ["behind", "direct", "plain", "here", "here-tls"];
      await withStage({ config, grant, serve: { env: environment } }, async (on) => {
        const behind = await on.ask("behind", "/v1/x");
        assert.deepEqual([behind.status, behind.text], [200, "ok"], behind.text);
        assert.equal(tunnel.asked.length, 1);
        assert.match(tunnel.asked[0] ?? "", /^CONNECT api\.behind\.test:443 HTTP\/1\.1\r\n/);
        assert.ok(!(tunnel.asked[0] ?? "").includes(canary));
        assert.deepEqual(tls.upstream.seen[0]?.values("host"), ["api.behind.test"]);
        assert.equal((await on.ask("direct", "/v1/x")).error.code, "upstream_unreachable");
        const plain = await on.ask("plain", "/v1/x");
        assert.ok(plain.status === 502, `a key in the clear through a proxy: ${plain.text}`);
        for (const name of ["here", "here-tls"])
          assert.equal((await on.ask(name, "/v1/x")).status, 200, name);
        assert.equal(tunnel.asked.length, 1, "loopback and noProxy go by");
      });
      await withStage({ config: services, grant, serve: { env: environment } }, async (on) => {
        assert.equal((await on.ask("behind", "/v1/x")).error.code, "upstream_unreachable");
        for (const name of ["here", "here-tls"])
          assert.equal((await on.ask(name, "/v1/x")).status, 200, name);
      });
      assert.deepEqual(trap.asked, [], "a proxy of the environment was used");
    } finally {
      await proxy?.stop();
      await planted?.stop();
      await upstream?.stop();
      await folder.dispose();
    }
  },
);

// The metadata service of a cloud gives its own keys to whoever asks from inside.
test("no credential goes to a link-local address, nor in the clear to another machine", limit, async () => {
  const forbidden: readonly (readonly [name: string, url: string])[] = [
    ["metadata", "https://169.254.169.254"],
    ["metadata-as-ipv6", "https://[::ffff:169.254.169.254]"],
    ["metadata-of-ipv6", "https://[fd00:ec2::254]"],
    ["metadata-as-number", "https://2852039166"],
    ["metadata-in-hex", "https://0xa9.0xfe.0xa9.0xfe"],
    ["in-the-clear", "http://192.0.2.1"],
    ["in-the-clear-by-name", "http://example.com"],
  ];
  for (const [name, url] of forbidden) {
    await inHome(async (home) => {
      const args = ["add", name, "-u", url, "--auth-type", "bearer", "--key-stdin", "--auto-approve"];
      const added = await home.run(args, { stdin: canary });
      // Refused when it is written down, or when it would be sent; never sent.
      if (added.status === 0) {
        const ran = await home.run(["test", name, "--json"]);
        const { error } = JSON.parse(ran.stdout) as { error?: { code: string } };
        assert.deepEqual(
          [ran.status, error?.code],
          [6, "upstream_forbidden_address"],
          `${url}: ${ran.stdout}`,
        );
      } else {
        assert.ok(added.status === 3 || added.status === 5, `${url}: ${added.status} ${added.stderr}`);
        assert.ok(
          !existsSync(join(home.path, "config.yaml")) || !home.readConfig().includes(name),
          "half-written",
        );
      }
      assert.ok(!`${added.stdout}${added.stderr}`.includes(canary));
    });
  }
});

test("another machine's plain http, and link-local, take a flag in the config", limit, async () => {
  await inHome(async (home) => {
    await home.do(["init"]);
    home.writeConfig(`
services:
  clear: { baseUrl: "http://192.0.2.1:9", allowCleartext: true, ${auth} }
  local: { baseUrl: "https://169.254.169.254", allowLinkLocal: true, ${auth} }
capabilities: {}
`);
    const listed = await home.json<{ services: { name: string; flags: string[] }[] }>(["list"]);
    assert.deepEqual(
      listed.services.map(({ flags }) => flags.length > 0),
      [true, true],
      "a loosened service shows",
    );
  });
});
