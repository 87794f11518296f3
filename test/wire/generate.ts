import type { Buffer } from "node:buffer";
import { bytes } from "./connection.ts";

export type Random = () => number;

/** mulberry32: small, seeded, the same on each runtime. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)] as T;
}

/** Mostly one of `usual`, in one of `every` cases one of `odd`. */
function rarely<T>(random: Random, every: number, usual: readonly T[], odd: readonly T[]): T {
  return pick(random, random() * every < 1 ? odd : usual);
}

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const oddMethods = [
  "PROPFIND",
  "REPORT",
  "SEARCH",
  "LOCK",
  "QUERY",
  "TRACE",
  "CONNECT",
  "get",
  "FOO",
  "GET\t",
  "",
];
const targets = ["/", "/v1/a", "/v1/a?b=c&d=%20", "/%2e%2e/x", "//x/y", "/a;b=c/d", "/~u/*"];
const oddTargets = [
  "/a#f",
  '/a"<>\\^`{|}',
  "*",
  "http://h/x",
  "h:80",
  "/caf\xe9",
  "/a b",
  "/a\x7f",
  "x",
  "?a",
  "/\x01",
  "",
];
const versions = ["HTTP/1.1"];
const oddVersions = [
  "HTTP/1.0",
  "HTTP/1.0",
  "HTTP/1.2",
  "HTTP/2.0",
  "http/1.1",
  "HTTP/1.10",
  "HTTP/01.1",
  "HTTP/1.1 ",
  "",
];
const lineEnds = ["\r\n"];
const oddLineEnds = ["\n", "\r", "\r\r\n", "\n\r", " \r\n", "\r\n ", "\r\n\t"];
const hosts = ["127.0.0.1:8080", "api.example.com", "[::1]:80", "localhost", "A_b-c.d"];
const oddHosts = ["", "a b", "a/b", "u@h", "h:", "h:port", "h,h", "[::1", "*", "h?x", "h#x", "h\\x"];
const names = [
  "Accept",
  "X-A",
  "user-agent",
  "Cookie",
  "Authorization",
  "Content-Type",
  "!#$%&'*+-.^_`|~09",
  "__proto__",
];
const oddNames = [
  "X A",
  "X-A ",
  " X-A",
  "",
  "X\x00A",
  "X(A)",
  "X\xe9",
  "X\tA",
  "Content-Length\x0b",
  "X-A\r",
];
const values = [
  "x",
  "",
  "a b",
  "a\tb",
  "\xe9\xff",
  'W/"x"',
  'a, b;c="d:e"',
  "gzip;q=1.0",
  "a  ",
  "a\t",
  "a \t ",
  " \t",
  "x".repeat(300),
];
const oddValues = ["a\x00b", "a\x01b", "a\x7fb", "a\rb", "a\nb", "a\x0bb", "a\r\n b", "\x0c"];
const colons = [": ", ":", ":  ", ":\t", ": \t "];
const oddColons = [" : ", "\t:", "::", " ", ""];
const extras = [
  "Connection: keep-alive",
  "Connection: Close",
  "Connection: keep-alive, close",
  "Connection: x-a , X-B",
  "Connection: Upgrade",
  "Upgrade: h2c",
  "Expect: 100-continue",
  "Expect: 200-ok",
  "Range: bytes=0-1",
  "Origin: null",
  "X-Api-Key: k",
  "Trailer: X-T",
  "Keep-Alive: timeout=5",
  "Proxy-Connection: close",
  "TE: trailers",
];
const oddLengths = [
  "+5",
  "-1",
  "0x5",
  "5, 5",
  "5,5",
  "05",
  "5 ",
  "5\t",
  "5 \t",
  "5 5",
  "",
  "5.0",
  "99999999999999999999",
  "1e1",
  "5;",
];
const codings = ["chunked", "Chunked", "CHUNKED", "chunked "];
const oddCodings = [
  "identity",
  "gzip, chunked",
  "chunked, chunked",
  "chunked;a",
  "chunked\t",
  "chunked \t ",
  "xchunked",
  "",
  "chunked\x0b",
  '"chunked"',
];
const extensions = [";a", ";a=b", ';a="b c"', ";a;b=c"];
const oddExtensions = [
  " ",
  ";",
  ";a b",
  ";=",
  ";a=",
  "\t",
  ";a\n",
  ";a\r",
  " ;a",
  ';a="b',
  ";a\x00",
  `;${"a".repeat(300)}`,
];
const trailers = ["X-T: 1\r\n", "X-T:\r\n", "X-T: 1\r\nX-U: \xe9\r\n"];
const oddTrailers = [
  "X-T\r\n",
  " X: 1\r\n",
  "X : 1\r\n",
  "X: 1\n",
  "Content-Length: 5\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Host: x\r\n",
];
const contents = [
  "hello",
  "",
  "a",
  "0\r\n\r\n",
  "GET /in HTTP/1.1\r\nHost: h\r\n\r\n",
  "\r\n",
  "\x00\xff",
  "z".repeat(700),
];
const junk = [
  "\r\n",
  "\n",
  "\x00",
  " ",
  "GET",
  "\r\n\r\n",
  "0\r\n\r\n",
  "\x16\x03\x01",
  "HTTP/1.1 200 OK\r\n\r\n",
];
const interesting = '\r\n\t \x00:;,/0159aAGHx\x7f\x80\xff"%#*+-.=';

function chunkedBody(random: Random, content: string): string {
  let out = "";
  for (let at = 0; at < content.length; ) {
    const length = Math.max(1, Math.floor(random() * (content.length - at + 1)));
    const hex = rarely(
      random,
      12,
      [length.toString(16)],
      [length.toString(16).toUpperCase(), `0${length.toString(16)}`],
    );
    const prefix = rarely(random, 80, [""], ["0x", "+", "-", " ", "00000000"]);
    const extension = random() < 0.1 ? rarely(random, 5, extensions, oddExtensions) : "";
    out += prefix + hex + extension + rarely(random, 80, lineEnds, oddLineEnds);
    out += content.slice(at, at + length) + rarely(random, 80, lineEnds, oddLineEnds);
    at += length;
  }
  const last = rarely(random, 20, ["0"], ["00", "000000000", "", "0;a"]);
  const end = random() < 0.1 ? rarely(random, 4, trailers, oddTrailers) : "";
  return (
    out + last + rarely(random, 60, lineEnds, oddLineEnds) + end + rarely(random, 60, lineEnds, oddLineEnds)
  );
}

function fieldLine(random: Random, name: string, value: string): string {
  return name + rarely(random, 150, colons, oddColons) + value + rarely(random, 150, lineEnds, oddLineEnds);
}

function framed(random: Random, content: string): [lines: string[], body: string] {
  const length = String(content.length);
  const coding = rarely(random, 15, codings, oddCodings);
  const kind = random();
  if (kind < 0.4) return [[], rarely(random, 10, [""], [content])];
  if (kind < 0.65)
    return [[fieldLine(random, "Content-Length", rarely(random, 15, [length], oddLengths))], content];
  if (kind < 0.93) return [[fieldLine(random, "Transfer-Encoding", coding)], chunkedBody(random, content)];
  const both = [`Content-Length: ${length}\r\n`, `Transfer-Encoding: ${coding}\r\n`];
  if (kind < 0.96) return [both, pick(random, [content, chunkedBody(random, content)])];
  const other = pick(random, [length, String(content.length + 1), String(Math.max(0, content.length - 1))]);
  return pick(random, [
    [[`Content-Length: ${length}\r\n`, `content-length: ${other}\r\n`], content],
    [[`Content-Length: ${other}\r\n`], content],
  ]);
}

function request(random: Random): string {
  const space = () => rarely(random, 200, [" "], ["  ", "\t", ""]);
  const line =
    rarely(random, 12, methods, oddMethods) +
    space() +
    rarely(random, 12, targets, oddTargets) +
    space() +
    rarely(random, 20, versions, oddVersions) +
    rarely(random, 150, lineEnds, oddLineEnds);
  const lines = [
    fieldLine(
      random,
      rarely(random, 60, ["Host", "host", "HOST"], ["Hos", "Host "]),
      rarely(random, 40, hosts, oddHosts),
    ),
  ];
  for (let count = Math.floor(random() * 5); count > 0; count -= 1) {
    const name = rarely(random, 60, names, oddNames);
    lines.push(fieldLine(random, name, rarely(random, 60, values, oddValues)));
  }
  while (random() < 0.25) lines.push(`${pick(random, extras)}\r\n`);
  if (random() < 0.02) lines.push("Host: other\r\n");
  const [framing, body] = framed(random, pick(random, contents));
  lines.push(...framing);
  for (let at = lines.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    [lines[at], lines[other]] = [lines[other] as string, lines[at] as string];
  }
  return line + lines.join("") + rarely(random, 100, lineEnds, oddLineEnds) + body;
}

function mutate(random: Random, text: string): string {
  const at = Math.floor(random() * (text.length + 1));
  const end = Math.min(text.length, at + 1 + Math.floor(random() * 12));
  switch (Math.floor(random() * 6)) {
    case 0:
      return text.slice(0, at) + pick(random, [...interesting]) + text.slice(at + 1);
    case 1:
      return text.slice(0, at) + pick(random, [...interesting]) + text.slice(at);
    case 2:
      return text.slice(0, at) + text.slice(at + 1);
    case 3:
      return text.slice(0, end) + text.slice(at);
    case 4:
      return text.slice(0, at);
    default:
      return text.slice(0, at) + String.fromCharCode(Math.floor(random() * 256)) + text.slice(at + 1);
  }
}

/** The bytes of one connection: requests in a row, at times with junk between them and a mutation or two. */
export function connectionBytes(random: Random): Buffer {
  let text = "";
  for (let count = pick(random, [1, 1, 1, 2, 2, 3, 4]); count > 0; count -= 1) {
    text += request(random) + rarely(random, 30, [""], junk);
  }
  for (let count = pick(random, [0, 0, 0, 0, 1, 2]); count > 0; count -= 1) text = mutate(random, text);
  return bytes(text);
}

/** Cuts in up to six parts. */
export function randomParts(random: Random, whole: Buffer): Buffer[] {
  const cuts = Array.from({ length: Math.floor(random() * 6) }, () =>
    Math.floor(random() * (whole.length + 1)),
  );
  const edges = [0, ...cuts.sort((a, b) => a - b), whole.length];
  return edges.slice(1).map((end, index) => whole.subarray(edges[index], end));
}
