// What an upstream answered, as the agent may see it: decoded, its fields chosen, everything scrubbed.
import type { Admission } from "./admit.ts";
import { replyFields } from "./agent-fields.ts";
import { wholeBody } from "./bodies.ts";
import { Failure, FailureError } from "./failure.ts";
import type { Body, Decoder, HeaderField, UpstreamReply } from "./ports.ts";
import type { Scrubber } from "./scrub.ts";
import { visible } from "./visible.ts";

export interface Scrubbed {
  readonly fields: readonly HeaderField[];
  /** Complete and clean, or still to be scrubbed while it streams. */
  readonly body:
    | Exclude<Body, { readonly kind: "stream" }>
    | { readonly kind: "stream"; readonly chunks: AsyncIterable<Buffer> };
  /** In what is already clean. */
  readonly redactions: number;
}

export function scrubReply(
  reply: UpstreamReply,
  admission: Admission,
  scrubber: Scrubber,
  decoder: Decoder,
): Scrubbed | Failure {
  const coding = codingOf(reply.fields);
  const plain = decodedBody(reply, decoder);
  if (plain instanceof Failure) return plain;
  const passed = replyFields(reply.fields, admission.service, coding !== undefined);
  const { fields, redactions } = scrubFields(passed, scrubber);
  // The length that a GET would have had says nothing of a body that is scrubbed or decoded first.
  const length = admission.method === "HEAD" && reply.fields.find(({ key }) => key === "content-length");
  if (length && coding === undefined) fields.push(length);
  if (plain.kind !== "whole") return { fields, body: plain, redactions };
  const whole = scrubber.whole(plain.bytes);
  const body = whole.redactions === 0 ? plain : wholeBody(whole.bytes);
  return { fields, body: body as Scrubbed["body"], redactions: redactions + whole.redactions };
}

/** `fields` are the caller's own: where all are clean they come back as they are. */
function scrubFields(
  fields: HeaderField[],
  scrubber: Scrubber,
): { fields: HeaderField[]; redactions: number } {
  // Nearly always there is nothing in any of them: one look at all values together says so.
  let together = "";
  for (const { name, value } of fields) together += `${name}\n${value}\n`;
  if (scrubber.text(together).redactions === 0) return { fields, redactions: 0 };
  let redactions = 0;
  // A name cannot hold the mark of a redaction: a field whose name is the key goes altogether.
  const named = fields.filter(({ name }) => scrubber.text(name).redactions === 0);
  redactions += fields.length - named.length;
  const clean = named.map((field) => {
    const scrubbed = scrubber.text(field.value);
    redactions += scrubbed.redactions;
    return scrubbed.redactions === 0 ? field : { ...field, value: scrubbed.text };
  });
  return { fields: clean, redactions };
}

/** Scrubs a body while it streams, and tells once how it ended: with how many bytes, and why if not well. */
export async function* scrubStream(
  chunks: AsyncIterable<Buffer>,
  stream: ReturnType<Scrubber["stream"]>,
  ended: (ending: {
    bytesOut: number;
    redactions: number;
    failure?: Failure["code"];
  }) => Promise<Failure | undefined>,
): AsyncGenerator<Buffer> {
  let bytesOut = 0;
  let failure: Failure["code"] | undefined = "client_closed";
  let unwritten: Failure | undefined;
  try {
    for await (const chunk of chunks) {
      const clean = stream.push(chunk);
      if (clean.length === 0) continue;
      bytesOut += clean.length;
      yield clean;
    }
    const rest = stream.end();
    bytesOut += rest.length;
    failure = undefined;
    // Written before the last bytes go out: a client that has the whole answer finds it in the trail.
    unwritten = await ended({ bytesOut, redactions: stream.redactions });
    if (!unwritten && rest.length > 0) yield rest;
  } catch (error) {
    failure = error instanceof FailureError ? error.failure.code : "internal";
    throw error;
  } finally {
    if (failure !== undefined) await ended({ bytesOut, redactions: stream.redactions, failure });
  }
  if (unwritten) throw new FailureError(unwritten);
}

/** The body without its content coding. */
export function decodedBody(reply: UpstreamReply, decoder: Decoder): Body | Failure {
  const coding = codingOf(reply.fields);
  const plain = coding === undefined ? reply.body : decoded(coding, reply.body, decoder);
  if (plain instanceof Failure && reply.body.kind === "stream")
    void reply.body.chunks[Symbol.asyncIterator]().return?.();
  return plain;
}

function decoded(coding: string, body: Body, decoder: Decoder): Body | Failure {
  if (body.kind === "empty") return body;
  const chunks = decoder.decode(coding, body.kind === "whole" ? once(body.bytes) : body.chunks);
  if (chunks) return { kind: "stream", length: undefined, chunks };
  const message = `the upstream answered in the coding "${visible(coding).slice(0, 40)}"`;
  return new Failure("response_unscannable", message, {
    next: "nothing: an answer that cannot be scrubbed is not passed on",
  });
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

function codingOf(fields: readonly HeaderField[]): string | undefined {
  let codings = "";
  for (const { key, value } of fields) {
    if (key === "content-encoding") codings = codings === "" ? value : `${codings},${value}`;
  }
  if (codings === "") return undefined;
  const coding = codings.trim().toLowerCase();
  return coding === "" || coding === "identity" ? undefined : coding;
}

/** Formats whose parts are passed on as they come. */
export function boundaryOf(fields: readonly HeaderField[]): "none" | "event" | "line" {
  const type = fields.find(({ key }) => key === "content-type")?.value.toLowerCase() ?? "";
  if (type.startsWith("text/event-stream")) return "event";
  return /ndjson|jsonl|json-seq|stream\+json/.test(type) ? "line" : "none";
}
