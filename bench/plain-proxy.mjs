// What a user would write in an afternoon, on Node: look the token up, inject the key, pass the answer on.
import { createServer } from "node:http";

const [port, upstream, token, key] = process.argv.slice(2);
const allowed = /^\/bench(\/v1\/.*)$/;

createServer(async (request, response) => {
  const path = allowed.exec(request.url ?? "")?.[1];
  if (request.headers.authorization !== `Bearer ${token}` || path === undefined) {
    response.writeHead(403).end();
    return;
  }
  const answer = await fetch(`http://127.0.0.1:${upstream}${path}`, {
    headers: { authorization: `Bearer ${key}` },
    redirect: "manual",
  });
  const bytes = Buffer.from(await answer.arrayBuffer());
  const type = answer.headers.get("content-type") ?? "application/octet-stream";
  response.writeHead(answer.status, { "content-type": type, "content-length": bytes.length });
  response.end(bytes);
}).listen(Number(port), "127.0.0.1");
