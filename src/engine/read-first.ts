// Where the decision depends on the body, it is read before anything else: a form can name another method, and a
// person who is asked is asked about exactly these bytes.
import { dashed } from "./agent-fields.ts";
import { collect, wholeBody } from "./bodies.ts";
import type { Call, Judged, Progress } from "./call.ts";
import { schemeOf } from "./credential/index.ts";
import { isMade } from "./credential/scheme.ts";
import { Failure } from "./failure.ts";
import type { Body, Digest, HeaderField } from "./ports.ts";
import { visible } from "./visible.ts";

const readFirstLimit = 8 * 1024 * 1024;
const previewBytes = 2048;

/** No promise where nothing is to be read: most calls. */
export function readFirst(
  unread: Progress,
  judged: Judged,
  digest: Digest,
): Progress | Failure | Promise<Progress | Failure> {
  const asks = judged.admission.decision.effect === "ask";
  const form = isForm(unread.call);
  if (form && isUnreadableForm(unread.call)) {
    const message = "a form in this charset could hide a field that changes the method";
    return new Failure("method_override_denied", message, { next: "send the form as UTF-8" });
  }
  if (form && isCoded(unread.call)) {
    const message = "a compressed form could hide a field that changes the method";
    return new Failure("method_override_denied", message, { next: "send the form without Content-Encoding" });
  }
  return asks || form || isSigned(unread.call, judged) ? readWhole(unread, asks, form, digest) : unread;
}

/** What is signed with the request, or may be replaced in it, has to be known before its head goes out. */
function isSigned(call: Call, { admission }: Judged): boolean {
  const { service } = admission;
  const { auth, placeholders } = service;
  if (placeholders.includes("body") && call.body.kind !== "empty") return true;
  const scheme = schemeOf(auth.type);
  return isMade(scheme) && call.body.kind !== "empty" && scheme.readsBody?.(service, call.fields) === true;
}

async function readWhole(
  unread: Progress,
  asks: boolean,
  form: boolean,
  digest: Digest,
): Promise<Progress | Failure> {
  const bytes = await collect(unread.call.body, readFirstLimit);
  if (bytes instanceof Failure) return bytes;
  return {
    ...unread,
    body: wholeBody(bytes),
    form: form ? bytes.toString("latin1") : undefined,
    // In hex, as sha256sum prints it, so that a person can compare.
    digest: asks ? Buffer.from(digest.sha256(bytes), "base64url").toString("hex") : undefined,
    preview: asks ? visible(bytes.subarray(0, previewBytes).toString("utf8")) : undefined,
  };
}

const formType = /^\s*application\/x-www-form-urlencoded/i;
/** Charsets in which the names of a form read as they do in ASCII; servers decode by the others, some of them. */
const plainCharset = /charset\s*=\s*"?(?:utf-?8|us-ascii|iso-8859-1)"?\s*(?:;|$)/i;

/** Every field that some server takes for the type: `Content_Type` beside `Content-Type` hides nothing. */
export function contentTypes(fields: readonly HeaderField[]): string[] {
  return fields.filter(({ key }) => dashed(key) === "content-type").map(({ value }) => value);
}

function isForm(call: Call): boolean {
  return call.body.kind !== "empty" && saysForm(call.fields);
}

export function saysForm(fields: readonly HeaderField[]): boolean {
  return contentTypes(fields).some((type) => formType.test(type));
}

/**
 * A body that does not say what it is goes out as bytes (RFC 9110 section 8.3): some frameworks would guess that a
 * POST is a form, and take a method from it that no rule has seen.
 */
export function typedFields(fields: readonly HeaderField[], body: Body): readonly HeaderField[] {
  if (body.kind === "empty" || contentTypes(fields).length > 0) return fields;
  return [...fields, { name: "Content-Type", key: "content-type", value: "application/octet-stream" }];
}

function isUnreadableForm(call: Call): boolean {
  return contentTypes(call.fields).some((type) => /charset/i.test(type) && !plainCharset.test(type));
}

/** Some servers undo the coding before they read the form. */
function isCoded({ fields }: Call): boolean {
  return fields.some(
    ({ key, value }) => dashed(key) === "content-encoding" && !/^\s*(?:identity)?\s*$/i.test(value),
  );
}
