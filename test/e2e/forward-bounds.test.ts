// What clients of the forward proxy may keep janee waiting for: each has an end, holds up nobody, and nothing of it goes on
// that was not judged.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { connect, createServer } from "node:net";
import { after, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { makeCertificate } from "../support/certificates.ts";
import { withClient } from "../support/client.ts";
import { canary, Home, type Serving } from "../support/janee.ts";
import { beginSlow, slowKinds } from "../support/slow-clients.ts";
import { askTunnel, basic, type Through, tunnelled, withTunnel } from "../support/through.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";
import { pause, until, within } from "../support/wait.ts";

const limit = { timeout: 120_000 };
const clients = 1_000;
/** The beginning of an answer, longer than what is held back of it. */
const begun = `begun ${"x".repeat(20_000)}`;

class Stage {
  readonly home = new Home();
  upstream!: Upstream;
  serving!: Serving;
  ca = "";
  token = "";

  static async open(): Promise<Stage> {
    const on = new Stage();
    try {
      const certificate = makeCertificate(on.home.beside, "upstream", ["DNS:localhost"]);
      on.upstream = await startUpstream({ tls: certificate });
      await on.home.do(["init"]);
      on.home.writeConfig(`
services:
  far: { baseUrl: "https://localhost:${on.upstream.port}", caFile: "${certificate.file}", auth: { type: bearer, key: "${canary}" } }
capabilities:
  far: { service: far, autoApprove: true, rules: [ { allow: "GET /v1/*" }, { allow: "POST /v1/*" }, { deny: "*" } ] }
`);
      on.token = (await on.home.grant("far")).token;
      await on.home.do(["ca", "renew"]);
      on.ca = (await on.home.do(["ca", "print"])).stdout;
      on.serving = await on.home.serve();
      return on;
    } catch (error) {
      await on.close();
      throw error;
    }
  }

  get authority(): string {
    return `localhost:${this.upstream.port}`;
  }

  get through(): Through {
    const { authority, ca } = this;
    return { port: this.serving.port, authority, ca, authorization: basic("x", this.token) };
  }

  get targets(): string[] {
    return this.upstream.seen.map(({ target }) => target);
  }

  request(target: string): string {
    return `GET ${target} HTTP/1.1\r\nHost: ${this.authority}\r\n\r\n`;
  }

  connectHead(): string {
    const { authority, token } = this;
    return `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\nProxy-Authorization: ${basic("x", token)}\r\n\r\n`;
  }

  /** A request of someone who does as they should. */
  async ask(target = "/v1/good"): Promise<void> {
    await withTunnel(this.through, async ({ client }) => {
      assert.equal((await client.write(this.request(target)).answer()).text, "ok");
    });
  }

  async close(): Promise<void> {
    await this.home.dispose();
    await this.upstream?.stop();
  }
}

let opened: Promise<Stage> | undefined;
async function stage(): Promise<Stage> {
  opened ??= Stage.open();
  const on = await opened;
  on.upstream.seen.length = 0;
  on.upstream.answer = (_, exchange) => exchange.send(200, {}, "ok");
  return on;
}
after(async () => (await opened?.catch(() => undefined))?.close());

test(
  `${clients} clients that begin and do not go on are let go in time, and hold up nobody`,
  limit,
  async () => {
    const on = await stage();
    const slow = await Promise.all(
      Array.from({ length: clients }, async (_, index) => {
        // Not all at once, as a queue of connections is short.
        await pause(index * 4);
        const kind = slowKinds[index % slowKinds.length] ?? "a head";
        return beginSlow(kind, { ...on.through, token: on.token });
      }),
    );
    for (let count = 0; count < 20; count++) await on.ask();
    const ended = Promise.all(slow.map(({ closed }) => closed));
    await within(60_000, ended, "the end of all that were slow");
    await on.ask();
    assert.deepEqual(new Set(on.targets), new Set(["/v1/good"]));
    assert.equal(on.targets.length, 21);
  },
);

/** What a client says first, as TLS has it. */
async function clientHello(): Promise<Buffer> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  const heard = new Promise<Buffer>((done) => {
    server.once("connection", (socket) => {
      socket.on("error", () => {});
      socket.once("data", (bytes: Buffer) => {
        done(bytes);
        socket.destroy();
      });
    });
  });
  const client = connectTls({ port, host: "127.0.0.1", servername: "localhost" });
  client.on("error", () => {});
  try {
    return await within(10_000, heard, "a ClientHello");
  } finally {
    client.destroy();
    server.close();
  }
}

test("a request in the clear before, in and behind a handshake is read by nobody", limit, async () => {
  const on = await stage();
  const hello = await clientHello();
  const request = Buffer.from(on.request("/v1/unencrypted"));
  for (const [what, bytes] of [
    ["instead of a handshake", request],
    ["in the middle of a ClientHello", Buffer.concat([hello.subarray(0, 40), request])],
    ["behind a ClientHello", Buffer.concat([hello, request])],
  ] as const) {
    const { status, socket } = await askTunnel(on.through);
    assert.equal(status, 200, what);
    const closed = new Promise<void>((done) => socket.once("close", () => done()));
    socket.resume();
    socket.write(bytes);
    await within(20_000, closed, `the end: ${what}`);
  }
  await on.ask("/v1/encrypted");
  assert.deepEqual(on.targets, ["/v1/encrypted"]);
});

test("what comes before the tunnel stands ends the connection, however it is cut", limit, async () => {
  const on = await stage();
  const [hello, head] = [await clientHello(), on.connectHead()];
  for (const early of [on.request("/v1/early"), hello.toString("latin1"), "\0"]) {
    await withClient(on.serving.port, async (client) => {
      client.write(head + early);
      assert.equal((await client.answer()).status, 400);
      await client.untilClosed();
    });
  }
  // Behind the head by itself it may come before the tunnel stands or after: then it is nonsense instead of a handshake.
  for (const later of [0, 1, 5]) {
    await withClient(on.serving.port, async (client) => {
      client.write(head);
      await pause(later);
      client.write(on.request("/v1/early"));
      await client.untilClosed(20_000);
      assert.match(client.everything.toString("latin1"), /^HTTP\/1\.1 (?:400|200) /);
    });
  }
  await on.ask("/v1/late");
  assert.deepEqual(on.targets, ["/v1/late"]);
});

test("a client that leaves in the middle of a handshake takes its place with it", limit, async () => {
  const on = await stage();
  const hello = await clientHello();
  for (const part of [0, 40, hello.length]) {
    const { socket } = await askTunnel(on.through);
    socket.resume();
    const closed = new Promise<void>((done) => socket.once("close", () => done()));
    // It has finished sending, and reads on.
    socket.end(hello.subarray(0, part));
    await within(20_000, closed, `the end behind ${part} bytes`);
  }
  const { socket } = await askTunnel(on.through);
  socket.write(hello.subarray(0, 40));
  socket.destroy();
  await on.ask();
  assert.deepEqual(on.targets, ["/v1/good"]);
});

test(
  "requests behind one that is being answered wait, bounded, and each is judged in its turn",
  limit,
  async () => {
    const on = await stage();
    let goOn: () => void = () => {};
    const held = new Promise<void>((done) => {
      goOn = done;
    });
    on.upstream.answer = async (seen, exchange) => {
      if (seen.target !== "/v1/slow") return exchange.send(200, {}, "ok");
      exchange.begin(200, { "Transfer-Encoding": "chunked" });
      exchange.chunk(begun);
      await held;
      exchange.chunk("done");
      exchange.write("0\r\n\r\n");
    };
    const { client } = await tunnelled(on.through);
    try {
      client.write(on.request("/v1/slow"));
      await client.shows("begun");
      client.write(`${on.request("/admin")}${on.request("/v1/next")}`);
      await pause(300);
      assert.deepEqual(on.targets, ["/v1/slow"]);
      goOn();
      const answers = [await client.answer(), await client.answer(), await client.answer()];
      assert.deepEqual(
        answers.map(({ status, text }) => [status, status === 200 ? text : ""]),
        [
          [200, `${begun}done`],
          [403, ""],
          [200, "ok"],
        ],
      );
    } finally {
      client.destroy();
    }
    assert.deepEqual(on.targets, ["/v1/slow", "/v1/next"]);
  },
);

test("a client that floods while it is answered is not read on", limit, async () => {
  const on = await stage();
  on.upstream.answer = (_, exchange) => {
    exchange.begin(200, { "Transfer-Encoding": "chunked" });
    exchange.chunk(begun);
  };
  const { client, tls } = await tunnelled(on.through);
  const flood = Buffer.from(on.request("/v1/flood").repeat(500));
  const most = 64 * 1024 * 1024;
  try {
    client.write(on.request("/v1/slow"));
    await client.shows("begun");
    let sent = 0;
    let stuck = false;
    while (!stuck && sent < most) {
      const taken = new Promise<boolean>((done) => {
        tls.write(flood, () => done(true));
      });
      sent += flood.length;
      stuck = !(await Promise.race([taken, pause(2_000).then(() => false)]));
    }
    assert.ok(stuck, `${sent} bytes were taken while one request was being answered`);
  } finally {
    client.destroy();
  }
  on.upstream.answer = (_, exchange) => exchange.send(200, {}, "ok");
  await on.ask();
  assert.deepEqual(on.targets, ["/v1/slow", "/v1/good"]);
});

test("a body that comes faster than it is taken arrives whole", limit, async () => {
  const on = await stage();
  const body = randomBytes(16 * 1024 * 1024);
  await withTunnel(on.through, async ({ client }) => {
    client.write(
      `POST /v1/large HTTP/1.1\r\nHost: ${on.authority}\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    client.write(body).write(on.request("/v1/behind"));
    for (const _ of [1, 2]) assert.equal((await client.answer("POST", 60_000)).text, "ok");
  });
  assert.deepEqual(on.targets, ["/v1/large", "/v1/behind"]);
  assert.ok(on.upstream.seen[0]?.body.equals(body));
});

test("a tunnel in which TLS stands and the client finishes sending comes to its end", limit, async () => {
  const on = await stage();
  const { tls, client } = await tunnelled(on.through);
  const closed = new Promise<void>((done) => tls.once("close", () => done()));
  client.write(on.request("/v1/last"));
  assert.equal((await client.answer()).text, "ok");
  tls.end();
  await within(20_000, closed, "the end of the tunnel");
  // And one that only ever connected.
  const socket = connect({ port: on.serving.port, host: "127.0.0.1" });
  const gone = new Promise<void>((done) => socket.once("close", () => done()));
  socket.resume();
  socket.end();
  await within(20_000, gone, "the end of a connection without a word");
  await until(5_000, "the last request", () => on.targets.includes("/v1/last"));
});
