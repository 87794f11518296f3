import { badFraming, requestFraming } from "./framing.ts";
import { faultyLineEnd, hasToken, headSize, readFields, tooLarge } from "./head.ts";
import { type Field, type Framing, type HeadLimits, Malformed } from "./types.ts";

/** origin: for this server itself; absolute and authority (CONNECT): for another, through a proxy. */
export type TargetForm = "origin" | "absolute" | "authority";

export interface RequestHead {
  readonly method: string;
  /** As it came: begins with "/", printable ASCII. Of absolute-form what follows the authority, of authority-form "". */
  readonly target: string;
  readonly form: TargetForm;
  /** Where the target names it: host, or host:port. */
  readonly authority: string | undefined;
  readonly minor: 0 | 1;
  readonly fields: readonly Field[];
  readonly host: string;
  readonly framing: Framing;
  readonly keepAlive: boolean;
  readonly expectContinue: boolean;
  /** bytes of the head, with its blank line */
  readonly size: number;
}

const methods = new Set(
  (
    "GET HEAD POST PUT PATCH DELETE OPTIONS TRACE CONNECT " +
    "PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK SEARCH REPORT QUERY"
  ).split(" "),
);

// Fields that parsers read differently when they come twice: first, last, or joined with a comma.
const singletons = new Map(
  [
    ..."authorization proxy-authorization x-api-key cookie content-type content-range expect".split(" "),
    ..."upgrade origin range referer user-agent from date max-forwards if-range".split(" "),
    ..."if-modified-since if-unmodified-since content-location content-disposition".split(" "),
  ].map((key, bit): [string, number] => [key, 1 << bit]),
);

const hostGrammar = /^(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?$/;

/** What a listener takes: a server origin-form alone, a proxy the other forms too. */
export type Forms = "origin" | "proxy";

/** Reads one strict request head; undefined means that more bytes are needed. */
export function readRequestHead(
  buffer: Buffer,
  limits: HeadLimits,
  forms: Forms = "origin",
): RequestHead | Malformed | undefined {
  const size = headSize(buffer, limits);
  return size === 0
    ? refuseEarly(buffer, limits, forms)
    : parse(buffer.toString("latin1", 0, size), size, limits, forms);
}

function refuseEarly(buffer: Buffer, limits: HeadLimits, forms: Forms): Malformed | undefined {
  const faulty = faultyLineEnd(buffer, limits);
  if (faulty !== 0) {
    const refused = parse(buffer.toString("latin1", 0, faulty), faulty, limits, forms);
    if (refused instanceof Malformed) return refused;
  }
  // HTTP/0.9 never sends a blank line: its request line is refused without one.
  const first = buffer.indexOf(0x0a);
  if (first !== -1 && first < limits.bytes) {
    const line = readRequestLine(buffer.toString("latin1", 0, first + 1), forms);
    if (line instanceof Malformed) return line;
  }
  return buffer.length >= limits.bytes ? tooLarge(limits) : undefined;
}

interface Destination {
  readonly target: string;
  readonly form: TargetForm;
  readonly authority: string | undefined;
}

interface RequestLine extends Destination {
  readonly method: string;
  readonly minor: 0 | 1;
  readonly next: number;
}

function badRequestLine(): Malformed {
  return new Malformed("bad_request_line", "a request line is METHOD SP /target SP HTTP/1.1 CR LF");
}

function readRequestLine(text: string, forms: Forms): RequestLine | Malformed {
  const lineFeed = text.indexOf("\n");
  const end = lineFeed - 1;
  if (end < 0 || text.charCodeAt(end) !== 0x0d) return badRequestLine();
  const space = text.indexOf(" ");
  if (space <= 0 || space > end) return badRequestLine();
  const method = text.slice(0, space);
  if (!methods.has(method))
    return new Malformed("bad_method", "the method is not one of the registered ones");
  const targetEnd = end - 9;
  if (targetEnd <= space || !text.startsWith(" HTTP/1.", targetEnd)) return badVersion(text, space, end);
  const digit = text.charCodeAt(end - 1);
  if (digit !== 0x31 && digit !== 0x30) return badVersion(text, space, end);
  const target = text.slice(space + 1, targetEnd);
  const minor = digit === 0x31 ? 1 : 0;
  const next = lineFeed + 1;
  const refused = refuseTarget(method, target);
  if (refused === undefined) return { method, target, form: "origin", authority: undefined, minor, next };
  const elsewhere = forms === "proxy" ? readElsewhere(method, target) : undefined;
  return elsewhere === undefined ? refused : { method, ...elsewhere, minor, next };
}

const absoluteForm = /^http:\/\/([^/?#@]+)(?:(\/[\x21-\x7e]*)|(\?[\x21-\x7e]*))?$/i;

/** RFC 9112 sections 3.2.2 and 3.2.3. What is secret never comes as a whole URL: for https there is CONNECT. */
function readElsewhere(method: string, target: string): Destination | undefined {
  if (method === "CONNECT") {
    const named = hostGrammar.test(target) && /:[0-9]{1,5}$/.test(target);
    return named ? { target: "", form: "authority", authority: target } : undefined;
  }
  const [, authority, path, query] = absoluteForm.exec(target) ?? [];
  if (authority === undefined || !hostGrammar.test(authority)) return undefined;
  return { target: path ?? `/${query ?? ""}`, form: "absolute", authority };
}

function badVersion(text: string, space: number, end: number): Malformed {
  const last = text.slice(text.lastIndexOf(" ", end) + 1, end);
  if (text.lastIndexOf(" ", end) > space && /^HTTP\/[0-9]/.test(last)) {
    return new Malformed("bad_version", "the version is HTTP/1.1 or HTTP/1.0");
  }
  return badRequestLine();
}

function refuseTarget(method: string, target: string): Malformed | undefined {
  let wide = false;
  for (let at = 0; at < target.length; at += 1) {
    const code = target.charCodeAt(at);
    if (code <= 0x20 || code === 0x7f) return badRequestLine();
    if (code > 0x7f) wide = true;
  }
  if (wide) {
    return new Malformed("target_non_ascii", "the target is ASCII: write other bytes percent-encoded");
  }
  if (method !== "CONNECT" && target.charCodeAt(0) === 0x2f) return undefined;
  if (target === "*") {
    return new Malformed("target_asterisk", "the target is a path that begins with a slash, not *");
  }
  // CONNECT with any target opens a tunnel in other parsers: what follows is then no longer HTTP.
  if (method === "CONNECT" || /^[^/?#@]*:[0-9]*$/.test(target)) {
    return new Malformed(
      "target_authority_form",
      "the target is a path that begins with a slash, not host:port",
    );
  }
  if (/^[A-Za-z][A-Za-z0-9+.-]*:/.test(target)) {
    return new Malformed(
      "target_absolute_form",
      "the target is a path that begins with a slash, not a whole URL",
    );
  }
  return badRequestLine();
}

function parse(text: string, size: number, limits: HeadLimits, forms: Forms): RequestHead | Malformed {
  const line = readRequestLine(text, forms);
  if (line instanceof Malformed) return line;
  const fields = readFields(text, line.next, limits);
  if (fields instanceof Malformed) return fields;

  let host: string | undefined;
  let length: string | undefined;
  let coding: string | undefined;
  let expect: string | undefined;
  let close = false;
  let seen = 0;
  for (let at = 0; at < fields.length; at += 1) {
    const { key, value } = fields[at] as Field;
    if (key === "host") {
      if (host !== undefined) return new Malformed("bad_host", "a request has exactly one Host");
      host = value;
    } else if (key === "content-length") {
      if (length !== undefined) return badFraming("Content-Length comes once");
      length = value;
    } else if (key === "transfer-encoding") {
      if (coding !== undefined) return badFraming("Transfer-Encoding comes once");
      coding = value;
    } else if (key === "connection" || key === "proxy-connection") {
      // Closing is always safe; llhttp reads the unregistered Proxy-Connection so, and reads no further.
      close = close || hasToken(value, "close");
    } else {
      const bit = singletons.get(key);
      if (bit !== undefined) {
        if ((seen & bit) !== 0) return new Malformed("duplicate_header", `${key} comes at most once`);
        seen |= bit;
        if (key === "expect") expect = value;
        // What follows an Upgrade may be another protocol (RFC 9110 section 7.8): it is never read as HTTP.
        else if (key === "upgrade") close = true;
      }
    }
  }

  // RFC 9112 section 3.2: HTTP/1.0 knows no Host, and Python's clients ask for tunnels in it.
  if (line.form === "authority" && line.minor === 0) host ??= line.authority;
  if (host === undefined || !hostGrammar.test(host)) {
    return new Malformed(
      "bad_host",
      "a request has exactly one Host: a name or an address, and maybe a port",
    );
  }
  const framing = requestFraming(line.minor, length, coding);
  if (framing instanceof Malformed) return framing;
  // RFC 9110 section 9.3.6: it has no content, and what follows is the tunnel's.
  if (line.form === "authority" && framing.kind !== "none") return badFraming("CONNECT has no body");
  if (expect !== undefined && expect.toLowerCase() !== "100-continue") {
    return new Malformed("bad_expect", "the only expectation known is 100-continue");
  }
  return {
    method: line.method,
    target: line.target,
    form: line.form,
    authority: line.authority,
    minor: line.minor,
    fields,
    host,
    framing,
    keepAlive: line.minor === 1 && !close,
    // RFC 9110 section 10.1.1: on HTTP/1.0 the expectation is ignored.
    expectContinue: expect !== undefined && line.minor === 1,
    size,
  };
}
