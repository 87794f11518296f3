// A real node:http server (llhttp) that says what it read. Runs under Node itself, whatever runs the tests.
// In: lines "id base64". Out: first a line with the version, then lines of JSON, one a case.
import { Buffer } from "node:buffer";
import http from "node:http";
import net from "node:net";
import { createInterface } from "node:readline";

const atOnce = 64;
const connections = new Map();

const server = http.createServer(
  { maxHeaderSize: 65536, requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 },
  (request, response) => {
    const seen = {
      start: `${request.method} ${request.url}`,
      minor: request.httpVersionMinor,
      raw: request.rawHeaders,
      body: "",
      complete: false,
    };
    request.socket.record.requests.push(seen);
    request.on("data", (piece) => {
      seen.body += piece.toString("latin1");
    });
    request.on("error", () => {});
    request.on("end", () => {
      seen.complete = request.complete;
      response.end();
    });
  },
);
server.maxHeadersCount = 0;
server.httpAllowHalfOpen = true;
server.on("connection", (socket) => {
  const record = { requests: [], error: null, closed: null };
  record.closed = new Promise((resolve) => socket.once("close", resolve));
  socket.record = record;
  connections.set(socket.remotePort, record);
  // After a request with Upgrade this server reads no more and would wait without end.
  socket.once("end", () => destroySoon(socket));
});
server.on("clientError", (error, socket) => {
  socket.record.error ??= error.code ?? error.message;
  destroySoon(socket);
});

// Requests that were read before a fault, or before the end, still hand over their bodies first.
function destroySoon(socket) {
  setImmediate(() => setImmediate(() => socket.destroy()));
}

function run(line) {
  const [id, encoded] = line.split(" ");
  return new Promise((resolve) => {
    const client = net.connect(server.address().port, "127.0.0.1");
    let port;
    client.on("connect", () => {
      port = client.localPort;
      client.end(Buffer.from(encoded, "base64"));
    });
    client.on("error", () => {});
    client.resume();
    client.on("close", async () => {
      const record = connections.get(port);
      await record?.closed;
      connections.delete(port);
      const { requests, error } = record ?? { requests: [], error: "no connection" };
      process.stdout.write(`${JSON.stringify({ id: Number(id), requests, error })}\n`);
      resolve();
    });
  });
}

const queue = [];
let running = 0;
let over = false;

function next() {
  while (running < atOnce && queue.length > 0) {
    running += 1;
    run(queue.shift()).then(() => {
      running -= 1;
      next();
    });
  }
  if (over && running === 0 && queue.length === 0) server.close();
}

server.listen(0, "127.0.0.1", () => {
  const { node, bun, deno, llhttp } = process.versions;
  process.stdout.write(`${JSON.stringify({ node, other: bun ?? deno ?? null, llhttp })}\n`);
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    queue.push(line);
    next();
  });
  lines.on("close", () => {
    over = true;
    next();
  });
});
