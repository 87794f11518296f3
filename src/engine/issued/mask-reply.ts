// An answer that may hold credentials which the service has just issued: read whole, and masked before it is scrubbed.
import { collect, wholeBody } from "../bodies.ts";
import { Failure } from "../failure.ts";
import type { Decoder, HeaderField, UpstreamReply } from "../ports.ts";
import { decodedBody } from "../scrub-reply.ts";
import { maskForm, maskJson } from "./mask.ts";
import { maskAddress, maskText } from "./mask-loose.ts";
import type { FieldPattern } from "./pattern.ts";

/** Token endpoints answer with a few hundred bytes. */
const longest = 1024 * 1024;
/** A session holds fewer: no honest answer hands out more at once. */
const mostOfAnswer = 1_000;
/** The longest ID tokens have a few thousand characters. */
const longestValue = 16 * 1024;
const partial = 206;
const ofOldBody = new Set(["content-encoding", "content-length", "etag"]);

/** The same reply where it holds none and could hold none. */
export async function maskReply(
  reply: UpstreamReply,
  patterns: readonly FieldPattern[],
  decoder: Decoder,
  placeholderFor: (value: string) => string,
): Promise<UpstreamReply | Failure> {
  const bounds = new Bounds(placeholderFor);
  const fields = reply.fields.map((field) => maskField(field, patterns, bounds));
  const mask = maskOf(reply.fields);
  // The name of a field can be in one part, and its value in the next.
  if (mask && reply.status === partial && reply.body.kind !== "empty") {
    if (reply.body.kind === "stream") void reply.body.chunks[Symbol.asyncIterator]().return?.();
    return unreadable("is only a part");
  }
  const masked =
    !mask || reply.body.kind === "empty"
      ? reply
      : await maskBody(reply, decoder, (bytes) => mask(bytes, patterns, bounds.take));
  if (masked instanceof Failure) return masked;
  if (bounds.failure) {
    if (masked.body.kind === "stream") void masked.body.chunks[Symbol.asyncIterator]().return?.();
    return bounds.failure;
  }
  if (bounds.count === 0) return masked;
  const isBody = masked !== reply;
  return { ...masked, fields: fields.filter(({ key }) => !isBody || !ofOldBody.has(key)) };
}

/** What an answer may hold, for one who could have a service say anything. */
class Bounds {
  readonly #placeholderFor: (value: string) => string;
  count = 0;
  failure: Failure | undefined;

  constructor(placeholderFor: (value: string) => string) {
    this.#placeholderFor = placeholderFor;
  }

  readonly take = (value: string): string => {
    this.count += 1;
    if (this.count > mostOfAnswer) this.failure ??= unreadable(`holds more than ${mostOfAnswer} of them`);
    if (value.length > longestValue) this.failure ??= unreadable("holds one longer than 16 KiB");
    return this.failure ? "" : this.#placeholderFor(value);
  };
}

/** Fields whose values are addresses. */
const addresses = new Set(["location", "content-location", "refresh", "link"]);

function maskField(field: HeaderField, patterns: readonly FieldPattern[], bounds: Bounds): HeaderField {
  if (!addresses.has(field.key)) return field;
  const value = maskAddress(field.value, patterns, bounds.take);
  if (value === undefined) bounds.failure ??= unreadable("points to an address that does not read as one");
  return { ...field, value: value ?? "" };
}

async function maskBody(
  reply: UpstreamReply,
  decoder: Decoder,
  mask: (bytes: Buffer) => Buffer | Failure,
): Promise<UpstreamReply | Failure> {
  const plain = decodedBody(reply, decoder);
  if (plain instanceof Failure) return plain;
  const bytes = await collect(plain, longest);
  if (bytes instanceof Failure)
    return bytes.code === "body_too_large" ? unreadable("is longer than 1 MiB") : bytes;
  const masked = mask(bytes);
  if (masked instanceof Failure) return masked;
  const fields = reply.fields.filter(({ key }) => !ofOldBody.has(key));
  return { status: reply.status, fields, body: wholeBody(masked) };
}

type Mask = (
  bytes: Buffer,
  patterns: readonly FieldPattern[],
  placeholderFor: (value: string) => string,
) => Buffer | Failure;

function strictly(how: typeof maskJson): Mask {
  return (bytes, patterns, placeholderFor) => {
    // UTF-8 as it must be (RFC 8259 section 8.1), or bytes that would come out as others.
    const text = bytes.toString("utf8");
    if (!Buffer.from(text, "utf8").equals(bytes)) return unreadable("is not in UTF-8");
    if (text.trim() === "") return bytes;
    const masked = how(text, patterns, placeholderFor);
    return masked ? Buffer.from(masked.text, "utf8") : unreadable("does not read as what it says it is");
  };
}

const asJson = strictly(maskJson);
const asForm = strictly(maskForm);

/** JSON and forms that say they are something else are read as what they are. */
function loosely(bytes: Buffer, ...rest: [readonly FieldPattern[], (value: string) => string]): Buffer {
  const json = asJson(bytes, ...rest);
  if (!(json instanceof Failure)) return json;
  return Buffer.from(maskText(bytes.toString("latin1"), ...rest), "latin1");
}

/** Text that a service sends instead of JSON to one who asks for it, and that could be anything if it says nothing. */
const looseType =
  /^\s*(?:$|;|text\/(?!event-stream)|multipart\/|[^;]*[/+](?:xml|(?:x-)?javascript|ecmascript|(?:x-)?ndjson|jsonl?|jsonlines|x-jsonlines|json-seq|(?:x-)?ya?ml)\s*(?:;|$))/;

function maskOf(fields: readonly HeaderField[]): Mask | undefined {
  const types = fields.filter(({ key }) => key === "content-type").map(({ value }) => value.toLowerCase());
  const masks = (types.length === 0 ? [""] : types).map(maskOfType);
  // Which of two types a client takes is not known.
  return masks.length > 1 ? loosely : masks[0];
}

function maskOfType(type: string): Mask | undefined {
  if (/charset\s*=\s*"?(?:utf-?(?:7|16|32)|ucs)/.test(type)) return unreadableText;
  if (/^[^;]*[/+]json\s*(?:;|$)/.test(type)) return asJson;
  if (type.startsWith("application/x-www-form-urlencoded")) return asForm;
  return looseType.test(type) ? loosely : undefined;
}

function unreadableText(): Failure {
  return unreadable("is in a charset in which they would not be found");
}

function unreadable(what: string): Failure {
  return new Failure(
    "response_unscannable",
    `this service's answers are searched for credentials, and one ${what}`,
    {
      next: "nothing: it is not passed on, as it could hold one",
    },
  );
}
