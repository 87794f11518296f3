// What janee itself says over HTTP, on Hono, fed by the same listener: one port, one reader.
import { Hono } from "hono";
import { collect, wholeBody } from "../engine/bodies.ts";
import type { Reply } from "../engine/call.ts";
import { Failure } from "../engine/failure.ts";
import type { Body } from "../engine/ports.ts";
import { field, type RequestHead } from "../wire/http1.ts";

export interface PageParts {
  readonly version: string;
}

export type Page = (head: RequestHead, body: Body) => Promise<Reply | Failure>;

const bodyLimit = 1024 * 1024;

export function makePage(parts: PageParts): Page {
  const app = new Hono();
  app.get("/_janee/health", (context) => context.json({ status: "ok", version: parts.version }));
  return (head, body) => answer(app, head, body);
}

async function answer(app: Hono, head: RequestHead, body: Body): Promise<Reply | Failure> {
  const bytes = await collect(body, bodyLimit);
  if (bytes instanceof Failure) return bytes;
  const headers = new Headers(head.fields.map(({ name, value }): [string, string] => [name, value]));
  const carriesBody = head.method !== "GET" && head.method !== "HEAD" && bytes.length > 0;
  const request = new Request(`http://${head.host}${head.target}`, {
    method: head.method,
    headers,
    ...(carriesBody ? { body: new Uint8Array(bytes) } : {}),
  });
  const response = await app.fetch(request);
  if (response.status === 404) return new Failure("not_found", "there is nothing at this address");
  const fields = [...response.headers].map(([name, value]) => field(name, value));
  return { status: response.status, fields, body: wholeBody(Buffer.from(await response.arrayBuffer())) };
}
