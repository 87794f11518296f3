// Where a browser brings the answer of a login back to: this machine alone, for one answer (RFC 8252 section 7.3).
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Failure } from "../engine/failure.ts";

export interface Loopback {
  /** What the browser is sent to. */
  readonly address: string;
  /** The first answer that `judge` takes; undefined: none came in time. */
  answer<T>(judge: (query: URLSearchParams) => T | undefined, milliseconds: number): Promise<T | undefined>;
  close(): Promise<void>;
}

const path = "/callback";
const host = "127.0.0.1";

/** `port` of 0: any free one. */
export async function openLoopback(port: number): Promise<Loopback | Failure> {
  let take: (query: URLSearchParams) => boolean = () => false;
  let authority = "";
  const server = createServer({ maxHeaderSize: 32 * 1024 }, (request, response) => {
    answerTo(request, response, authority, (query) => take(query));
  });
  server.headersTimeout = 10_000;
  server.maxConnections = 16;
  const failed = await new Promise<Error | undefined>((done) => {
    server.once("error", done);
    server.listen(port, host, () => done(undefined));
  });
  if (failed) {
    return new Failure("address_in_use", `cannot listen on ${host}:${port} for the browser's answer`, {
      next: "choose another --port, or let janee choose one",
    });
  }
  const bound = server.address();
  authority = `${host}:${typeof bound === "object" && bound ? bound.port : port}`;
  return {
    address: `http://${authority}${path}`,
    answer<T>(judge: (query: URLSearchParams) => T | undefined, milliseconds: number) {
      return new Promise<T | undefined>((done) => {
        const timer = setTimeout(() => done(undefined), milliseconds);
        take = (query) => {
          const judged = judge(query);
          if (judged === undefined) return false;
          take = () => false;
          clearTimeout(timer);
          done(judged);
          return true;
        };
      });
    },
    async close() {
      // The page that the browser shows is on its way out still.
      await new Promise<void>((done) => {
        server.close(() => done());
        server.closeIdleConnections();
        setTimeout(() => server.closeAllConnections(), 500).unref();
      });
    },
  };
}

/** A page of another site can make the browser come here as well: it knows neither the state nor this name. */
function answerTo(
  request: IncomingMessage,
  response: ServerResponse,
  authority: string,
  take: (query: URLSearchParams) => boolean,
): void {
  const { method, url = "", headers } = request;
  request.resume();
  const own = method === "GET" && headers.host === authority && url.startsWith(`${path}?`);
  const taken = own && take(new URLSearchParams(url.slice(path.length + 1)));
  const text = taken
    ? "janee has the answer: you can close this page."
    : "This is no answer that janee waits for.";
  response.writeHead(taken ? 200 : own ? 400 : 404, {
    "Content-Type": "text/plain; charset=utf-8",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'",
    Connection: "close",
  });
  response.end(`${text}\n`);
}
