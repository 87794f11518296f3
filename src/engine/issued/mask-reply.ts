// An answer that may hold credentials which the service has just issued: read whole, and masked before it is scrubbed.
import { collect, wholeBody } from "../bodies.ts";
import { Failure } from "../failure.ts";
import type { Decoder, HeaderField, UpstreamReply } from "../ports.ts";
import { decodedBody } from "../scrub-reply.ts";
import { maskForm, maskJson } from "./mask.ts";
import type { FieldPattern } from "./pattern.ts";

/** Token endpoints answer with a few hundred bytes. */
const longest = 1024 * 1024;
/** A session holds fewer: no honest answer hands out more at once. */
const mostOfAnswer = 1_000;
/** The longest ID tokens have a few thousand characters. */
const longestValue = 16 * 1024;
const ofOldBody = new Set(["content-encoding", "content-length", "etag"]);

/** The same reply where its type is none that could be read. */
export async function maskReply(
  reply: UpstreamReply,
  patterns: readonly FieldPattern[],
  decoder: Decoder,
  placeholderFor: (value: string) => string,
): Promise<UpstreamReply | Failure> {
  const mask = maskOf(reply.fields);
  if (!mask || reply.body.kind === "empty") return reply;
  const plain = decodedBody(reply, decoder);
  if (plain instanceof Failure) return plain;
  const bytes = await collect(plain, longest);
  if (bytes instanceof Failure)
    return bytes.code === "body_too_large" ? unreadable("is longer than 1 MiB") : bytes;
  // UTF-8 as it must be (RFC 8259 section 8.1), or bytes that would come out as others.
  const text = bytes.toString("utf8");
  if (!Buffer.from(text, "utf8").equals(bytes)) return unreadable("is not in UTF-8");
  let tooMuch: Failure | undefined;
  let count = 0;
  const bounded = (value: string): string => {
    count += 1;
    if (count > mostOfAnswer) tooMuch ??= unreadable(`holds more than ${mostOfAnswer} of them`);
    if (value.length > longestValue) tooMuch ??= unreadable("holds one longer than 16 KiB");
    return tooMuch ? "" : placeholderFor(value);
  };
  const masked = text.trim() === "" ? { text, count: 0 } : mask(text, patterns, bounded);
  if (tooMuch) return tooMuch;
  if (!masked) return unreadable("does not read as what it says it is");
  const fields = reply.fields.filter(({ key }) => !ofOldBody.has(key));
  return { status: reply.status, fields, body: wholeBody(Buffer.from(masked.text, "utf8")) };
}

function maskOf(fields: readonly HeaderField[]): typeof maskJson | undefined {
  const type = fields.find(({ key }) => key === "content-type")?.value.toLowerCase() ?? "";
  if (/^[^;]*[/+]json\s*(?:;|$)/.test(type)) return maskJson;
  return type.startsWith("application/x-www-form-urlencoded") ? maskForm : undefined;
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
