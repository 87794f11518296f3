// `execute`: a tool call becomes the same Call that the proxy makes, and its Reply a result.

import type { Reply } from "../../engine/call.ts";
import { Failure, FailureError } from "../../engine/failure.ts";
import type { Body, HeaderField } from "../../engine/ports.ts";
import type { Input } from "./arguments.ts";
import type { Asked, McpFace } from "./face.ts";
import { lifelineOf } from "./lifeline.ts";
import type { Output } from "./results.ts";
import { textOf } from "./text.ts";

/** Bytes of an answer's body that an agent is shown. */
export const mostShown = 1024 * 1024;

export async function execute(
  face: McpFace,
  input: Input<"execute">,
  asked: Asked,
): Promise<Output<"execute"> | Failure> {
  const body = bodyOf(input);
  if (body instanceof Failure) return body;
  const { lifeline, release } = lifelineOf(asked.signal);
  try {
    const reply = await face.broker.handle({
      surface: asked.surface,
      peer: asked.caller.owner,
      by: { caller: asked.caller },
      capability: input.capability,
      method: input.method.toUpperCase(),
      target: targetOf(input),
      fields: fieldsOf(input),
      body,
      ...(input.reason === undefined ? {} : { reason: input.reason }),
      lifeline,
    });
    return reply instanceof Failure ? reply : await resultOf(reply, asked.progress);
  } catch (error) {
    // A body that broke off after its head: the failure travels through the stream.
    if (error instanceof FailureError) return error.failure;
    throw error;
  } finally {
    release();
  }
}

function targetOf({ path, query }: Input<"execute">): string {
  const parts = Object.entries(query ?? {}).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) => `${encode(name)}=${encode(String(one))}`),
  );
  if (parts.length === 0) return path;
  return `${path}${path.includes("?") ? "&" : "?"}${parts.join("&")}`;
}

/** Strings from strict JSON are well-formed, so this does not throw. */
function encode(text: string): string {
  return encodeURIComponent(text);
}

function fieldsOf({ headers, body, encoding }: Input<"execute">): HeaderField[] {
  const fields = Object.entries(headers ?? {}).map(([name, value]) => ({
    name,
    key: name.toLowerCase(),
    value,
  }));
  const typed = fields.some(({ key }) => key === "content-type");
  if (body === undefined || typed || encoding === "base64") return fields;
  const isJson = typeof body !== "string" || isJsonText(body);
  const value = isJson ? "application/json" : "text/plain; charset=utf-8";
  return [...fields, { name: "Content-Type", key: "content-type", value }];
}

/** Agents often write the JSON themselves. A scalar is as likely to be plain text. */
function isJsonText(text: string): boolean {
  if (!/^\s*[[{]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const base64Pattern = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function bodyOf({ body, encoding }: Input<"execute">): Body | Failure {
  if (body === undefined || body === "") return { kind: "empty" };
  if (encoding === "base64") {
    if (typeof body !== "string" || !base64Pattern.test(body)) {
      return new Failure("bad_arguments", "with encoding base64 the body is a string of padded base64");
    }
    return { kind: "whole", bytes: Buffer.from(body, "base64") };
  }
  return { kind: "whole", bytes: Buffer.from(typeof body === "string" ? body : JSON.stringify(body)) };
}

async function resultOf(reply: Reply, progress: Asked["progress"]): Promise<Output<"execute">> {
  const { bytes, truncated } = await shownOf(reply.body, progress);
  const text = textOf(bytes, truncated);
  const cut = truncated ? `\n[janee: cut after ${bytes.length} bytes]` : "";
  return {
    status: reply.status,
    headers: headersOf(reply.fields),
    ...(text === undefined
      ? { body: bytes.toString("base64"), encoding: "base64" as const }
      : { body: `${text}${cut}` }),
    ...(truncated ? { truncated, bodyBytes: bytes.length } : {}),
    ...(reply.notice === undefined ? {} : { notice: reply.notice }),
  };
}

/** Leaving the loop ends the stream, and with it the request upstream. */
async function shownOf(
  body: Body,
  progress: Asked["progress"],
): Promise<{ bytes: Buffer; truncated: boolean }> {
  if (body.kind === "empty") return { bytes: Buffer.alloc(0), truncated: false };
  if (body.kind === "whole") {
    return { bytes: body.bytes.subarray(0, mostShown), truncated: body.bytes.length > mostShown };
  }
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of body.chunks) {
    pieces.push(piece);
    size += piece.length;
    if (size > mostShown) return { bytes: Buffer.concat(pieces).subarray(0, mostShown), truncated: true };
    progress?.(size);
  }
  return { bytes: Buffer.concat(pieces, size), truncated: false };
}

function headersOf(fields: readonly HeaderField[]): Output<"execute">["headers"] {
  const headers = new Map<string, string | string[]>();
  for (const { key, value } of fields) {
    const known = headers.get(key);
    headers.set(key, known === undefined ? value : [known, value].flat());
  }
  return Object.fromEntries(headers);
}
