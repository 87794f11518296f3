// What janee itself says over HTTP, on Hono, fed by the same listener: one port, one reader.
import { Hono } from "hono";
import { wholeBody } from "../engine/bodies.ts";
import type { Reply } from "../engine/call.ts";
import { Failure } from "../engine/failure.ts";
import { field, type RequestHead } from "../wire/http1.ts";

export interface PageParts {
  readonly version: string;
}

/** Nothing here takes a body yet, so none is waited for. */
export type Page = (head: RequestHead) => Promise<Reply | Failure>;

export function makePage(parts: PageParts): Page {
  const app = new Hono();
  app.get("/_janee/health", (context) => context.json({ status: "ok", version: parts.version }));
  return (head) => answer(app, head);
}

async function answer(app: Hono, head: RequestHead): Promise<Reply | Failure> {
  const headers = new Headers(head.fields.map(({ name, value }): [string, string] => [name, value]));
  const request = new Request(`http://${head.host}${head.target}`, { method: head.method, headers });
  const response = await app.fetch(request);
  if (response.status === 404) return new Failure("not_found", "there is nothing at this address");
  const fields = [...response.headers].map(([name, value]) => field(name, value));
  return { status: response.status, fields, body: wholeBody(Buffer.from(await response.arrayBuffer())) };
}
