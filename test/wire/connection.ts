import { Buffer } from "node:buffer";
import {
  BodyReader,
  defaultHeadLimits,
  type Field,
  type HeadLimits,
  Malformed,
  type MalformedCode,
  type RequestHead,
  type ResponseHead,
  readRequestHead,
  readResponseHead,
} from "../../src/wire/http1.ts";

export interface Message {
  readonly start: string;
  readonly minor: number;
  /** name, value, name, value: as node calls it, the raw headers */
  readonly raw: readonly string[];
  readonly body: string;
}

/**
 * What a connection held. `ended`: "open" after whole messages, "last" after one that ends the connection,
 * "incomplete" when bytes are missing, or why the rest was refused.
 */
export interface Reading {
  readonly messages: readonly Message[];
  readonly ended: "open" | "last" | "incomplete" | MalformedCode;
}

type Head = RequestHead | ResponseHead;

/** Reads what arrives in `parts` the way a connection would, one part at a time. */
function readParts(
  parts: readonly Buffer[],
  readHead: (bytes: Buffer) => Head | Malformed | undefined,
  mode: "strict" | "lenient",
  start: (head: Head) => string,
): Reading {
  const messages: Message[] = [];
  let waiting = Buffer.alloc(0);
  let head: Head | undefined;
  let body: BodyReader | undefined;
  let pieces: Buffer[] = [];
  for (const part of parts) {
    waiting = waiting.length === 0 ? Buffer.from(part) : Buffer.concat([waiting, part]);
    for (;;) {
      if (head === undefined || body === undefined) {
        if (waiting.length === 0) break;
        const read = readHead(waiting);
        if (read === undefined) break;
        if (read instanceof Malformed) return { messages, ended: read.code };
        head = read;
        body = new BodyReader(read.framing, mode);
        pieces = [];
        waiting = waiting.subarray(read.size);
      }
      const step = body.push(waiting);
      if (step instanceof Malformed) return { messages, ended: step.code };
      pieces.push(...step.pieces);
      waiting = step.rest === undefined ? Buffer.alloc(0) : Buffer.from(step.rest);
      if (!step.done) break;
      messages.push(message(head, start(head), pieces));
      if (!head.keepAlive) return { messages, ended: "last" };
      head = undefined;
      body = undefined;
    }
  }
  if (head !== undefined && body !== undefined && head.framing.kind === "close") {
    const refused = body.end();
    if (refused !== undefined) return { messages, ended: refused.code };
    messages.push(message(head, start(head), pieces));
    return { messages, ended: "last" };
  }
  return { messages, ended: head === undefined && waiting.length === 0 ? "open" : "incomplete" };
}

function message(head: Head, start: string, pieces: readonly Buffer[]): Message {
  const raw = head.fields.flatMap((one: Field) => [one.name, one.value]);
  return { start, minor: head.minor, raw, body: Buffer.concat(pieces).toString("latin1") };
}

export function readRequests(parts: readonly Buffer[], limits: HeadLimits = defaultHeadLimits): Reading {
  return readParts(
    parts,
    (bytes) => readRequestHead(bytes, limits),
    "strict",
    (head) => ("method" in head ? `${head.method} ${head.target}` : ""),
  );
}

export function readResponses(
  parts: readonly Buffer[],
  requestMethod: string,
  limits: HeadLimits = defaultHeadLimits,
): Reading {
  return readParts(
    parts,
    (bytes) => readResponseHead(bytes, requestMethod, limits),
    "lenient",
    (head) => ("status" in head ? String(head.status) : ""),
  );
}

export function bytes(text: string): Buffer {
  return Buffer.from(text, "latin1");
}

export function eachByte(whole: Buffer): Buffer[] {
  return Array.from({ length: whole.length }, (_, at) => whole.subarray(at, at + 1));
}

export function splitAt(whole: Buffer, at: number): Buffer[] {
  return [whole.subarray(0, at), whole.subarray(at)];
}
