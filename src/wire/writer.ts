import type { Field } from "./types.ts";

const tokenGrammar = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const targetGrammar = /^[\x21-\x7e]+$/;
// What no value may hold, for it would end the line or be cut to a byte that does.
const notText = /[^\t\x20-\x7e\x80-\xff]/;

const reasons: Readonly<Record<number, string>> = {
  100: "Continue",
  101: "Switching Protocols",
  102: "Processing",
  103: "Early Hints",
  200: "OK",
  201: "Created",
  202: "Accepted",
  203: "Non-Authoritative Information",
  204: "No Content",
  205: "Reset Content",
  206: "Partial Content",
  207: "Multi-Status",
  300: "Multiple Choices",
  301: "Moved Permanently",
  302: "Found",
  303: "See Other",
  304: "Not Modified",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  402: "Payment Required",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  407: "Proxy Authentication Required",
  408: "Request Timeout",
  409: "Conflict",
  410: "Gone",
  411: "Length Required",
  412: "Precondition Failed",
  413: "Content Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  416: "Range Not Satisfiable",
  417: "Expectation Failed",
  418: "I'm a Teapot",
  421: "Misdirected Request",
  422: "Unprocessable Content",
  423: "Locked",
  424: "Failed Dependency",
  425: "Too Early",
  426: "Upgrade Required",
  428: "Precondition Required",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  451: "Unavailable For Legal Reasons",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
  507: "Insufficient Storage",
  511: "Network Authentication Required",
};

/**
 * The head of a request, and a whole body behind it; the caller gives Host and the framing fields. A part that
 * breaks the head throws.
 */
export function writeRequestHead(
  method: string,
  target: string,
  fields: readonly Field[],
  body?: Buffer,
): Buffer {
  if (!tokenGrammar.test(method)) throw new TypeError("writeRequestHead: the method is not a token");
  if (!targetGrammar.test(target)) throw new TypeError("writeRequestHead: the target is not printable ASCII");
  return latin1(`${method} ${target} HTTP/1.1\r\n${fieldLines(fields)}\r\n`, body);
}

/** The head of a response, with our own reason phrase, and a whole body behind it. A part that breaks the head throws. */
export function writeResponseHead(status: number, fields: readonly Field[], body?: Buffer): Buffer {
  if (!Number.isInteger(status) || status < 100 || status > 999) {
    throw new TypeError("writeResponseHead: the status is not three digits");
  }
  return latin1(`HTTP/1.1 ${status} ${reasons[status] ?? ""}\r\n${fieldLines(fields)}\r\n`, body);
}

function fieldLines(fields: readonly Field[]): string {
  let lines = "";
  for (let at = 0; at < fields.length; at += 1) {
    const { name, value } = fields[at] as Field;
    // The message names neither: a value may be a credential.
    if (!tokenGrammar.test(name)) throw new TypeError("a header name to be written is not a token");
    if (notText.test(value)) throw new TypeError("a header value to be written holds a forbidden character");
    lines += `${name}: ${value}\r\n`;
  }
  return lines;
}

const encoder = new TextEncoder();

/** One byte a char. Deno's latin1 writer takes six times as long as its encoder, which does for ASCII. */
function latin1(text: string, body?: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(text.length + (body?.length ?? 0));
  // A char beyond ASCII takes more than one byte, so that more is written than the text has chars.
  const { read, written } = encoder.encodeInto(text, bytes);
  if (read !== text.length || written !== text.length) bytes.write(text, 0, "latin1");
  if (body) bytes.set(body, text.length);
  return bytes;
}

/** One chunk; no bytes for no bytes, because an empty chunk would end the body. */
export function chunk(part: Buffer): Buffer {
  if (part.length === 0) return part;
  const size = `${part.length.toString(16)}\r\n`;
  const framed = Buffer.allocUnsafe(size.length + part.length + 2);
  encoder.encodeInto(size, framed);
  framed.set(part, size.length);
  framed[framed.length - 2] = 0x0d;
  framed[framed.length - 1] = 0x0a;
  return framed;
}

export const lastChunk: Buffer = Buffer.from("0\r\n\r\n", "latin1");
