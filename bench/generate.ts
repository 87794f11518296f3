// A minimal load generator, run as a process of its own. One JSON order as its argument, one JSON result on stdout.
// Closed: each connection sends its next request when its answer has come. Paced: requests fall due at a fixed
// rate whether or not answers come; one that waits for a free connection is late from the moment it fell due.
import { connect, type Socket } from "node:net";

export interface Order {
  readonly port: number;
  readonly path: string;
  /** One is taken after the other. */
  readonly authorizations: readonly string[];
  readonly connections: number;
  readonly seconds: number;
  /** Requests a second; absent: as fast as the answers come. */
  readonly rate?: number;
}

export interface Loaded {
  readonly requests: number;
  readonly perSecond: number;
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly broken: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

interface Line {
  socket: Socket | undefined;
  startedAt: number;
  buffer: Buffer | undefined;
}

export async function generate(order: Order): Promise<Loaded> {
  const requests = order.authorizations.map((value) =>
    Buffer.from(
      `GET ${order.path} HTTP/1.1\r\nHost: 127.0.0.1:${order.port}\r\nAuthorization: ${value}\r\n\r\n`,
    ),
  );
  const latencies: number[] = [];
  const statuses: Record<string, number> = {};
  const idle: Line[] = [];
  const due: number[] = [];
  let broken = 0;
  let sent = 0;
  let running = true;

  function send(line: Line, dueAt: number): void {
    line.startedAt = dueAt;
    line.socket?.write(requests[sent % requests.length] ?? Buffer.alloc(0));
    sent += 1;
  }

  function free(line: Line): void {
    if (!running) return;
    if (order.rate === undefined) return send(line, performance.now());
    const dueAt = due.shift();
    if (dueAt === undefined) idle.push(line);
    else send(line, dueAt);
  }

  function receive(line: Line, bytes: Buffer): void {
    const received = line.buffer ? Buffer.concat([line.buffer, bytes]) : bytes;
    const headEnd = received.indexOf("\r\n\r\n");
    const length = headEnd < 0 ? Number.NaN : bodyLength(received.toString("latin1", 0, headEnd));
    if (headEnd < 0 || received.length < headEnd + 4 + length) {
      line.buffer = received;
      return;
    }
    line.buffer = undefined;
    latencies.push(performance.now() - line.startedAt);
    const status = received.toString("latin1", 9, 12);
    statuses[status] = (statuses[status] ?? 0) + 1;
    free(line);
  }

  function open(): Promise<Line> {
    return new Promise((opened) => {
      const line: Line = { socket: undefined, startedAt: 0, buffer: undefined };
      const socket = connect({ port: order.port, host: "127.0.0.1", noDelay: true });
      line.socket = socket;
      socket.once("connect", () => opened(line));
      socket.on("data", (bytes: Buffer) => receive(line, bytes));
      socket.on("error", () => {});
      socket.on("close", () => {
        if (!running) return;
        broken += 1;
        line.buffer = undefined;
        setTimeout(() => void open().then(free), 10);
      });
    });
  }

  const lines = await Promise.all(Array.from({ length: order.connections }, open));
  const startedAt = performance.now();
  for (const line of lines) free(line);
  await (order.rate === undefined ? pause(order.seconds * 1000) : pace(order.rate));
  const elapsed = (performance.now() - startedAt) / 1000;
  running = false;
  for (const line of lines) line.socket?.destroy();
  const sorted = latencies.sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
  const requestsDone = sorted.length;
  return {
    requests: requestsDone,
    perSecond: requestsDone / elapsed,
    statuses,
    broken,
    p50: at(0.5),
    p99: at(0.99),
    max: at(1),
  };

  /** Each tick sends what has fallen due since the last: a late timer is no latency of the one who answers. */
  async function pace(rate: number): Promise<void> {
    let taken = 0;
    for (;;) {
      const now = performance.now();
      if (now - startedAt >= order.seconds * 1000) return;
      for (const wanted = Math.floor(((now - startedAt) / 1000) * rate); taken < wanted; taken++) {
        const line = idle.pop();
        if (line) send(line, now);
        // A flood that is not answered is not remembered for ever.
        else if (due.length < rate) due.push(now);
      }
      await pause(1);
    }
  }
}

function bodyLength(head: string): number {
  return Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds));
}

if (import.meta.main) {
  const order = JSON.parse(await Bun.stdin.text()) as Order;
  process.stdout.write(JSON.stringify(await generate(order)));
  process.exit(0);
}
