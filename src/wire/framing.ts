import { trimBlank } from "./head.ts";
import { chunkedBody, type Framing, Malformed, noBody, untilClose } from "./types.ts";

const lengthGrammar = /^[0-9]{1,15}$/;

export function badFraming(message: string): Malformed {
  return new Malformed("bad_framing", message);
}

/** The framing of a request by its only Content-Length and its only Transfer-Encoding. */
export function requestFraming(
  minor: 0 | 1,
  length: string | undefined,
  coding: string | undefined,
): Framing | Malformed {
  if (coding !== undefined) return codingFraming(minor, length, coding);
  if (length === undefined) return noBody;
  if (!lengthGrammar.test(length)) return badFraming("Content-Length is 1 to 15 digits");
  return { kind: "length", length: Number(length) };
}

/** The same for a response, where several Content-Length fields come joined with commas. */
export function responseFraming(
  minor: 0 | 1,
  length: string | undefined,
  coding: string | undefined,
): Framing | Malformed {
  if (coding !== undefined) return codingFraming(minor, length, coding);
  if (length === undefined) return untilClose;
  // RFC 9112 section 6.3: equal values, in one list or in several fields, mean that value once.
  let only: number | undefined;
  for (const part of length.split(",")) {
    const digits = trimBlank(part);
    if (!lengthGrammar.test(digits)) return badFraming("Content-Length is 1 to 15 digits");
    const value = Number(digits);
    if (only !== undefined && only !== value) return badFraming("Content-Length has one value");
    only = value;
  }
  return { kind: "length", length: only ?? 0 };
}

function codingFraming(minor: 0 | 1, length: string | undefined, coding: string): Framing | Malformed {
  // RFC 9112 section 6.1: both at once, or a coding on HTTP/1.0, is how messages are smuggled.
  if (length !== undefined) return badFraming("Content-Length and Transfer-Encoding never come together");
  if (minor === 0) return badFraming("HTTP/1.0 has no Transfer-Encoding");
  return coding.toLowerCase() === "chunked" ? chunkedBody : badFraming("the only transfer coding is chunked");
}
