// One gigabyte through the proxy and back, with the memory of the proxy watched.
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { type Box, freePort, listens, residentBytes, until } from "./box.ts";
import { type Grant, JaneeHome } from "./home.ts";

/** How much more memory the last three quarters may take than the first. */
export const growthLimit = 32 * 1024 * 1024;

export interface Moved {
  readonly direction: "up" | "down";
  readonly megabytesPerSecond: number;
  readonly complete: boolean;
  /** Resident memory: before, at its highest in the first quarter, and after that. */
  readonly before: number;
  readonly early: number;
  readonly late: number;
}

const block = Buffer.alloc(64 * 1024, '{"id":"itm_0001","amount":1000,"currency":"usd","status":"ok"},\n');

/** Moves `bytes` up and down through a server of its own; `core` is where that server runs. */
export async function moveBulk(
  box: Box,
  folder: string,
  bytes: number,
  core: number,
  away: number,
): Promise<Moved[]> {
  const upstreamPort = await freePort();
  const upstream = box.start([process.execPath, import.meta.path, String(upstreamPort), String(bytes)], {
    core: away,
  });
  await until("the bulk upstream", () => listens(upstreamPort));
  const home = new JaneeHome(join(box.folder, folder));
  home.configure(upstreamPort, ["allow: GET /v1/*", "allow: POST /v1/*"]);
  const grant = home.grant();
  const serving = await home.serve(box, core);
  const moved: Moved[] = [];
  for (const direction of ["down", "up"] as const) {
    const before = residentBytes(serving.pid) ?? 0;
    const samples: number[] = [];
    const watching = setInterval(() => samples.push(residentBytes(serving.pid) ?? 0), 20);
    const startedAt = performance.now();
    const complete = await (direction === "down"
      ? download(serving.port, grant, bytes)
      : upload(serving.port, grant, bytes));
    const seconds = (performance.now() - startedAt) / 1000;
    clearInterval(watching);
    const quarter = Math.ceil(samples.length / 4);
    const early = Math.max(before, ...samples.slice(0, quarter));
    const late = Math.max(before, ...samples.slice(quarter));
    moved.push({ direction, megabytesPerSecond: bytes / 1e6 / seconds, complete, before, early, late });
  }
  await serving.stop();
  await upstream.stop();
  return moved;
}

function head(method: string, path: string, port: number, grant: Grant, more: string): string {
  return `${method} /bench${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${grant.token}\r\n${more}Connection: close\r\n\r\n`;
}

/** True when the answer was as long as it had to be. */
function download(port: number, grant: Grant, bytes: number): Promise<boolean> {
  return new Promise((done) => {
    let received = 0;
    let tail = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(head("GET", "/v1/bulk", port, grant, "")));
    socket.on("data", (chunk: Buffer) => {
      received += chunk.length;
      tail = (tail + chunk.toString("latin1", Math.max(0, chunk.length - 5))).slice(-5);
    });
    socket.on("error", () => {});
    // Chunked: the framing adds a little, and the last chunk says that nothing was cut off.
    socket.on("close", () => done(received >= bytes && tail === "0\r\n\r\n"));
  });
}

function upload(port: number, grant: Grant, bytes: number): Promise<boolean> {
  return new Promise((done) => {
    let answer = "";
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(head("POST", "/v1/bulk", port, grant, `Content-Length: ${bytes}\r\n`));
      void pour(socket, bytes);
    });
    socket.on("data", (chunk: Buffer) => {
      answer += chunk.toString("latin1");
    });
    socket.on("error", () => {});
    socket.on("close", () =>
      done(answer.startsWith("HTTP/1.1 200 ") && answer.endsWith(`received ${bytes}`)),
    );
  });
}

async function pour(socket: Socket, bytes: number): Promise<void> {
  for (let sent = 0; sent < bytes && !socket.destroyed; ) {
    const part = bytes - sent >= block.length ? block : block.subarray(0, bytes - sent);
    sent += part.length;
    if (socket.write(part)) continue;
    await new Promise<void>((resume) => {
      socket.once("drain", resume);
      socket.once("close", resume);
    });
  }
}

/** The upstream: GET pours, POST counts what comes and says it. */
function serveBulk(port: number, bytes: number): void {
  createServer((socket) => {
    let text = "";
    let expected = -1;
    let received = 0;
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      if (expected < 0) {
        text += chunk.toString("latin1");
        const end = text.indexOf("\r\n\r\n");
        if (end < 0) return;
        if (text.startsWith("GET")) {
          socket.write(
            `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${bytes}\r\n\r\n`,
          );
          text = "";
          return void pour(socket, bytes);
        }
        expected = Number(/content-length: *(\d+)/i.exec(text)?.[1] ?? 0);
        received = text.length - end - 4;
        text = "";
      } else received += chunk.length;
      if (received < expected) return;
      const answer = `received ${received}`;
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${answer.length}\r\n\r\n${answer}`);
      expected = -1;
    });
  }).listen(port, "127.0.0.1");
}

if (import.meta.main) serveBulk(Number(process.argv[2]), Number(process.argv[3]));
