// Services that check each signature let in what clients behind `janee run` ask with a placeholder, and keep out the twin with
// another secret: every scheme whose credential is made for a request, through the forward proxy.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import { join } from "node:path";
import { after, test } from "node:test";
import type { TLSSocket } from "node:tls";
import { makeCertificate } from "../support/certificates.ts";
import { appId, type GithubStandIn, installationId, startGithub } from "../support/github-app.ts";
import { canary, Home, root } from "../support/janee.ts";
import { client, Issuer } from "../support/oauth.ts";
import { findIn } from "../support/secrets.ts";
import type { Seen } from "../support/upstream.ts";
import { DigestService, problemInAws, problemInBinance, problemInOauth } from "../support/verify.ts";

const limit = { timeout: 90_000 };

const aws = {
  ...{ accessKeyId: "AKIAFAKEFAKEFAKE0001", secretAccessKey: "fakeSecret/of+aws0123456789abcdefghij0123" },
  ...{ region: "us-east-1", service: "s3" },
};
const binance = { key: "fakeBinanceKey0123456789", secret: "fakeBinanceSecret0123456789" };
const oauth = {
  ...{ key: "fakeConsumerKey0123", secret: "fakeConsumerSecret0123456789" },
  ...{ token: "1234-fakeAccessToken0123456789", tokenSecret: "fakeTokenSecret0123456789" },
};
const shelf = { user: "reader", password: "fake Digest password 0123456789" };
const wrong = "wrongSecretOfTheTwin0123456789";

const schemes = ["aws", "hmac", "oauth1a", "digest", "oauth2", "github-app", "mtls"] as const;
type Scheme = (typeof schemes)[number];

class Stage {
  readonly home = new Home();
  readonly seen: Seen[] = [];
  readonly #digest = new DigestService(shelf.user, shelf.password, 3);
  readonly #nonces = new Set<string>();
  issuer!: Issuer;
  github!: GithubStandIn;
  server!: Server;
  port = 0;

  static async open(): Promise<Stage> {
    const on = new Stage();
    const { home } = on;
    try {
      const own = makeCertificate(home.beside, "upstream", ["DNS:localhost"]);
      const right = makeCertificate(home.beside, "agent-desk", ["DNS:localhost"]);
      const other = makeCertificate(home.beside, "stranger", ["DNS:localhost"]);
      on.issuer = await Issuer.start();
      on.github = await startGithub();
      const { key, cert } = own;
      const shown = { ca: [right.cert], requestCert: true, rejectUnauthorized: false };
      on.server = createServer({ key, cert, ...shown }, (request, response) => {
        on.#answer(request, response).catch(() => response.destroy());
      });
      await new Promise<void>((done) => on.server.listen(0, "127.0.0.1", done));
      const address = on.server.address();
      on.port = typeof address === "object" && address ? address.port : 0;
      const stranger = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
      const auths: Readonly<Record<Scheme, (isTwin: boolean) => object>> = {
        aws: (isTwin) => ({
          ...{ type: "aws-sigv4", ...aws },
          ...(isTwin ? { secretAccessKey: wrong } : {}),
        }),
        hmac: (isTwin) => ({
          ...{ type: "hmac", preset: "binance", apiKey: binance.key },
          secret: isTwin ? wrong : binance.secret,
        }),
        oauth1a: (isTwin) => ({
          ...{ type: "oauth1a", consumerKey: oauth.key, consumerSecret: oauth.secret, token: oauth.token },
          tokenSecret: isTwin ? wrong : oauth.tokenSecret,
        }),
        digest: (isTwin) => ({
          ...{ type: "digest", username: shelf.user, password: isTwin ? wrong : shelf.password },
        }),
        oauth2: (isTwin) => ({
          ...{ type: "oauth2", tokenUrl: `${on.issuer.origin}/oauth/token`, clientId: client.id },
          clientSecret: isTwin ? wrong : client.secret,
        }),
        "github-app": (isTwin) => ({
          ...{ type: "github-app", appId, installationId },
          privateKey: isTwin ? stranger.export({ type: "pkcs1", format: "pem" }).toString() : on.github.pem,
        }),
        mtls: (isTwin) => ({
          ...{ type: "mtls", certificate: (isTwin ? other : right).cert },
          privateKey: (isTwin ? other : right).key,
        }),
      };
      const services: Record<string, object> = {};
      const capabilities: Record<string, object> = {};
      for (const scheme of schemes) {
        for (const isTwin of [false, true]) {
          const name = isTwin ? `${scheme}-twin` : scheme;
          const baseUrl = `https://localhost:${on.port}/${name}`;
          services[name] = { baseUrl, caFile: own.file, auth: auths[scheme](isTwin) };
          capabilities[name] = { service: name, autoApprove: true, envMap: { STAND: "{placeholder}" } };
        }
      }
      await home.do(["init"]);
      home.writeConfig(JSON.stringify({ services, capabilities }));
      return on;
    } catch (error) {
      await on.close();
      throw error;
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, prefix = ""] = (request.url ?? "").split("/");
    if (prefix.startsWith("github-app")) return this.github.serve(`/${prefix}`)(request, response);
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const seen = seenOf(request, Buffer.concat(pieces));
    this.seen.push(seen);
    if (prefix.startsWith("digest")) {
      const challenge = this.#digest.check(seen);
      if (challenge !== undefined) response.setHeader("WWW-Authenticate", challenge);
      return void response.writeHead(challenge === undefined ? 200 : 401).end("let in");
    }
    const problem = await this.#problem(prefix, seen, request.socket as TLSSocket);
    response.writeHead(problem === undefined ? 200 : 403).end(problem ?? "let in");
  }

  async #problem(prefix: string, seen: Seen, socket: TLSSocket): Promise<string | undefined> {
    switch (prefix.replace(/-twin$/, "")) {
      case "aws":
        return problemInAws(seen, aws);
      case "hmac":
        return problemInBinance(seen, binance);
      case "oauth1a":
        return problemInOauth(seen, oauth, this.#nonces, "https");
      case "oauth2": {
        const [bearer] = seen.values("authorization");
        const held = this.issuer.issued.some(({ token }) => bearer === `Bearer ${token}`);
        return held ? undefined : "no token of mine";
      }
      case "mtls":
        return socket.authorized ? undefined : "another certificate";
      default:
        return "no such service";
    }
  }

  /** A command behind the proxy that may use one capability; what it prints. */
  async run(capability: string, words: readonly string[], env: Record<string, string> = {}): Promise<string> {
    const ran = await this.home.run(["run", "--capability", capability, "--", ...words], { env });
    assert.equal(ran.status, 0, `${words.join(" ")}: ${ran.stderr}${ran.stdout}`);
    return ran.stdout.trim();
  }

  get secrets(): string[] {
    return [
      ...[aws.secretAccessKey, binance.secret, oauth.secret, oauth.token, oauth.tokenSecret, shelf.password],
      ...[...this.issuer.secrets, ...this.github.issued.map(({ token }) => token)],
    ];
  }

  async close(): Promise<void> {
    await this.home.dispose();
    this.server?.closeAllConnections();
    await new Promise<void>((done) => (this.server ? this.server.close(() => done()) : done()));
    await this.issuer?.stop();
    await this.github?.stop();
  }
}

function seenOf(request: IncomingMessage, body: Buffer): Seen {
  const { method = "", url: target = "", rawHeaders } = request;
  const fields = rawHeaders.flatMap((name, at) =>
    at % 2 === 0 ? [[name, rawHeaders[at + 1] ?? ""] as const] : [],
  );
  const values = (name: string): string[] =>
    fields.flatMap(([key, value]) => (key.toLowerCase() === name.toLowerCase() ? [value] : []));
  return {
    ...{ line: `${method} ${target}`, method, target, head: "", fields, connection: 1, body },
    ...{ complete: true, values },
  };
}

let opened: Promise<Stage> | undefined;
function stage(): Promise<Stage> {
  opened ??= Stage.open();
  return opened;
}
after(async () => (await opened?.catch(() => undefined))?.close());

/** What curl prints of one request with the placeholder where many services have their key. */
const asks: Readonly<Record<Scheme, readonly (readonly [target: string, ...flags: string[]])[]>> = {
  aws: [["/photos?list-type=2&prefix=a%2Fb"], ["/photos/x", "-X", "PUT", "--data-binary", "hello"]],
  hmac: [["/api/v3/account?symbol=A"], ["/api/v3/order?symbol=A", "-d", "quantity=1"]],
  oauth1a: [["/1.1/home.json?count=2&q=a%20b"], ["/1.1/update.json", "-d", "status=hello+w%C3%B6rld"]],
  digest: [["/book?page=1"], ["/book", "-d", "one"]],
  oauth2: [["/things"], ["/things", "-d", "one"]],
  "github-app": [["/repos/o/r/issues"], ["/repos/o/r/issues", "-d", '{"title":"x"}']],
  mtls: [["/x"], ["/x", "-d", "one"]],
};

/** The token of curl's proxy is in its environment, and the placeholder where it would have the key. */
const curlScript =
  'url="$1"; shift; exec curl -sS -w " $STAND %{http_code}" -H "Authorization: Bearer $STAND" "$@" "$url"';

for (const scheme of schemes) {
  test(
    `${scheme}: curl with a placeholder is let in, and its twin with another secret is not`,
    limit,
    async () => {
      const on = await stage();
      const stands: string[] = [];
      for (const [target, ...flags] of asks[scheme]) {
        for (const name of [scheme, `${scheme}-twin`]) {
          const url = `https://localhost:${on.port}/${name}${target}`;
          const said = await on.run(name, ["sh", "-c", curlScript, "sh", url, ...flags]);
          const [stand = "", status] = said.split(" ").slice(-2);
          if (name === scheme) assert.equal(status, "200", said);
          else assert.ok(Number(status) >= 400, said);
          assert.ok(stand.length > 10, said);
          stands.push(stand);
          for (const secret of [...on.secrets, canary]) assert.ok(!said.includes(secret));
        }
      }
      const arrived = JSON.stringify(
        on.seen.map(({ target, fields, body }) => [target, fields, body.toString()]),
      );
      for (const stand of stands) assert.ok(!arrived.includes(stand));
    },
  );
}

/** The variables that the SDK reads, where the service is not named as its vendor. */
const sdkScript = 'export AWS_ACCESS_KEY_ID="$STAND" AWS_SECRET_ACCESS_KEY="$STAND"; exec "$@"';

test("the AWS SDK stores, reads and deletes, as it is", limit, async () => {
  const on = await stage();
  const script = join(root, "test/support/clients/s3.mjs");
  on.seen.length = 0;
  for (const [name, expected] of [
    ["aws", "let in"],
    ["aws-twin", "refused 403"],
  ] as const) {
    const said = await on.run(name, ["sh", "-c", sdkScript, "sh", "node", script], {
      S3_AT: `https://localhost:${on.port}/${name}`,
    });
    assert.equal(said, expected);
  }
  assert.deepEqual(
    on.seen.map(({ method }) => method),
    ["PUT", "GET", "DELETE", "PUT"],
  );
});

test("no secret is in anything that was printed, written down or kept", limit, async () => {
  const on = await stage();
  await on.home.do(["logs", "verify"]);
  assert.deepEqual(findIn([on.home.path, on.home.state], on.secrets), []);
  for (const secret of on.secrets) assert.ok(!on.home.printed.includes(secret));
});
