// A request as it goes to a service: Host and framing are our own, whatever the agent sent.
import type { Service } from "../engine/config.ts";
import type { Body, UpstreamRequest } from "../engine/ports.ts";
import { contentLength, type Field, field, writeRequestHead } from "../wire/http1.ts";

const neverHasBody = new Set(["GET", "HEAD", "OPTIONS", "DELETE"]);
const plainOnly = field("Accept-Encoding", "identity");

/** The head, and the body behind it where that is complete. */
export function requestBytes(request: UpstreamRequest, service: Service): Buffer {
  const { method, target, body } = request;
  const host = { name: "Host", key: "host", value: service.base?.authority ?? "" };
  const fields = [host, ...request.fields, plainOnly];
  if (request.upgrade) fields.push(field("Connection", "Upgrade"), field("Upgrade", request.upgrade));
  const framing = framingField(method, body);
  if (framing) fields.push(framing);
  return writeRequestHead(method, target, fields, body.kind === "whole" ? body.bytes : undefined);
}

function framingField(method: string, body: Body): Field | undefined {
  if (body.kind === "whole") return contentLength(body.bytes.length);
  if (body.kind === "empty") return neverHasBody.has(method) ? undefined : contentLength(0);
  if (body.length === undefined) return field("Transfer-Encoding", "chunked");
  return contentLength(body.length);
}
