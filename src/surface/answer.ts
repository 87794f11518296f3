// What goes back to an HTTP client.

import type { Reply } from "../engine/call.ts";
import { type Failure, FailureError } from "../engine/failure.ts";
import type { Connection } from "../wire/connection.ts";
import { chunk, contentLength, type Field, field, lastChunk, writeResponseHead } from "../wire/http1.ts";
import { statusOf } from "./http-status.ts";

export interface Manner {
  readonly method: string;
  /** Minor version of HTTP/1 that the client speaks. */
  readonly minor: 0 | 1;
  readonly keepAlive: boolean;
}

/** A refusal as the contract shows it: `{"error": {code, message, rule?, next?}}`. */
export function failureReply(failure: Failure): Reply {
  const { code, message, rule, next } = failure;
  const fields = [field("Content-Type", "application/json"), field("Cache-Control", "no-store")];
  const status = statusOf[code];
  if (status === 401) fields.push(field("WWW-Authenticate", 'Bearer realm="janee"'));
  if (status === 407) fields.push(field("Proxy-Authenticate", 'Basic realm="janee"'));
  if (failure.retryAfter !== undefined) fields.push(field("Retry-After", String(failure.retryAfter)));
  const bytes = Buffer.from(`${JSON.stringify({ error: { code, message, rule, next } })}\n`);
  return { status, fields, body: { kind: "whole", bytes } };
}

/** A whole answer for a connection that is closed behind it. */
export function failureBytes(failure: Failure): Buffer {
  const { status, fields, body } = failureReply(failure);
  const bytes = body.kind === "whole" ? body.bytes : Buffer.alloc(0);
  const framing = [contentLength(bytes.length), field("Connection", "close")];
  return Buffer.concat([writeResponseHead(status, [...fields, ...framing]), bytes]);
}

/** Writes a reply; false when the connection cannot carry another request. */
export async function writeReply(connection: Connection, reply: Reply, manner: Manner): Promise<boolean> {
  const { body, status } = reply;
  const bodiless = manner.method === "HEAD" || status === 204 || status === 304;
  if (body.kind === "stream" && !bodiless) return writeStream(connection, reply, manner);
  const bytes = body.kind === "whole" ? body.bytes : Buffer.alloc(0);
  const fields = [...reply.fields];
  const saysLength = !bodiless || (manner.method === "HEAD" && body.kind === "whole");
  if (saysLength) fields.push(contentLength(bytes.length));
  fields.push(...persistence(manner.keepAlive, manner));
  const fits = connection.write(writeResponseHead(status, fields, bodiless ? undefined : bytes));
  if (!fits) await drained(connection);
  return manner.keepAlive;
}

/** A client that does not read gives up its place in time. */
const readsWithinMs = 120_000;

async function drained(connection: Connection): Promise<void> {
  connection.within(readsWithinMs);
  await connection.drained();
  connection.within(undefined);
}

function persistence(keepAlive: boolean, manner: Manner): Field[] {
  if (keepAlive) return [];
  return manner.minor === 1 ? [field("Connection", "close")] : [];
}

async function writeStream(connection: Connection, reply: Reply, manner: Manner): Promise<boolean> {
  if (reply.body.kind !== "stream") throw new Error("not a stream");
  const chunked = manner.minor === 1;
  const keepAlive = manner.keepAlive && chunked;
  const fields = [...reply.fields, ...persistence(keepAlive, manner)];
  if (chunked) fields.push(field("Transfer-Encoding", "chunked"));
  connection.write(writeResponseHead(reply.status, fields));
  try {
    for await (const bytes of reply.body.chunks) {
      const fits = connection.write(chunked ? chunk(bytes) : bytes);
      if (!fits) await drained(connection);
    }
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    // The status is long gone: only a broken connection can say that the body is not whole.
    connection.destroy();
    return false;
  }
  if (chunked) connection.write(lastChunk);
  return keepAlive;
}
