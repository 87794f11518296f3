import { Failure, FailureError } from "./failure.ts";
import type { Body } from "./ports.ts";

export function bodyLength(body: Body): number {
  if (body.kind === "empty") return 0;
  return body.kind === "whole" ? body.bytes.length : (body.length ?? 0);
}

/** The whole body in memory, or a failure when it is longer than `limit` bytes. */
export async function collect(body: Body, limit: number): Promise<Buffer | Failure> {
  if (body.kind === "empty") return Buffer.alloc(0);
  if (body.kind === "whole") return body.bytes.length > limit ? tooLarge(limit) : body.bytes;
  if (body.length !== undefined && body.length > limit) return tooLarge(limit);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body.chunks) {
      size += chunk.length;
      if (size > limit) return tooLarge(limit);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof FailureError) return error.failure;
    throw error;
  }
  return Buffer.concat(chunks, size);
}

export function wholeBody(bytes: Buffer): Body {
  return bytes.length === 0 ? { kind: "empty" } : { kind: "whole", bytes };
}

function tooLarge(limit: number): Failure {
  return new Failure(
    "body_too_large",
    `a body that has to be read before it is sent is limited to ${limit} bytes`,
    {
      next: "send a smaller body",
    },
  );
}
