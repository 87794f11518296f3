// The forward proxy from outside: who may use it, where it leads, and that what is inside is judged like anything else.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { makeCertificate } from "../support/certificates.ts";
import { Client, withClient } from "../support/client.ts";
import { readCorpus } from "../support/corpus.ts";
import { canary, Home, type Serving } from "../support/janee.ts";
import { askTunnel, basic, type Through, tunnelled, withTunnel } from "../support/through.ts";
import { startTunnelProxy } from "../support/tunnel.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";
import { until, within } from "../support/wait.ts";

const limit = { timeout: 60_000 };
const auth = `auth: { type: bearer, key: "${canary}" }`;
const rules = 'rules: [ { allow: "GET /v1/*" }, { allow: "POST /v1/*" }, { deny: "*" } ]';

class Stage {
  readonly home = new Home();
  upstream!: Upstream;
  plain!: Upstream;
  stranger!: Upstream;
  serving!: Serving;
  ca = "";
  readonly tokens = new Map<string, string>();

  static async open(): Promise<Stage> {
    const on = new Stage();
    const { home } = on;
    try {
      const certificate = makeCertificate(home.beside, "upstream", ["DNS:localhost"]);
      const other = makeCertificate(home.beside, "stranger", ["DNS:localhost"]);
      on.upstream = await startUpstream({ tls: certificate });
      on.plain = await startUpstream();
      on.stranger = await startUpstream({ tls: other });
      await home.do(["init"]);
      const at = `https://localhost:${on.upstream.port}`;
      home.writeConfig(`
services:
  gh: { baseUrl: https://api.github.com, ${auth} }
  tls: { baseUrl: "${at}", caFile: "${certificate.file}", ${auth} }
  deep: { baseUrl: "${at}/api/v2", caFile: "${certificate.file}", ${auth} }
  plain: { baseUrl: "http://127.0.0.1:${on.plain.port}", ${auth} }
  stranger: { baseUrl: "https://localhost:${on.stranger.port}", ${auth} }
capabilities:
  gh: { service: gh, autoApprove: true, ${rules} }
  tls: { service: tls, autoApprove: true, ${rules} }
  twin: { service: tls, autoApprove: true, rules: [ { deny: "*" } ] }
  deep: { service: deep, autoApprove: true, ${rules} }
  plain: { service: plain, autoApprove: true, ${rules} }
  stranger: { service: stranger, autoApprove: true }
`);
      for (const name of ["gh", "tls", "deep", "plain", "stranger"]) {
        on.tokens.set(name, (await home.grant(name)).token);
      }
      const agent = await home.json<{ token: string }>(["agent", "add", "several"], {
        env: { JANEE_UNATTENDED: "1" },
      });
      on.tokens.set("agent", agent.token);
      on.serving = await home.serve();
      await home.do(["ca", "renew"]);
      on.ca = (await home.do(["ca", "print"])).stdout;
      return on;
    } catch (error) {
      await on.close();
      throw error;
    }
  }

  token(name: string): string {
    const token = this.tokens.get(name);
    assert.ok(token);
    return token;
  }

  through(name: string, more: Partial<Through> = {}): Through {
    const authority = `localhost:${name === "stranger" ? this.stranger.port : this.upstream.port}`;
    return {
      port: this.serving.port,
      authority,
      authorization: basic("x", this.token(name)),
      ca: this.ca,
      ...more,
    };
  }

  get authority(): string {
    return `localhost:${this.upstream.port}`;
  }

  async close(): Promise<void> {
    await this.home.dispose();
    for (const one of [this.upstream, this.plain, this.stranger]) await one?.stop();
  }
}

let opened: Promise<Stage> | undefined;
function stage(): Promise<Stage> {
  opened ??= Stage.open();
  return opened;
}
after(async () => (await opened?.catch(() => undefined))?.close());

function get(target: string, host: string, more = ""): string {
  return `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n`;
}

test(
  "a request inside a tunnel gets the real credential, and the agent's own is dropped",
  limit,
  async () => {
    const on = await stage();
    on.upstream.seen.length = 0;
    on.upstream.answer = (seen, exchange) =>
      exchange.send(
        200,
        { "Alt-Svc": 'h3=":443"', "X-Echo": seen.values("authorization").join() },
        seen.head,
      );
    await withTunnel(on.through("tls"), async ({ client }) => {
      client.write(get("/v1/x?y=1", on.authority, "Authorization: Bearer sk_live_other_key\r\n"));
      const answer = await client.answer();
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.header("alt-svc"), undefined);
      assert.ok(!client.everything.includes(canary), "the key came back");
      assert.equal(answer.header("x-echo"), "Bearer [janee:redacted]");
    });
    assert.deepEqual(
      on.upstream.seen.map(({ line }) => line),
      ["GET /v1/x?y=1"],
    );
    assert.deepEqual(on.upstream.seen[0]?.values("authorization"), [`Bearer ${canary}`]);
    assert.deepEqual(on.upstream.seen[0]?.values("host"), [on.authority]);
  },
);

test(
  "the first CONNECT without a token gets a clean 407, and the same connection goes on",
  limit,
  async () => {
    const on = await stage();
    const client = new Client(on.serving.port);
    try {
      const ask = `CONNECT ${on.authority} HTTP/1.1\r\nHost: ${on.authority}\r\n`;
      const first = await client.write(`${ask}\r\n`).answer("GET");
      assert.equal(first.status, 407);
      assert.equal(first.error.code, "proxy_token_needed");
      assert.equal(first.header("proxy-authenticate"), 'Basic realm="janee"');
      assert.equal(client.closed, false);
      const unknown = await client
        .write(`${ask}Proxy-Authorization: ${basic("x", `jns_${"a".repeat(43)}`)}\r\n\r\n`)
        .answer();
      assert.equal(unknown.status, 407);
      client.write(`${ask}Proxy-Authorization: ${basic("x", on.token("tls"))}\r\n\r\n`);
      assert.equal((await client.head()).status, 200);
    } finally {
      client.destroy();
    }
  },
);

test(
  "the token may be the user, the password or a bearer's; two of them are one too many",
  limit,
  async () => {
    const on = await stage();
    const token = on.token("tls");
    for (const authorization of [basic(token, ""), basic("x", token), basic(token, "x"), `Bearer ${token}`]) {
      await withTunnel(on.through("tls", { authorization }), async ({ client }) => {
        assert.equal((await client.write(get("/v1/x", on.authority)).answer()).status, 200, authorization);
      });
    }
    const both = await askTunnel(on.through("tls", { authorization: basic(token, on.token("gh")) }));
    both.socket.destroy();
    assert.equal(both.status, 400);
    assert.match(both.head, /session_ambiguous/);
  },
);

test("CONNECT by Python's clients, in HTTP/1.0 and without a Host, is understood", limit, async () => {
  const on = await stage();
  await withClient(on.serving.port, async (client) => {
    client.write(
      `CONNECT ${on.authority} HTTP/1.0\r\nProxy-Authorization: ${basic("x", on.token("tls"))}\r\n\r\n`,
    );
    assert.equal((await client.head()).status, 200);
  });
});

test("one tunnel is for one host: another SNI or Host is misdirected", limit, async () => {
  const on = await stage();
  on.upstream.seen.length = 0;
  await withTunnel(on.through("tls", { serverName: "api.github.com" }), async ({ client }) => {
    const answer = await client.write(get("/v1/x", on.authority)).answer();
    assert.deepEqual([answer.status, answer.error.code], [421, "misdirected"]);
  });
  for (const host of [
    "api.github.com",
    "localhost",
    `localhost:${on.plain.port}`,
    `127.0.0.1:${on.upstream.port}`,
  ]) {
    await withTunnel(on.through("tls"), async ({ client }) => {
      const answer = await client.write(get("/v1/x", host)).answer();
      assert.deepEqual([answer.status, answer.error.code], [421, "misdirected"], host);
    });
  }
  assert.deepEqual(on.upstream.seen, []);
  await withTunnel(on.through("tls", { serverName: "" }), async ({ client }) => {
    assert.equal((await client.write(get("/v1/x", on.authority.toUpperCase())).answer()).status, 200);
  });
});

test("bytes before the tunnel stands are not read by anyone", limit, async () => {
  const on = await stage();
  on.upstream.seen.length = 0;
  await withClient(on.serving.port, async (client) => {
    const proof = `Proxy-Authorization: ${basic("x", on.token("tls"))}`;
    client.write(
      `CONNECT ${on.authority} HTTP/1.1\r\nHost: ${on.authority}\r\n${proof}\r\n\r\n${get("/v1/x", on.authority)}`,
    );
    assert.equal((await client.answer()).status, 400);
    await client.untilClosed();
  });
  assert.deepEqual(on.upstream.seen, []);
});

test("every request of a pipeline inside a tunnel is judged", limit, async () => {
  const on = await stage();
  on.upstream.seen.length = 0;
  on.upstream.answer = (_, exchange) => exchange.send(200, {}, "ok");
  await withTunnel(on.through("tls"), async ({ client }) => {
    client.write(`${get("/v1/a", on.authority)}${get("/admin", on.authority)}${get("/v1/b", on.authority)}`);
    const statuses = [await client.answer(), await client.answer(), await client.answer()].map(
      ({ status }) => status,
    );
    assert.deepEqual(statuses, [200, 403, 200]);
  });
  assert.deepEqual(
    on.upstream.seen.map(({ target }) => target),
    ["/v1/a", "/v1/b"],
  );
});

test("CONNECT and absolute-form inside a tunnel are no way around it", limit, async () => {
  const on = await stage();
  on.upstream.seen.length = 0;
  for (const bytes of [
    `CONNECT ${on.authority} HTTP/1.1\r\nHost: ${on.authority}\r\n\r\n`,
    `GET http://127.0.0.1:${on.plain.port}/v1/x HTTP/1.1\r\nHost: ${on.authority}\r\n\r\n`,
  ]) {
    await withTunnel(on.through("tls"), async ({ client }) => {
      assert.equal((await client.write(bytes).answer()).status, 400);
    });
  }
  assert.deepEqual([on.upstream.seen, on.plain.seen], [[], []]);
});

test(
  "a prefix of the service's address is a wall: what is behind it is judged as on the reverse proxy",
  limit,
  async () => {
    const on = await stage();
    on.upstream.seen.length = 0;
    const codes: (string | undefined)[] = [];
    for (const target of [
      "/api/v2/v1/x",
      "/v1/x",
      "/api/v2x/v1/x",
      "/api/v2/../v1/x",
      "/api/v2/%2e%2e/v1/x",
      "/api/v2/z",
    ]) {
      await withTunnel(on.through("deep"), async ({ client }) => {
        const answer = await client.write(get(target, on.authority)).answer();
        codes.push(answer.status === 200 ? "200" : answer.error.code);
      });
    }
    const outside = "host_not_allowed";
    assert.deepEqual(codes, ["200", outside, outside, "path_ambiguous", "path_ambiguous", "rule_denied"]);
    assert.deepEqual(
      on.upstream.seen.map(({ line }) => line),
      ["GET /api/v2/v1/x"],
    );
  },
);

test("an agent's token with several capabilities for one address has to say which", limit, async () => {
  const on = await stage();
  const ask = (user: string) =>
    withTunnel(on.through("agent", { authorization: basic(user, on.token("agent")) }), async ({ client }) => {
      const answer = await client.write(get("/v1/x", on.authority)).answer();
      return answer.status === 200 ? "200" : answer.error.code;
    });
  assert.equal(await ask("x"), "capability_ambiguous");
  assert.equal(await ask("tls"), "200");
  assert.equal(await ask("twin"), "rule_denied");
});

test("absolute-form reaches a service in the clear on this machine, and nothing else", limit, async () => {
  const on = await stage();
  on.plain.seen.length = 0;
  const here = `127.0.0.1:${on.plain.port}`;
  const proof = `Proxy-Authorization: ${basic("x", on.token("plain"))}\r\n`;
  const ask = (authority: string, host: string, more = proof) =>
    withClient(on.serving.port, async (client) => {
      const answer = await client.write(get(`http://${authority}/v1/x`, host, more)).answer();
      return answer.status === 200 ? 200 : answer.error.code;
    });
  assert.equal(await ask(here, here), 200);
  assert.deepEqual(on.plain.seen[0]?.values("authorization"), [`Bearer ${canary}`]);
  assert.deepEqual(on.plain.seen[0]?.values("proxy-authorization"), []);
  assert.equal(await ask(here, here, ""), "proxy_token_needed");
  assert.equal(await ask(here, "evil.example"), "misdirected");
  assert.equal(await ask(here, here, `${proof}Origin: http://${here}\r\n`), "foreign_origin");
  assert.equal(await ask(here, here, `${proof}Sec-Fetch-Site: cross-site\r\n`), "foreign_origin");
  assert.equal(await ask("api.github.com", "api.github.com"), "host_not_allowed");
  assert.equal(await ask("[::1]:80", "[::1]:80"), "host_not_allowed");
  const own = `127.0.0.1:${on.serving.port}`;
  assert.equal(await ask(own, own), "host_not_allowed", "janee through itself");
  assert.equal(on.plain.seen.length, 1);
});

test("a revocation holds for the next request in a tunnel that stands", limit, async () => {
  const on = await stage();
  const { token, session } = await on.home.grant("tls");
  await withTunnel(on.through("tls", { authorization: basic("x", token) }), async ({ client }) => {
    assert.equal((await client.write(get("/v1/x", on.authority)).answer()).status, 200);
    await on.home.do(["revoke", session]);
    const answer = await client.write(get("/v1/x", on.authority)).answer();
    assert.deepEqual([answer.status, answer.error.code], [403, "session_revoked"]);
  });
});

for (const { id, input, expect } of readCorpus().filter(({ group }) => group === "forward-proxy")) {
  const {
    raw,
    auth: proof,
    alpn,
    upstream_cert: certificate,
  } = input as {
    raw?: string;
    auth?: null;
    alpn?: string[];
    upstream_cert?: string;
  };
  test(`${id} ${input.title ?? ""}`, limit, async () => {
    const on = await stage();
    const before = on.home.audit().length;
    if (certificate === "self-signed") {
      const port = on.stranger.port;
      await withTunnel(on.through("stranger"), async ({ client }) => {
        const answer = await client.write(get("/v1/x", `localhost:${port}`)).answer();
        assert.deepEqual([answer.status, answer.error.code], [502, "upstream_tls"]);
      });
      assert.deepEqual(on.stranger.seen, []);
      return;
    }
    if (alpn) {
      await assert.rejects(
        tunnelled(on.through("tls", { alpn })),
        /no.?application.?protocol|ALPN|closed|ECONNRESET|socket/i,
      );
      const both = await tunnelled(on.through("tls", { alpn: [...alpn, "http/1.1"] }));
      assert.equal(both.tls.alpnProtocol, "http/1.1");
      both.client.destroy();
      return;
    }
    const [method = "", target = "", version = ""] = (raw ?? "")
      .replaceAll("PORT", String(on.plain.port))
      .split(" ");
    const authority = target.replace(/^http:\/\/([^/]*).*$/, "$1");
    const header = proof === null ? "" : `Proxy-Authorization: ${basic("x", on.token("gh"))}\r\n`;
    const answer = await withClient(on.serving.port, (client) =>
      client.write(`${method} ${target} ${version}\r\nHost: ${authority}\r\n${header}\r\n`).answer(),
    );
    assert.equal(answer.status, expect.status);
    if (expect.code !== undefined) assert.equal(answer.error.code, expect.code);
    const lines = on.home.audit().slice(before);
    assert.equal(lines.filter(({ outcome }) => outcome === "refused").length, 1, "it is written down");
    assert.deepEqual(
      on.plain.seen.filter(({ target: seen }) => seen === "/repos/x"),
      [],
    );
  });
}

test(
  "a tunnel carries no credential, is written down with its bytes, and goes to no private address",
  limit,
  async () => {
    const home = new Home();
    const certificate = makeCertificate(home.beside, "far", ["DNS:localhost"]);
    const far = await startUpstream({ tls: certificate });
    const proxy = await startTunnelProxy(far.port);
    try {
      await home.do(["init"]);
      home.writeConfig(`
services:
  gh: { baseUrl: https://api.github.com, ${auth} }
capabilities:
  gh: { service: gh, autoApprove: true }
network: { proxy: "http://127.0.0.1:${proxy.port}", unmatched: tunnel }
`);
      const { token } = await home.grant("gh");
      const { port } = await home.serve();
      const authorization = basic("x", token);
      const private_ = [
        `localhost:${far.port}`,
        `127.0.0.1:${far.port}`,
        "[::1]:443",
        "10.0.0.1:443",
        "169.254.169.254:80",
      ];
      for (const authority of [...private_, "[::ffff:127.0.0.1]:443", "api.github.com:22"]) {
        const { status, head, socket } = await askTunnel({ port, authority, authorization });
        socket.destroy();
        assert.deepEqual([status, /"code":"(\w+)"/.exec(head)?.[1]], [403, "host_not_allowed"], authority);
      }
      assert.deepEqual(proxy.asked, []);
      const authority = "9.9.9.9:443";
      const ca = certificate.cert;
      await withTunnel({ port, authority, authorization, ca, serverName: "" }, async ({ client }) => {
        const answer = await client
          .write(get("/anything", "far.example", "Authorization: Bearer mine\r\n"))
          .answer();
        assert.equal(answer.text, "ok");
      });
      assert.deepEqual(far.seen[0]?.values("authorization"), ["Bearer mine"]);
      const ended = await until(5_000, "the line of the tunnel's end", () =>
        home.audit().find(({ event, outcome }) => event === "tunnel" && outcome === "ended"),
      );
      assert.equal(ended.path, authority);
      assert.ok(Number(ended.bytesIn) > 100 && Number(ended.bytesOut) > 100);
      assert.match((await home.do(["logs"])).stdout, /tunnel ended/);
      assert.equal((await home.do(["logs", "verify"])).status, 0);
    } finally {
      await home.dispose();
      await far.stop();
      await proxy.stop();
    }
  },
);

test("janee ca: printed without its key, name-constrained, renewed and removed", limit, async () => {
  const home = new Home();
  try {
    await home.do(["init"]);
    home.writeConfig(`services:\n  gh: { baseUrl: https://api.github.com, ${auth} }\n`);
    assert.equal((await home.run(["ca"])).status, 2, "there is none to print");
    assert.equal((await home.run(["ca", "prnt"])).status, 2);
    const none = await home.run(["ca", "print"]);
    assert.equal(none.status, 2, none.stderr);
    await home.do(["ca", "renew"]);
    const { cert, hosts, expiresAt } = await home.json<{ cert: string; hosts: string[]; expiresAt: string }>([
      "ca",
      "print",
    ]);
    assert.deepEqual(hosts, ["api.github.com"]);
    assert.ok(Date.parse(expiresAt) - Date.now() < 366 * 24 * 3_600_000);
    await home.do(["ca", "renew"]);
    const printed = (await home.do(["ca", "print"])).stdout;
    assert.notEqual(printed.trim(), cert.trim());
    assert.equal((await home.do(["ca"])).stdout, printed, "to print is what it does when nothing is said");
    await home.do(["ca", "rm"]);
    assert.equal((await home.run(["ca", "print"])).status, 2);
    assert.ok(!home.printed.includes("PRIVATE KEY"));
  } finally {
    await home.dispose();
  }
});

test("half-open tunnels and nonsense in place of a handshake hold up nobody", limit, async () => {
  const on = await stage();
  on.upstream.seen.length = 0;
  on.upstream.answer = (_, exchange) => exchange.send(200, {}, "ok");
  const waiting = await Promise.all(Array.from({ length: 300 }, () => askTunnel(on.through("tls"))));
  assert.ok(waiting.every(({ status }) => status === 200));
  const nonsense = await askTunnel(on.through("tls"));
  const closed = new Promise<void>((done) => nonsense.socket.once("close", () => done()));
  nonsense.socket.write(get("/v1/unencrypted", on.authority));
  await within(20_000, closed, "the end of nonsense");
  await withTunnel(on.through("tls"), async ({ client }) => {
    assert.equal((await client.write(get("/v1/x", on.authority)).answer()).text, "ok");
  });
  for (const { socket } of waiting) socket.destroy();
  assert.deepEqual(
    on.upstream.seen.map(({ target }) => target),
    ["/v1/x"],
  );
});

test("no token of the proxy is in the trail", limit, async () => {
  const on = await stage();
  assert.doesNotMatch(on.home.auditText(), /jn[as]_[0-9A-Za-z]{8}/);
  assert.ok(!on.home.auditText().includes(canary));
});
