// The body of an SDK that signs each chunk, or puts a checksum behind the last: `aws-chunked`.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
import { wholeBody } from "../../bodies.ts";
import { Failure, FailureError } from "../../failure.ts";
import type { Body, HeaderField } from "../../ports.ts";
import type { Wrapped } from "../scheme.ts";

const longestLine = 1024;
const mostTrailers = 16;
const sizeLine = /^([0-9A-Fa-f]{1,8})(?:;chunk-signature=[0-9a-f*]{64,160})?$/;
const trailerLine = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e]*$/;

/** Takes the framing apart. What is not exactly of it is refused. */
export class AwsChunks {
  readonly #length: number;
  #state: "size" | "bytes" | "after" | "trailers" | "end" = "size";
  #line = "";
  #left = 0;
  #total = 0;
  #trailers = 0;

  /** `length`: how many bytes there must be without the framing. */
  constructor(length: number) {
    this.#length = length;
  }

  /** The content in these bytes, or what is wrong with them. */
  push(bytes: Buffer): Buffer[] | string {
    const content: Buffer[] = [];
    let at = 0;
    while (at < bytes.length) {
      if (this.#state === "end") return "bytes follow the last chunk";
      if (this.#state === "bytes") {
        const piece = bytes.subarray(at, at + this.#left);
        content.push(piece);
        at += piece.length;
        this.#left -= piece.length;
        if (this.#left === 0) this.#state = "after";
        continue;
      }
      const end = bytes.indexOf(10, at);
      const stop = end < 0 ? bytes.length : end + 1;
      if (this.#line.length + stop - at > longestLine) return "a line is too long";
      this.#line += bytes.toString("latin1", at, stop);
      at = stop;
      if (end < 0) continue;
      if (!this.#line.endsWith("\r\n")) return "a line does not end with CR LF";
      const line = this.#line.slice(0, -2);
      this.#line = "";
      const problem = this.#take(line);
      if (problem) return problem;
    }
    return content;
  }

  /** What is wrong where nothing more comes. */
  end(): string | undefined {
    return this.#state === "end" ? undefined : "it ends before its last chunk";
  }

  #take(line: string): string | undefined {
    if (this.#state === "after") {
      this.#state = "size";
      return line === "" ? undefined : "a chunk is longer than it says";
    }
    if (this.#state === "trailers") {
      if (line === "") this.#state = "end";
      else if (!trailerLine.test(line) || ++this.#trailers > mostTrailers) return "a trailer is malformed";
      return undefined;
    }
    const size = sizeLine.exec(line)?.[1];
    if (size === undefined) return "the size of a chunk is malformed";
    this.#left = Number.parseInt(size, 16);
    this.#total += this.#left;
    this.#state = this.#left === 0 ? "trailers" : "bytes";
    const isWrong = this.#left === 0 ? this.#total !== this.#length : this.#total > this.#length;
    return isWrong ? "it is not as long as x-amz-decoded-content-length says" : undefined;
  }
}

/** undefined: the body is not framed so. */
export function unwrapChunks({
  asked,
  fields,
  body,
}: Wrapped): { readonly fields: readonly HeaderField[]; readonly body: Body } | Failure | undefined {
  const isFramed = asked.some(
    ({ key, value }) =>
      (key === "x-amz-content-sha256" && /^STREAMING-/i.test(value)) ||
      (key === "content-encoding" && codings(value).some(isOwn)),
  );
  if (!isFramed) return undefined;
  const stated = asked.filter(({ key }) => key === "x-amz-decoded-content-length");
  const length = stated.length === 1 && /^[0-9]{1,15}$/.test(stated[0]?.value ?? "") ? stated[0]?.value : "";
  if (!length) return malformed("one x-amz-decoded-content-length is needed");
  const bare = contentOf(body, Number(length));
  return bare instanceof Failure ? bare : { fields: fields.flatMap(withoutFraming(fields)), body: bare };
}

function contentOf(body: Body, length: number): Body | Failure {
  if (body.kind === "stream") {
    return { kind: "stream", length, chunks: contentIn(body.chunks, new AwsChunks(length)) };
  }
  const chunks = new AwsChunks(length);
  const content = chunks.push(body.kind === "whole" ? body.bytes : Buffer.alloc(0));
  const problem = typeof content === "string" ? content : chunks.end();
  return typeof content === "string" || problem
    ? malformed(problem ?? "")
    : wholeBody(Buffer.concat(content, length));
}

/** The last bytes wait for the end of the framing: a body that is malformed there must not arrive whole. */
async function* contentIn(pieces: AsyncIterable<Buffer>, chunks: AwsChunks): AsyncIterable<Buffer> {
  let held: Buffer | undefined;
  for await (const piece of pieces) {
    const content = chunks.push(piece);
    if (typeof content === "string") throw new FailureError(malformed(content));
    for (const bytes of content) {
      if (held) yield held;
      held = bytes;
    }
  }
  const problem = chunks.end();
  if (problem) throw new FailureError(malformed(problem));
  if (held) yield held;
}

/** A checksum that stood in the trailer is gone with it, and so is the word that there is one. */
function withoutFraming(fields: readonly HeaderField[]): (field: HeaderField) => HeaderField[] {
  const hasChecksum = fields.some(
    ({ key }) =>
      key.startsWith("x-amz-checksum-") &&
      key !== "x-amz-checksum-algorithm" &&
      key !== "x-amz-checksum-type",
  );
  return (field) => {
    if (field.key === "x-amz-decoded-content-length" || field.key === "x-amz-trailer") return [];
    if (field.key === "x-amz-sdk-checksum-algorithm" && !hasChecksum) return [];
    if (field.key !== "content-encoding") return [field];
    const value = codings(field.value)
      .filter((coding) => !isOwn(coding))
      .join(",");
    return value === "" ? [] : [{ ...field, value }];
  };
}

function codings(value: string): string[] {
  return value
    .split(",")
    .map((coding) => coding.trim())
    .filter((coding) => coding !== "");
}

function isOwn(coding: string): boolean {
  return coding.toLowerCase() === "aws-chunked";
}

function malformed(what: string): Failure {
  return new Failure("bad_request", `the aws-chunked body is malformed: ${what}`);
}
