// Takes a credential out of what an upstream answers, in every form in which one is likely to come back.
// Only whole values are redacted: a redacted part would tell an agent, guess by guess, what the rest is.
import { both, type Finder, finder } from "./scrub/find.ts";
import { type Boundary, REDACTED, redact, type ScrubStream, scrubStream } from "./scrub/stream.ts";

export { REDACTED, type ScrubStream };

export interface Scrubber {
  /** A whole text (header value, audit field): the redacted text and how many redactions. */
  text(value: string): { readonly text: string; readonly redactions: number };
  /** A whole buffer: the same object when nothing was found. */
  whole(bytes: Buffer): { readonly bytes: Buffer; readonly redactions: number };
  /** `lends`: each piece that comes out is good until the next one goes in. */
  stream(boundary: Boundary, lends?: boolean): ScrubStream;
  /** One that redacts these values as well. */
  with(more: readonly string[]): Scrubber;
}

/** `secrets` are whole values: the credential, and each value as it is put on the wire. */
export function compileScrubber(secrets: readonly string[]): Scrubber {
  return scrubberOf(finderOf(secrets));
}

function finderOf(secrets: readonly string[]): Finder {
  return finder([...new Set(secrets)].filter((secret) => secret !== ""));
}

function scrubberOf(found: Finder): Scrubber {
  function whole(bytes: Buffer) {
    if (bytes.length < found.shortest) return { bytes, redactions: 0 };
    const ranges = found.find(bytes);
    if (ranges.length === 0) return { bytes, redactions: 0 };
    const scrubbed = redact(bytes, bytes.length, ranges, 0);
    return { bytes: scrubbed.bytes, redactions: scrubbed.redactions };
  }

  function text(value: string) {
    if (value.length < found.shortest / 3) return { text: value, redactions: 0 };
    const utf8 = Buffer.from(value, "utf8");
    const first = whole(utf8);
    if (first.redactions > 0) return { text: first.bytes.toString("utf8"), redactions: first.redactions };
    // A header value may hold UTF-8 read as Latin-1.
    const ascii = utf8.length === value.length;
    if (ascii || !/^[\0-\xff]*$/.test(value)) return { text: value, redactions: 0 };
    const second = whole(Buffer.from(value, "latin1"));
    return {
      text: second.redactions > 0 ? second.bytes.toString("latin1") : value,
      redactions: second.redactions,
    };
  }

  return {
    ...{ text, whole, stream: (boundary, lends) => scrubStream(found, boundary, lends) },
    with: (more) => (more.length === 0 ? scrubberOf(found) : scrubberOf(both(found, finderOf(more)))),
  };
}
