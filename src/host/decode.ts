import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from "node:zlib";
import { Failure, FailureError } from "../engine/failure.ts";
import type { Decoder } from "../engine/ports.ts";

/** Beyond this many decoded bytes, an answer that grew a hundredfold is a bomb. */
const trustedBytes = 64 * 1024 * 1024;
const mostGrowth = 100;

type Transform = ReturnType<typeof createGunzip>;

export const decoder: Decoder = {
  decode(coding, chunks) {
    if (coding === "gzip" || coding === "x-gzip") return inflate(chunks, () => createGunzip());
    if (coding === "br") return inflate(chunks, () => createBrotliDecompress());
    if (coding === "deflate") return inflate(chunks, deflateFor);
    return undefined;
  },
};

/** `deflate` is zlib by the book (RFC 9110 section 8.4.1.2), and raw from some servers. */
function deflateFor(first: Buffer): Transform {
  const zlib = ((first[0] ?? 0) & 0x0f) === 8 && (((first[0] ?? 0) << 8) | (first[1] ?? 0)) % 31 === 0;
  return zlib ? createInflate() : createInflateRaw();
}

/** Two bytes at least, which tell the formats apart, where there are so many. */
async function firstBytes(source: AsyncIterator<Buffer>): Promise<Buffer> {
  let bytes: Buffer = Buffer.alloc(0);
  while (bytes.length < 2) {
    const next = await source.next();
    if (next.done) break;
    bytes = bytes.length === 0 ? next.value : Buffer.concat([bytes, next.value]);
  }
  return bytes;
}

async function* inflate(
  chunks: AsyncIterable<Buffer>,
  make: (first: Buffer) => Transform,
): AsyncGenerator<Buffer> {
  const source = chunks[Symbol.asyncIterator]();
  const first = await firstBytes(source);
  if (first.length === 0) return;
  const transform = make(first);
  const counts = { taken: 0, given: 0 };
  const feeding = feed(transform, first, source, counts);
  feeding.catch(() => {});
  try {
    for await (const piece of transform) {
      counts.given += piece.length;
      if (counts.given > trustedBytes && counts.given > counts.taken * mostGrowth) {
        throw new FailureError(new Failure("response_too_large", "the compressed answer grows without end"));
      }
      yield piece as Buffer;
    }
    // What comes behind the end of the compressed data is nobody's: waiting for it to be taken would be for ever.
    if (!transform.readableEnded) await feeding;
  } catch (error) {
    if (error instanceof FailureError) throw error;
    throw new FailureError(new Failure("response_unscannable", "the compressed answer is damaged"));
  } finally {
    transform.destroy();
    await source.return?.();
  }
}

/** The end of the compressed data, or of the reader, ends the wait as well: neither drains. */
function drained(transform: Transform): Promise<void> {
  return new Promise((done) => {
    for (const event of ["drain", "end", "close", "error"]) transform.once(event, () => done());
  });
}

async function feed(
  transform: Transform,
  first: Buffer,
  source: AsyncIterator<Buffer>,
  counts: { taken: number },
): Promise<void> {
  try {
    for (let chunk: Buffer | undefined = first; chunk; ) {
      counts.taken += chunk.length;
      if (!transform.write(chunk)) await drained(transform);
      if (transform.destroyed || transform.readableEnded) return;
      const next: IteratorResult<Buffer> = await source.next();
      chunk = next.done ? undefined : next.value;
    }
    transform.end();
  } catch (error) {
    transform.destroy(error as Error);
    throw error;
  }
}
