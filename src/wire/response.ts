import { isText } from "./bytes.ts";
import { responseFraming } from "./framing.ts";
import { faultyLineEnd, hasToken, headSize, readFields, tooLarge } from "./head.ts";
import { type Field, type Framing, type HeadLimits, Malformed, noBody } from "./types.ts";

export interface ResponseHead {
  readonly minor: 0 | 1;
  readonly status: number;
  readonly fields: readonly Field[];
  readonly framing: Framing;
  readonly keepAlive: boolean;
  /** bytes of the head, with its blank line */
  readonly size: number;
}

/** Reads one response head, interim (1xx) ones too; undefined means that more bytes are needed. */
export function readResponseHead(
  buffer: Buffer,
  requestMethod: string,
  limits: HeadLimits,
): ResponseHead | Malformed | undefined {
  const size = headSize(buffer, limits);
  if (size !== 0) return parse(buffer.toString("latin1", 0, size), size, requestMethod, limits);
  const faulty = faultyLineEnd(buffer, limits);
  if (faulty !== 0) {
    const refused = parse(buffer.toString("latin1", 0, faulty), faulty, requestMethod, limits);
    if (refused instanceof Malformed) return refused;
  }
  const first = buffer.indexOf(0x0a);
  if (first !== -1 && first < limits.bytes) {
    const status = readStatus(buffer.toString("latin1", 0, first + 1));
    if (status instanceof Malformed) return status;
  }
  return buffer.length >= limits.bytes ? tooLarge(limits) : undefined;
}

function badStatusLine(): Malformed {
  return new Malformed(
    "bad_status_line",
    "a status line is HTTP/1.1 SP three digits, then maybe SP and a reason",
  );
}

/** The status, once the line `HTTP/1.x SP 3DIGIT [SP reason] CRLF` holds. */
function readStatus(text: string): number | Malformed {
  const end = text.indexOf("\n") - 1;
  const digit = text.charCodeAt(7);
  if (end < 12 || text.charCodeAt(end) !== 0x0d || !text.startsWith("HTTP/1.")) return badStatusLine();
  if ((digit !== 0x31 && digit !== 0x30) || text.charCodeAt(8) !== 0x20) return badStatusLine();
  let status = 0;
  for (let at = 9; at < 12; at += 1) {
    const value = text.charCodeAt(at) - 0x30;
    if (value < 0 || value > 9) return badStatusLine();
    status = status * 10 + value;
  }
  if (status < 100 || (end > 12 && text.charCodeAt(12) !== 0x20)) return badStatusLine();
  return isText(text.slice(12, end)) ? status : badStatusLine();
}

function parse(
  text: string,
  size: number,
  requestMethod: string,
  limits: HeadLimits,
): ResponseHead | Malformed {
  const status = readStatus(text);
  if (status instanceof Malformed) return status;
  const minor = text.charCodeAt(7) === 0x31 ? 1 : 0;
  const fields = readFields(text, text.indexOf("\n") + 1, limits);
  if (fields instanceof Malformed) return fields;

  let length: string | undefined;
  let coding: string | undefined;
  let close = false;
  for (let at = 0; at < fields.length; at += 1) {
    const { key, value } = fields[at] as Field;
    if (key === "content-length") length = length === undefined ? value : `${length},${value}`;
    else if (key === "transfer-encoding") coding = coding === undefined ? value : `${coding},${value}`;
    else if (key === "connection") close = close || hasToken(value, "close");
  }

  const declared = responseFraming(minor, length, coding);
  if (declared instanceof Malformed) return declared;
  // RFC 9112 section 6.3: these never have a body, whatever their fields say.
  const bodiless = requestMethod === "HEAD" || status < 200 || status === 204 || status === 304;
  const framing = bodiless ? noBody : declared;
  return {
    minor,
    status,
    fields,
    framing,
    keepAlive: minor === 1 && !close && framing.kind !== "close",
    size,
  };
}
