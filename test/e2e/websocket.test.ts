// WebSockets through both proxies: judged by the rule for their GET, scrubbed message by message, ended by a revocation.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, test } from "node:test";
import { makeCertificate } from "../support/certificates.ts";
import { Client } from "../support/client.ts";
import { canary, Home, type Serving } from "../support/janee.ts";
import { basic, tunnelled } from "../support/through.ts";
import { type Exchange, type Seen, startUpstream, type Upstream } from "../support/upstream.ts";
import { until } from "../support/wait.ts";

const limit = { timeout: 60_000 };
const key = "dGhlIHNhbXBsZSBub25jZQ==";

/** By hand, so that nothing of janee's own reading is used to check it. */
function frame(
  opcode: number,
  payload: string | Buffer,
  more: { mask?: boolean; final?: boolean; rsv?: number } = {},
): Buffer {
  const { mask = false, final = true, rsv = 0 } = more;
  const bytes = Buffer.from(payload as string);
  const head = [(final ? 0x80 : 0) | rsv | opcode];
  const bit = mask ? 0x80 : 0;
  if (bytes.length < 126) head.push(bit | bytes.length);
  else if (bytes.length < 65_536) head.push(bit | 126, bytes.length >> 8, bytes.length & 255);
  else {
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(bytes.length));
    head.push(bit | 127, ...length);
  }
  if (!mask) return Buffer.concat([Buffer.from(head), bytes]);
  const masking = randomBytes(4);
  const masked = bytes.map((byte, at) => byte ^ (masking[at & 3] ?? 0));
  return Buffer.concat([Buffer.from(head), masking, masked]);
}

interface Read {
  readonly opcode: number;
  readonly masked: boolean;
  readonly text: string;
}

function readFrames(bytes: Buffer): Read[] {
  const frames: Read[] = [];
  for (let at = 0; at + 2 <= bytes.length; ) {
    const [first = 0, second = 0] = [bytes[at], bytes[at + 1]];
    let length = second & 127;
    let start = at + 2;
    if (length === 126) {
      length = bytes.readUInt16BE(start);
      start += 2;
    } else if (length === 127) {
      length = Number(bytes.readBigUInt64BE(start));
      start += 8;
    }
    const masked = (second & 128) !== 0;
    const masking = masked ? bytes.subarray(start, start + 4) : Buffer.alloc(4);
    if (masked) start += 4;
    if (start + length > bytes.length) break;
    const payload = Buffer.from(bytes.subarray(start, start + length)).map(
      (byte, index) => byte ^ (masking[index & 3] ?? 0),
    );
    frames.push({ opcode: first & 15, masked, text: Buffer.from(payload).toString("latin1") });
    at = start + length;
  }
  return frames;
}

class Stage {
  readonly home = new Home();
  upstream!: Upstream;
  serving!: Serving;
  ca = "";
  token = "";
  session = "";

  static async open(): Promise<Stage> {
    const on = new Stage();
    try {
      const certificate = makeCertificate(on.home.beside, "upstream", ["DNS:localhost"]);
      on.upstream = await startUpstream({ tls: certificate });
      await on.home.do(["init"]);
      on.home.writeConfig(`
services:
  live: { baseUrl: "https://localhost:${on.upstream.port}", caFile: "${certificate.file}", auth: { type: bearer, key: "${canary}" } }
capabilities:
  live: { service: live, autoApprove: true, rules: [ { ask: "GET /v1/asked/*" }, { allow: "GET /v1/*" }, { deny: "*" } ] }
`);
      await on.home.do(["ca", "renew"]);
      on.ca = (await on.home.do(["ca", "print"])).stdout;
      on.serving = await on.home.serve();
      return on;
    } catch (error) {
      await on.close();
      throw error;
    }
  }

  async grant(): Promise<void> {
    ({ token: this.token, session: this.session } = await this.home.grant("live"));
  }

  /** A handshake through a tunnel whose TLS janee ends. */
  async ask(path: string, more = "", own = key): Promise<Client> {
    const authority = `localhost:${this.upstream.port}`;
    const { client } = await tunnelled({
      ...{ port: this.serving.port, authority, ca: this.ca },
      authorization: basic("x", this.token),
    });
    return client.write(handshake(path, authority, more, own));
  }

  /** The same address, without a handshake. */
  async plain(path: string, work: (client: Client) => Promise<void>): Promise<void> {
    const authority = `localhost:${this.upstream.port}`;
    const { client } = await tunnelled({
      ...{ port: this.serving.port, authority, ca: this.ca },
      authorization: basic("x", this.token),
    });
    client.write(`GET ${path} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
    await work(client);
  }

  async close(): Promise<void> {
    await this.home.dispose();
    await this.upstream?.stop();
  }
}

function handshake(path: string, host: string, more = "", own = key): string {
  const fields = `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${own}\r\nSec-WebSocket-Version: 13\r\n`;
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${fields}Sec-WebSocket-Extensions: permessage-deflate\r\n${more}\r\n`;
}

function agree(seen: Seen, exchange: Exchange, more = ""): void {
  const asked = seen.values("sec-websocket-key")[0] ?? "";
  const accept = createHash("sha1").update(`${asked}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  exchange.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${more}\r\n`,
  );
}

let opened: Promise<Stage> | undefined;
async function stage(): Promise<Stage> {
  opened ??= Stage.open();
  const on = await opened;
  await on.grant();
  on.upstream.seen.length = 0;
  on.upstream.received.length = 0;
  return on;
}
after(async () => (await opened?.catch(() => undefined))?.close());

/** The frames behind the head of the answer, once there are so many. */
async function framesOf(client: Client, count: number): Promise<Read[]> {
  const { size, status } = await client.head();
  assert.equal(status, 101, client.everything.toString("latin1"));
  return until(10_000, `${count} frames`, () => {
    const frames = readFrames(client.everything.subarray(size));
    return frames.length >= count ? frames : undefined;
  });
}

/** The frames that reached the service, behind the handshake. */
function arrived(on: Stage): Read[] {
  const received = Buffer.concat(on.upstream.received);
  return readFrames(received.subarray(received.indexOf("\r\n\r\n") + 4));
}

test(
  "the credential is in the handshake, messages are scrubbed whole, and no frame breaks",
  limit,
  async () => {
    const on = await stage();
    const large = `${"x".repeat(70_000)}${canary}`;
    on.upstream.answer = (seen, exchange) => {
      agree(seen, exchange);
      exchange.write(frame(1, `hello ${canary} bye`));
      exchange.write(frame(1, canary.slice(0, 10), { final: false }));
      exchange.write(frame(9, "in between"));
      exchange.write(frame(0, canary.slice(10, 20), { final: false }));
      exchange.write(frame(0, canary.slice(20)));
      exchange.write(frame(2, large));
    };
    const client = await on.ask(
      "/v1/ws?x=1",
      "Authorization: Bearer mine\r\nSec-WebSocket-Protocol: chat\r\n",
    );
    const frames = await framesOf(client, 4);
    assert.deepEqual(
      frames.map(({ opcode, text }) => [opcode, text]),
      [
        [1, "hello [janee:redacted] bye"],
        [9, "in between"],
        [1, "[janee:redacted]"],
        [2, `${"x".repeat(70_000)}[janee:redacted]`],
      ],
    );
    assert.ok(frames.every(({ masked }) => !masked));
    const [seen] = on.upstream.seen;
    assert.equal(seen?.line, "GET /v1/ws?x=1");
    assert.deepEqual(seen?.values("authorization"), [`Bearer ${canary}`]);
    assert.deepEqual(seen?.values("sec-websocket-protocol"), ["chat"]);
    assert.deepEqual(seen?.values("sec-websocket-extensions"), []);
    client.write(frame(1, "from the agent", { mask: true }));
    client.write(frame(1, `with ${canary}`, { mask: true }));
    client.write(frame(1, "in ", { mask: true, final: false })).write(frame(0, "two", { mask: true }));
    const sent = await until(10_000, "three frames", () =>
      arrived(on).length >= 3 ? arrived(on) : undefined,
    );
    assert.deepEqual(
      sent.map(({ text, masked }) => [text, masked]),
      [
        ["from the agent", true],
        ["with [janee:redacted]", true],
        ["in two", true],
      ],
    );
    client.destroy();
    const line = await until(5_000, "the end in the trail", () =>
      on.home.audit().find(({ event, status }) => event === "response" && status === 101),
    );
    assert.equal(line.redactions, 4);
  },
);

test("the reverse proxy carries one too, by the same rule", limit, async () => {
  const on = await stage();
  on.upstream.answer = (seen, exchange) => {
    agree(seen, exchange);
    exchange.write(frame(1, canary));
  };
  const client = new Client(on.serving.port);
  client.write(
    handshake("/live/v1/ws", `127.0.0.1:${on.serving.port}`, `Authorization: Bearer ${on.token}\r\n`),
  );
  assert.deepEqual((await framesOf(client, 1))[0]?.text, "[janee:redacted]");
  client.destroy();
});

test(
  "what no rule allows is refused before the service hears of it, and so is any other upgrade",
  limit,
  async () => {
    const on = await stage();
    on.upstream.answer = (seen, exchange) => agree(seen, exchange);
    const denied = await on.ask("/admin/ws");
    assert.equal((await denied.answer()).error.code, "rule_denied");
    for (const [from, to] of [
      ["Upgrade: websocket", "Upgrade: h2c"],
      ["Upgrade: websocket", "Upgrade: websocket, h2c"],
      ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 8"],
      ["Connection: Upgrade", "Connection: keep-alive"],
      [`Sec-WebSocket-Key: ${key}`, "Sec-WebSocket-Key: short"],
      ["GET", "POST"],
    ] as const) {
      const authority = `localhost:${on.upstream.port}`;
      const through = { port: on.serving.port, authority, ca: on.ca, authorization: basic("x", on.token) };
      const { client } = await tunnelled(through);
      const answer = await client.write(handshake("/v1/ws", authority).replace(from, to)).answer();
      assert.equal(answer.error.code, "upgrade_forbidden", to);
      client.destroy();
    }
    assert.deepEqual(on.upstream.seen, []);
  },
);

test("a service that agrees to more than was asked for is not believed", limit, async () => {
  const on = await stage();
  on.upstream.answer = (seen, exchange) =>
    agree(seen, exchange, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
  const client = await on.ask("/v1/ws");
  const answer = await client.answer();
  assert.deepEqual([answer.status, answer.error.code], [502, "upstream_nonsense"]);
});

test("frames that no peer may send end the connection", limit, async () => {
  const on = await stage();
  on.upstream.answer = (seen, exchange) => agree(seen, exchange);
  for (const bytes of [
    frame(1, "not masked"),
    frame(1, "reserved", { mask: true, rsv: 0x40 }),
    frame(0, "continues nothing", { mask: true }),
    frame(11, "unknown", { mask: true }),
    frame(9, "x".repeat(126), { mask: true }),
    Buffer.concat([Buffer.from([0x82, 0xff]), Buffer.from("00000000ffffffff00000000", "hex")]),
  ]) {
    const client = await on.ask("/v1/ws");
    await client.head();
    client.write(bytes);
    await client.untilClosed();
    client.destroy();
  }
});

test("a revocation closes it", limit, async () => {
  const on = await stage();
  on.upstream.answer = (seen, exchange) => agree(seen, exchange);
  const client = await on.ask("/v1/ws");
  await client.head();
  await on.home.do(["revoke", on.session]);
  const frames = await framesOf(client, 1);
  assert.equal(frames.at(-1)?.opcode, 8);
  assert.equal(Buffer.from(frames.at(-1)?.text ?? "", "latin1").readUInt16BE(0), 1008);
  await client.untilClosed();
});

test(
  "under an ask rule it waits for a yes, which is good for one handshake with whatever key",
  limit,
  async () => {
    const on = await stage();
    on.upstream.answer = (seen, exchange) => {
      agree(seen, exchange);
      exchange.write(frame(1, "let in"));
    };
    const path = "/v1/asked/live?room=1";
    const ask = (more = "", at = path) => on.ask(at, more, randomBytes(16).toString("base64"));
    const refusal = async (client: Client): Promise<string | undefined> => {
      const answer = await client.answer();
      client.destroy();
      assert.equal(answer.status, 403, answer.text);
      return answer.error.code;
    };
    assert.equal(await refusal(await ask()), "approval_pending");
    assert.equal(await refusal(await ask()), "approval_pending");
    type Waiting = { id: string; target: string; headers: string[] };
    const waiting = await on.home.json<Waiting[]>(["approvals"]);
    assert.deepEqual(
      waiting.map(({ target }) => target),
      [path],
    );
    assert.ok(waiting[0]?.headers.includes("upgrade: websocket"), JSON.stringify(waiting));
    const yes = { env: { JANEE_UNATTENDED: "1" } };
    await on.home.do(["approve", waiting[0]?.id ?? ""], yes);
    // The yes is for this handshake: not for another room, nor for a plain request to the same address.
    assert.equal(await refusal(await ask("", "/v1/asked/live?room=2")), "approval_pending");
    assert.equal(await refusal(await ask("Sec-WebSocket-Protocol: other\r\n")), "approval_pending");
    await on.plain(path, async (client) => {
      assert.equal(await refusal(client), "approval_pending");
    });
    assert.equal(on.upstream.seen.length, 0);
    const client = await ask();
    const [greeting] = await framesOf(client, 1);
    assert.equal(greeting?.text, "let in");
    const arrivals = on.upstream.seen.map((seen) => seen.values("authorization"));
    assert.deepEqual(arrivals, [[`Bearer ${canary}`]]);
    client.destroy();
    assert.equal(await refusal(await ask()), "approval_pending");
  },
);
