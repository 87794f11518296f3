import type { HeadLimits, MalformedCode } from "../../src/wire/http1.ts";

/** Bytes that must be refused with `code`, and the nearest bytes that must pass. */
export interface Pair {
  readonly what: string;
  readonly code: MalformedCode;
  readonly refused: string;
  readonly twin: string;
  readonly limits?: HeadLimits;
}

const small: HeadLimits = { bytes: 120, fields: 4 };
const get = (fields: string) => `GET /v1/x HTTP/1.1\r\nHost: h\r\n${fields}\r\n`;
const post = (fields: string, body: string) => `POST /v1/x HTTP/1.1\r\nHost: h\r\n${fields}\r\n${body}`;
const line = (first: string) => `${first}\r\nHost: h\r\n\r\n`;
const host = (value: string) => `GET / HTTP/1.1\r\nHost:${value}\r\n\r\n`;
const chunked = (body: string) => post("Transfer-Encoding: chunked\r\n", body);
const whole = "5\r\nhello\r\n0\r\n\r\n";

const pair = (what: string, code: MalformedCode, refused: string, twin: string, limits?: HeadLimits): Pair =>
  limits === undefined ? { what, code, refused, twin } : { what, code, refused, twin, limits };

const good = line("GET /v1/x HTTP/1.1");

export const requestPairs: readonly Pair[] = [
  pair("two spaces", "bad_request_line", line("GET  /v1/x HTTP/1.1"), good),
  pair("two spaces before the version", "bad_request_line", line("GET /v1/x  HTTP/1.1"), good),
  pair("tab for the first space", "bad_method", line("GET\t/v1/x HTTP/1.1"), good),
  pair(
    "space in the target",
    "bad_request_line",
    line("GET /v1/x y HTTP/1.1"),
    line("GET /v1/x%20y HTTP/1.1"),
  ),
  pair(
    "tab in the target",
    "bad_request_line",
    line("GET /v1/a\tb HTTP/1.1"),
    line("GET /v1/a%09b HTTP/1.1"),
  ),
  pair(
    "NUL in the target",
    "bad_request_line",
    line("GET /v1/a\0b HTTP/1.1"),
    line("GET /v1/a%00b HTTP/1.1"),
  ),
  pair("DEL in the target", "bad_request_line", line("GET /v1/a\x7f HTTP/1.1"), line("GET /v1/a~ HTTP/1.1")),
  pair("CR in the target", "bad_request_line", line("GET /v1/a\rb HTTP/1.1"), line("GET /v1/a%0db HTTP/1.1")),
  pair(
    "bare LF after the request line",
    "bad_request_line",
    "GET / HTTP/1.1\nHost: h\r\n\r\n",
    line("GET / HTTP/1.1"),
  ),
  pair("empty first line", "bad_request_line", `\r\n${good}`, good),
  pair("HTTP/0.9", "bad_request_line", "GET /v1/x\r\n", good),
  pair("no slash", "bad_request_line", line("GET v1/x HTTP/1.1"), good),
  pair("empty target", "bad_request_line", line("GET  HTTP/1.1"), line("GET / HTTP/1.1")),
  pair("blank after the version", "bad_request_line", line("GET /v1/x HTTP/1.1 "), good),
  pair("lower-case method", "bad_method", line("get / HTTP/1.1"), line("GET / HTTP/1.1")),
  pair("unknown method", "bad_method", line("FOO / HTTP/1.1"), line("QUERY / HTTP/1.1")),
  pair("HTTP/2 preface", "bad_method", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", line("PATCH / HTTP/1.1")),
  pair("version 1.2", "bad_version", line("GET / HTTP/1.2"), line("GET / HTTP/1.1")),
  pair("version 2.0", "bad_version", line("GET / HTTP/2.0"), line("GET / HTTP/1.1")),
  pair("lower-case version", "bad_request_line", line("GET / http/1.1"), line("GET / HTTP/1.1")),
  pair(
    "absolute form",
    "target_absolute_form",
    line("GET http://h/v1/x HTTP/1.1"),
    line("GET /http://h/v1/x HTTP/1.1"),
  ),
  pair("asterisk form", "target_asterisk", line("OPTIONS * HTTP/1.1"), line("OPTIONS /* HTTP/1.1")),
  pair(
    "authority form",
    "target_authority_form",
    line("CONNECT h:443 HTTP/1.1"),
    line("TRACE /h:443 HTTP/1.1"),
  ),
  pair("CONNECT with a path", "target_authority_form", line("CONNECT / HTTP/1.1"), line("GET / HTTP/1.1")),
  pair(
    "authority form of GET",
    "target_authority_form",
    line("GET h:443 HTTP/1.1"),
    line("GET /h:443 HTTP/1.1"),
  ),
  pair("8-bit target", "target_non_ascii", line("GET /caf\xe9 HTTP/1.1"), line("GET /caf%e9 HTTP/1.1")),

  pair("space before the colon", "bad_header_name", get("X-A : 1\r\n"), get("X-A:  1\r\n")),
  pair("empty name", "bad_header_name", get(": 1\r\n"), get("a: 1\r\n")),
  pair("no colon", "bad_header_name", get("X-A\r\n"), get("X-A:\r\n")),
  pair("name that is no token", "bad_header_name", get("X(A): 1\r\n"), get("X_A!#$%&'*+-.^`|~: 1\r\n")),
  pair("8-bit name", "bad_header_name", get("X\xe9: 1\r\n"), get("Xe: \xe9\r\n")),
  pair("folded line", "bad_header_value", get("X-A: 1\r\n 2\r\n"), get("X-A: 1 2\r\n")),
  pair("folded by a tab", "bad_header_value", get("X-A: 1\r\n\t2\r\n"), get("X-A: 1\t2\r\n")),
  pair("blank before the first field", "bad_header_value", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", host(" h")),
  pair("bare LF", "bad_header_value", get("X-A: 1\nX-B: 2\r\n"), get("X-A: 1\r\nX-B: 2\r\n")),
  pair("bare LF for the blank line", "bad_header_value", `${get("").slice(0, -2)}\n`, get("")),
  pair("bare CR", "bad_header_value", get("X-A: 1\rX-B: 2\r\n"), get("X-A: 1\r\nX-B: 2\r\n")),
  pair("CR CR LF", "bad_header_value", get("X-A: 1\r\r\n"), get("X-A: 1\r\n")),
  pair("NUL", "bad_header_value", get("X-A: a\0b\r\n"), get("X-A: a b\r\n")),
  pair("control character", "bad_header_value", get("X-A: a\x01b\r\n"), get("X-A: a\tb\r\n")),
  pair("DEL", "bad_header_value", get("X-A: a\x7fb\r\n"), get("X-A: a\x80b\r\n")),
  ...[
    "Authorization",
    "Proxy-Authorization",
    "X-Api-Key",
    "Content-Type",
    "Cookie",
    "Upgrade",
    "Origin",
    "Range",
  ].map((name) =>
    pair(
      `two ${name}`,
      "duplicate_header",
      get(`${name}: a\r\n${name.toLowerCase()}: b\r\n`),
      get(`${name}: a\r\nX-${name}: b\r\n`),
    ),
  ),
  pair(
    "two equal Authorization",
    "duplicate_header",
    get("Authorization: a\r\nAuthorization: a\r\n"),
    get("Accept: a\r\nAccept: a\r\n"),
  ),
  pair(
    "two Expect",
    "duplicate_header",
    get("Expect: 100-continue\r\nExpect: 100-continue\r\n"),
    get("Expect: 100-continue\r\n"),
  ),
  pair("unknown expectation", "bad_expect", get("Expect: 200-ok\r\n"), get("Expect: 100-Continue\r\n")),

  pair("two Host", "bad_host", get("Host: evil.example\r\n"), get("X-Host: evil.example\r\n")),
  pair("two equal Host", "bad_host", get("host: h\r\n"), get("")),
  pair("no Host", "bad_host", "GET / HTTP/1.1\r\nX-A: h\r\n\r\n", host(" h")),
  pair("no Host on 1.0", "bad_host", "GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.0\r\nHost: h\r\n\r\n"),
  pair("empty Host", "bad_host", host(" "), host("h")),
  pair("Host with a path", "bad_host", host(" 127.0.0.1/../admin?"), host(" 127.0.0.1")),
  pair("Host with userinfo", "bad_host", host(" a@h"), host(" a.h")),
  pair("Host with a word for a port", "bad_host", host(" h:http"), host(" h:80")),
  pair("Host with an empty port", "bad_host", host(" h:"), host(" h:8")),
  pair("Host list", "bad_host", host(" a, b"), host(" a.b")),
  pair("open bracket", "bad_host", host(" [::1"), host(" [::1]")),
  pair("IPv6 without brackets", "bad_host", host(" ::1"), host(" [::1]:80")),

  pair(
    "CL and TE",
    "bad_framing",
    post("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\nG"),
    chunked(whole),
  ),
  pair(
    "TE and CL",
    "bad_framing",
    post("Transfer-Encoding: chunked\r\nContent-Length: 15\r\n", whole),
    chunked(whole),
  ),
  pair(
    "two CL",
    "bad_framing",
    post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello!"),
    post("Content-Length: 6\r\n", "hello!"),
  ),
  pair(
    "two equal CL",
    "bad_framing",
    post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"),
    post("Content-Length: 5\r\n", "hello"),
  ),
  ...[
    "5, 5",
    "+5",
    "-5",
    "0x5",
    "5.0",
    "5 5",
    "",
    "1e1",
    "18446744073709551621",
    "0000000000000005",
    "5;",
    "\xb25",
  ].map((value) =>
    pair(
      `CL "${value}"`,
      "bad_framing",
      post(`Content-Length: ${value}\r\n`, "hello"),
      post("Content-Length:  5 \r\n", "hello"),
    ),
  ),
  pair(
    "CL and a tab",
    "bad_framing",
    post("Content-Length: 5\t\r\n", "hello"),
    post("Content-Length:\t5\r\n", "hello"),
  ),
  ...[
    "gzip, chunked",
    "chunked, chunked",
    "identity",
    "chunked;q=1",
    "xchunked",
    "",
    '"chunked"',
    "chunked,",
    "chunked \t",
  ].map((value) =>
    pair(
      `TE "${value}"`,
      "bad_framing",
      post(`Transfer-Encoding: ${value}\r\n`, whole),
      post("Transfer-Encoding: CHUNKED \r\n", whole),
    ),
  ),
  pair(
    "two TE",
    "bad_framing",
    post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", whole),
    chunked(whole),
  ),
  pair(
    "TE with a vertical tab",
    "bad_header_value",
    post("Transfer-Encoding: \x0bchunked\r\n", whole),
    chunked(whole),
  ),
  pair(
    "TE before a spaced colon",
    "bad_header_name",
    post("Transfer-Encoding : chunked\r\n", whole),
    chunked(whole),
  ),
  pair(
    "TE on 1.0",
    "bad_framing",
    chunked(whole).replace("1.1", "1.0"),
    post("Content-Length: 2\r\n", "hi").replace("1.1", "1.0"),
  ),

  pair(
    "head too large",
    "headers_too_large",
    get(`X-A: ${"a".repeat(200)}\r\n`),
    get(`X-A: ${"a".repeat(70)}\r\n`),
    small,
  ),
  pair(
    "request line without end",
    "headers_too_large",
    `GET /${"a".repeat(200)}`,
    line(`GET /${"a".repeat(80)} HTTP/1.1`),
    small,
  ),
  pair(
    "too many fields",
    "headers_too_large",
    get("a:1\r\nb:1\r\nc:1\r\nd:1\r\n"),
    get("a:1\r\nb:1\r\nc:1\r\n"),
    small,
  ),
  pair(
    "fields without end",
    "headers_too_large",
    `GET / HTTP/1.1\r\n${"a:1\r\n".repeat(9)}`,
    get("a:1\r\n"),
    small,
  ),

  pair("chunk size with 0x", "bad_chunk", chunked("0x5\r\nhello\r\n0\r\n\r\n"), chunked(whole)),
  pair("chunk size with +", "bad_chunk", chunked("+5\r\nhello\r\n0\r\n\r\n"), chunked(whole)),
  pair("chunk size with -", "bad_chunk", chunked("-5\r\nhello\r\n0\r\n\r\n"), chunked(whole)),
  pair("blank before the chunk size", "bad_chunk", chunked(" 5\r\nhello\r\n0\r\n\r\n"), chunked(whole)),
  pair("blank after the chunk size", "bad_chunk", chunked("5 \r\nhello\r\n0\r\n\r\n"), chunked(whole)),
  pair("empty chunk size", "bad_chunk", chunked("\r\nhello\r\n0\r\n\r\n"), chunked(whole)),
  pair(
    "nine digits",
    "bad_chunk",
    chunked("000000005\r\nhello\r\n0\r\n\r\n"),
    chunked("00000005\r\nhello\r\n0\r\n\r\n"),
  ),
  pair("chunk longer than its size", "bad_chunk", chunked("5\r\nhelloXX0\r\n\r\n"), chunked(whole)),
  pair("chunk shorter than its size", "bad_chunk", chunked("6\r\nhello\r\n0\r\n\r\n"), chunked(whole)),
  pair("bare LF after a chunk size", "bad_chunk", chunked("5\nhello\r\n0\r\n\r\n"), chunked(whole)),
  pair("a byte and LF after a chunk", "bad_chunk", chunked("5\r\nhelloX\n0\r\n\r\n"), chunked(whole)),
  pair("bare LF after a chunk", "bad_chunk", chunked("5\r\nhello\n0\r\n\r\n"), chunked(whole)),
  pair("CR and no LF after a chunk size", "bad_chunk", chunked("5\rhello\r\n0\r\n\r\n"), chunked(whole)),
  pair("CR and no LF after a chunk", "bad_chunk", chunked("5\r\nhello\r0\r\n\r\n"), chunked(whole)),
  pair(
    "bare LF in an extension",
    "bad_chunk",
    chunked("5;a\nhello\r\n0\r\n\r\n"),
    chunked("5;a\r\nhello\r\n0\r\n\r\n"),
  ),
  pair(
    "bare CR in an extension",
    "bad_chunk",
    chunked("5;a\rb\r\nhello\r\n0\r\n\r\n"),
    chunked('5;a="b c"\r\nhello\r\n0;z\r\n\r\n'),
  ),
  pair(
    "extension of 300 bytes",
    "bad_chunk",
    chunked(`5;${"a".repeat(300)}\r\nhello\r\n0\r\n\r\n`),
    chunked(`5;${"a".repeat(250)}\r\nhello\r\n0\r\n\r\n`),
  ),
  pair(
    "extension without a name",
    "bad_chunk",
    chunked("5;=b\r\nhello\r\n0\r\n\r\n"),
    chunked("5;a=b\r\nhello\r\n0\r\n\r\n"),
  ),
  pair(
    "no blank line after the last chunk",
    "bad_trailer",
    chunked("5\r\nhello\r\n0\r\nXXGET / HTTP/1.1\r\nHost: h\r\n\r\n"),
    chunked(`${whole}GET / HTTP/1.1\r\nHost: h\r\n\r\n`),
  ),
  pair("bare LF after the last chunk", "bad_chunk", chunked("5\r\nhello\r\n0\n\n"), chunked(whole)),
  pair("bare LF for the last line", "bad_trailer", chunked("5\r\nhello\r\n0\r\n\n"), chunked(whole)),
  pair("bare LF in the trailers", "bad_trailer", chunked("0\r\nX: 1\n\r\n"), chunked("0\r\nX: 1\r\n\r\n")),
  pair(
    "spaced colon in the trailers",
    "bad_trailer",
    chunked("0\r\nX : 1\r\n\r\n"),
    chunked("0\r\nX: 1\r\nY: 2\r\n\r\n"),
  ),
  pair(
    "framing in the trailers",
    "bad_trailer",
    chunked("0\r\nContent-Length: 5\r\n\r\n"),
    chunked("0\r\nX-Content-Length: 5\r\n\r\n"),
  ),
  pair(
    "trailers of 9000 bytes",
    "bad_trailer",
    chunked(`0\r\nX: ${"a".repeat(9000)}\r\n\r\n`),
    chunked(`0\r\nX: ${"a".repeat(8000)}\r\n\r\n`),
  ),
];

const ok = "HTTP/1.1 200 OK\r\n";
const cl = (value: string, body = "hello") => `${ok}Content-Length: ${value}\r\n\r\n${body}`;
const te = (body: string) => `${ok}Transfer-Encoding: chunked\r\n\r\n${body}`;

/** The same for responses; the request was a GET. */
export const responsePairs: readonly Pair[] = [
  pair("version 2", "bad_status_line", "HTTP/2 200 OK\r\n\r\n", `${ok}\r\n`),
  pair("version 1.2", "bad_status_line", "HTTP/1.2 200 OK\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\n"),
  pair("two digits", "bad_status_line", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 200\r\n\r\n"),
  pair("four digits", "bad_status_line", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 200 \r\n\r\n"),
  pair("status below 100", "bad_status_line", "HTTP/1.1 099 OK\r\n\r\n", "HTTP/1.1 999 OK\r\n\r\n"),
  pair("two spaces", "bad_status_line", "HTTP/1.1  200 OK\r\n\r\n", "HTTP/1.1 200  OK\r\n\r\n"),
  pair("CR in the reason", "bad_status_line", "HTTP/1.1 200 O\rK\r\n\r\n", "HTTP/1.1 200 \xd6K\r\n\r\n"),
  pair("bare LF", "bad_status_line", "HTTP/1.1 200 OK\n\n", `${ok}\r\n`),
  pair("not HTTP", "bad_status_line", "SSH-2.0-OpenSSH_9.6\r\n", `${ok}\r\n`),
  pair("folded line", "bad_header_value", `${ok}X-A: 1\r\n 2\r\n\r\n`, `${ok}X-A: 1 2\r\n\r\n`),
  pair(
    "bare LF in a field",
    "bad_header_value",
    `${ok}X-A: 1\nX-B: 2\r\n\r\n`,
    `${ok}X-A: 1\r\nX-B: 2\r\n\r\n`,
  ),
  pair(
    "bare CR in a field",
    "bad_header_value",
    `${ok}X-A: 1\rX-B: 2\r\n\r\n`,
    `${ok}Location: /a%0d%0aX-B:2\r\n\r\n`,
  ),
  pair("NUL", "bad_header_value", `${ok}X-A: \0\r\n\r\n`, `${ok}X-A: \xff\r\n\r\n`),
  pair("spaced colon", "bad_header_name", `${ok}X-A : 1\r\n\r\n`, `${ok}X-A: 1\r\n\r\n`),
  pair("no colon", "bad_header_name", `${ok}X-A\r\n\r\n`, `${ok}Set-Cookie: a\r\nSet-Cookie: b\r\n\r\n`),
  pair(
    "CL and TE",
    "bad_framing",
    `${ok}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n${whole}`,
    te(whole),
  ),
  pair(
    "different CL",
    "bad_framing",
    `${ok}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!`,
    `${ok}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`,
  ),
  pair("different CL in a list", "bad_framing", cl("5, 6"), cl("5, 5")),
  pair("CL that is no number", "bad_framing", cl("+5"), cl("05")),
  pair("empty CL", "bad_framing", cl(""), cl("5")),
  pair("TE gzip", "bad_framing", `${ok}Transfer-Encoding: gzip, chunked\r\n\r\n${whole}`, te(whole)),
  pair(
    "two TE",
    "bad_framing",
    `${ok}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n${whole}`,
    te(whole),
  ),
  pair(
    "TE on 1.0",
    "bad_framing",
    te(whole).replace("1.1", "1.0"),
    "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
  ),
  pair(
    "17 digits",
    "bad_chunk",
    te("00000000000000005\r\nhello\r\n0\r\n\r\n"),
    te("0000000000000005 \t\r\nhello\r\n0\r\n\r\n"),
  ),
  pair("above 2^53", "bad_chunk", te("20000000000001\r\nhello"), te("5 ;a b=(c)\r\nhello\r\n00\r\n\r\n")),
  pair("blank before the size", "bad_chunk", te(" 5\r\nhello\r\n0\r\n\r\n"), te("5\t\r\nhello\r\n0\r\n\r\n")),
  pair("bare LF after a size", "bad_chunk", te("5\nhello\r\n0\r\n\r\n"), te(whole)),
  pair(
    "bare LF in an extension",
    "bad_chunk",
    te("5;a\nhello\r\n0\r\n\r\n"),
    te("5;a;;\r\nhello\r\n0\r\n\r\n"),
  ),
  pair("bare LF in the trailers", "bad_trailer", te("0\r\nX: 1\n\r\n"), te("0\r\nX: 1\r\n\r\n")),
  pair(
    "head too large",
    "headers_too_large",
    `${ok}X-A: ${"a".repeat(200)}\r\n\r\n`,
    `${ok}X-A: 1\r\n\r\n`,
    small,
  ),
];
