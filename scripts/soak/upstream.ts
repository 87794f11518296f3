// A small upstream in a process of its own, where nginx is not needed.
import { createServer } from "node:net";
import { type Box, freePort, listens, until } from "../../bench/box.ts";
import type { Serving } from "../../bench/home.ts";

const body = '{"object":"list","items":[]}';
const answer = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

export async function smallUpstream(box: Box): Promise<Serving> {
  const port = await freePort();
  const started = box.start([process.execPath, import.meta.path, String(port)]);
  await until("the upstream", () => listens(port));
  return { ...started, port };
}

if (import.meta.main) {
  createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      if (bytes.includes("\r\n\r\n")) socket.write(answer);
    });
  }).listen(Number(process.argv[2]), "127.0.0.1");
}
