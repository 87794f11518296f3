// A server that records every byte of what reaches it, and answers as the test says, nonsense included.
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";

export interface Seen {
  /** `GET /v1/x`: the raw target, as it came. */
  readonly line: string;
  readonly method: string;
  readonly target: string;
  readonly head: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** Which connection it came on, counted from 1. */
  readonly connection: number;
  body: Buffer;
  /** Whether the body has come to its end. */
  complete: boolean;
  /** The values of one field, all that came. */
  values(name: string): string[];
}

export interface Exchange {
  write(bytes: string | Buffer): void;
  /** A whole answer with its length. */
  send(status: number, fields?: Readonly<Record<string, string>>, body?: string | Buffer): void;
  /** Only the head, as given. */
  begin(status: number, fields?: Readonly<Record<string, string>>): void;
  chunk(bytes: string | Buffer): void;
  end(): void;
  /** RST. */
  reset(): void;
  readonly gone: Promise<void>;
  readonly isGone: boolean;
}

export type Answer = (seen: Seen, exchange: Exchange) => void | Promise<void>;

export interface Upstream {
  readonly port: number;
  readonly seen: Seen[];
  /** Every byte that came, on all connections. */
  readonly received: Buffer[];
  readonly connections: number;
  answer: Answer;
  /** Answers at the head, without waiting for the body. */
  eager: boolean;
  stop(): Promise<void>;
}

export interface UpstreamOptions {
  readonly answer?: Answer;
  readonly eager?: boolean;
  readonly tls?: { readonly key: string; readonly cert: string };
}

export async function startUpstream(options: UpstreamOptions = {}): Promise<Upstream> {
  const sockets = new Set<Socket>();
  const seen: Seen[] = [];
  const received: Buffer[] = [];
  let connections = 0;
  const accept = (socket: Socket): void => {
    connections += 1;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    serve(socket, connections, upstream);
  };
  const server: Server = options.tls
    ? createTlsServer({ ...options.tls, ALPNProtocols: ["http/1.1"] }, accept)
    : createServer({ noDelay: true, allowHalfOpen: true }, accept);
  server.on("tlsClientError", () => {});
  await new Promise<void>((done, failed) => {
    server.once("error", failed);
    server.listen({ host: "127.0.0.1", port: 0 }, () => done());
  });
  const address = server.address();
  const upstream = {
    port: typeof address === "object" && address ? address.port : 0,
    seen,
    received,
    get connections() {
      return connections;
    },
    answer: options.answer ?? ((_, exchange) => exchange.send(200, { "Content-Type": "text/plain" }, "ok")),
    eager: options.eager ?? false,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
  return upstream;
}

/** The upstream for `work` alone. */
export async function withUpstream<T>(
  options: UpstreamOptions,
  work: (upstream: Upstream) => Promise<T>,
): Promise<T> {
  const upstream = await startUpstream(options);
  try {
    return await work(upstream);
  } finally {
    await upstream.stop();
  }
}

function serve(socket: Socket, connection: number, upstream: Upstream): void {
  let unread = Buffer.alloc(0);
  let current: { seen: Seen; take: (bytes: Buffer) => Buffer | undefined } | undefined;
  let settle: () => void = () => {};
  const gone = new Promise<void>((done) => {
    settle = done;
  });
  const state = { isGone: false };
  const leave = (): void => {
    state.isGone = true;
    settle();
  };
  socket.on("error", leave);
  socket.on("close", leave);
  socket.on("end", () => {
    leave();
    socket.end();
  });
  const reply = (seen: Seen): void => {
    void Promise.resolve(upstream.answer(seen, exchangeOn(socket, gone, state))).catch(() =>
      socket.destroy(),
    );
  };
  socket.on("data", (bytes: Buffer) => {
    upstream.received.push(bytes);
    unread = Buffer.concat([unread, bytes]);
    for (;;) {
      if (!current) {
        const end = unread.indexOf("\r\n\r\n");
        if (end < 0) return;
        const seen = readHead(unread.subarray(0, end).toString("latin1"), connection);
        unread = unread.subarray(end + 4);
        upstream.seen.push(seen);
        current = { seen, take: bodyTaker(seen) };
        if (upstream.eager) reply(seen);
      }
      const rest = current.take(unread);
      if (rest === undefined) {
        unread = Buffer.alloc(0);
        return;
      }
      unread = Buffer.from(rest);
      const { seen } = current;
      seen.complete = true;
      current = undefined;
      if (!upstream.eager) reply(seen);
    }
  });
}

function exchangeOn(socket: Socket, gone: Promise<void>, state: { readonly isGone: boolean }): Exchange {
  const write = (bytes: string | Buffer): void => {
    if (!socket.destroyed) socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  };
  const headOf = (status: number, fields: Readonly<Record<string, string>>): string => {
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
    return `HTTP/1.1 ${status} Status\r\n${lines.join("")}\r\n`;
  };
  return {
    write,
    send(status, fields = {}, body = "") {
      const bytes = typeof body === "string" ? Buffer.from(body) : body;
      write(
        Buffer.concat([
          Buffer.from(headOf(status, { ...fields, "Content-Length": String(bytes.length) }), "latin1"),
          bytes,
        ]),
      );
    },
    begin: (status, fields = {}) => write(headOf(status, fields)),
    chunk(bytes) {
      const body = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
      write(Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from("\r\n")]));
    },
    end: () => void socket.end(),
    reset() {
      if (typeof socket.resetAndDestroy === "function") socket.resetAndDestroy();
      else socket.destroy();
    },
    gone,
    get isGone() {
      return state.isGone;
    },
  };
}

function readHead(head: string, connection: number): Seen {
  const [first = "", ...lines] = head.split("\r\n");
  const [method = "", target = ""] = first.split(" ");
  const fields = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  return {
    line: `${method} ${target}`,
    ...{ method, target, head, fields, connection, body: Buffer.alloc(0), complete: false },
    values: (name) =>
      fields.filter(([key]) => key.toLowerCase() === name.toLowerCase()).map(([, value]) => value),
  };
}

/** Takes bytes of the body; gives what follows it once it is complete, undefined before. */
function bodyTaker(seen: Seen): (bytes: Buffer) => Buffer | undefined {
  const chunked = seen.values("transfer-encoding").some((value) => /chunked/i.test(value));
  const length = Number(seen.values("content-length")[0] ?? 0);
  let held = Buffer.alloc(0);
  return (bytes) => {
    held = Buffer.concat([held, bytes]);
    if (!chunked) {
      seen.body = held.subarray(0, length);
      return held.length >= length ? held.subarray(length) : undefined;
    }
    const whole = readChunks(held);
    seen.body = whole.body;
    return whole.end === undefined ? undefined : held.subarray(whole.end);
  };
}

/** The content of a chunked body, as far as it has come, and where it ends. Bounded by the bytes at hand. */
export function readChunks(bytes: Buffer): { body: Buffer; end: number | undefined } {
  const pieces: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    const line = bytes.indexOf("\r\n", at);
    if (line < 0) break;
    const size = Number.parseInt(bytes.subarray(at, line).toString("latin1"), 16);
    if (!Number.isInteger(size))
      throw new Error(`no chunk size: ${bytes.subarray(at, line).toString("latin1")}`);
    if (size === 0) {
      const blank = bytes.subarray(line, line + 4).toString("latin1") === "\r\n\r\n";
      return { body: Buffer.concat(pieces), end: blank ? line + 4 : undefined };
    }
    pieces.push(bytes.subarray(line + 2, Math.min(line + 2 + size, bytes.length)));
    at = line + 2 + size + 2;
  }
  return { body: Buffer.concat(pieces), end: undefined };
}
