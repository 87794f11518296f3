// A client that sends exactly the bytes it is given and shows exactly the bytes that come back.
import { connect, type Socket } from "node:net";
import { readChunks } from "./upstream.ts";
import { until } from "./wait.ts";

export interface AnswerHead {
  readonly status: number;
  readonly head: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** Where the body begins. */
  readonly size: number;
  header(name: string): string | undefined;
}

export interface Answer extends AnswerHead {
  readonly body: Buffer;
  readonly text: string;
  /** Whether the body came to the end that its framing says. */
  readonly complete: boolean;
  readonly error: ErrorBody;
}

export interface ErrorBody {
  readonly code?: string;
  readonly message?: string;
  readonly rule?: string;
  readonly next?: string;
}

const patienceMs = 10_000;

export class Client {
  readonly #socket: Socket;
  /** Everything that came, also what was taken as an answer already. */
  readonly #pieces: Buffer[] = [];
  /** How much of it was taken. */
  #taken = 0;
  closed = false;
  connected = false;
  failed: string | undefined;

  /** On a port of this machine, or on a socket that is there. */
  constructor(to: number | Socket) {
    this.#socket =
      typeof to === "number"
        ? connect({ port: to, host: "127.0.0.1", noDelay: true, allowHalfOpen: true })
        : to;
    this.#socket.on("connect", () => {
      this.connected = true;
    });
    this.#socket.on("data", (bytes: Buffer) => {
      this.#pieces.push(bytes);
    });
    this.#socket.on("error", (error) => {
      this.failed = error.message;
      this.closed = true;
    });
    for (const event of ["end", "close"]) {
      this.#socket.on(event, () => {
        this.closed = true;
      });
    }
  }

  write(bytes: string | Buffer): this {
    this.#socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
    return this;
  }

  /** Says that nothing more will be sent. */
  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  reset(): void {
    if (typeof this.#socket.resetAndDestroy === "function") this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  get everything(): Buffer {
    if (this.#pieces.length > 1) this.#pieces.splice(0, this.#pieces.length, Buffer.concat(this.#pieces));
    return this.#pieces[0] ?? Buffer.alloc(0);
  }

  /** What has come and was not yet taken as an answer. */
  get pending(): Buffer {
    return this.everything.subarray(this.#taken);
  }

  untilClosed(milliseconds = patienceMs): Promise<true> {
    return until(milliseconds, "the end of the connection", () => this.closed);
  }

  /** The head of the next answer; it stays in place. */
  head(milliseconds = patienceMs): Promise<AnswerHead> {
    return until(milliseconds, "the head of an answer", () => {
      const head = readHead(this.pending);
      if (!head && this.closed) throw new Error(`closed without an answer: ${this.failed ?? "end"}`);
      return head;
    });
  }

  /** The content of the body of the answer at hand, as far as it has come. */
  content(): Buffer {
    const received = this.pending;
    const head = readHead(received);
    if (!head) return Buffer.alloc(0);
    return bodyOf(head, received.subarray(head.size), "GET", this.closed).body;
  }

  /** Waits until the body so far holds a text. */
  async shows(text: string, milliseconds = patienceMs): Promise<void> {
    await until(milliseconds, `"${text.slice(0, 60)}"`, () => this.content().includes(text));
  }

  /** The next answer, whole, or what came of it before the connection ended. */
  async answer(method = "GET", milliseconds = patienceMs): Promise<Answer> {
    await this.head(milliseconds);
    return until(milliseconds, "the end of an answer", () => {
      const received = this.pending;
      const head = readHead(received);
      if (!head) return undefined;
      const read = bodyOf(head, received.subarray(head.size), method, this.closed);
      if (!read.complete && !this.closed) return undefined;
      this.#taken += head.size + read.taken;
      const { body, complete } = read;
      return { ...head, body, complete, text: body.toString("utf8"), error: errorOf(body) };
    });
  }
}

function readHead(received: Buffer): AnswerHead | undefined {
  const end = received.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const head = received.subarray(0, end).toString("latin1");
  const [first = "", ...lines] = head.split("\r\n");
  const fields = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const header = (name: string): string | undefined =>
    fields.find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];
  return { status: Number(first.split(" ")[1]), head, fields, size: end + 4, header };
}

function bodyOf(
  head: AnswerHead,
  bytes: Buffer,
  method: string,
  closed: boolean,
): { body: Buffer; taken: number; complete: boolean } {
  const none = method === "HEAD" || head.status === 204 || head.status === 304 || head.status < 200;
  if (none) return { body: Buffer.alloc(0), taken: 0, complete: true };
  if (/chunked/i.test(head.header("transfer-encoding") ?? "")) {
    const { body, end } = readChunks(bytes);
    return { body, taken: end ?? bytes.length, complete: end !== undefined };
  }
  const stated = head.header("content-length");
  if (stated === undefined) return { body: bytes, taken: bytes.length, complete: closed };
  const length = Number(stated);
  return {
    body: bytes.subarray(0, length),
    taken: Math.min(length, bytes.length),
    complete: bytes.length >= length,
  };
}

function errorOf(body: Buffer): ErrorBody {
  try {
    const { error } = JSON.parse(body.toString("utf8")) as { error?: ErrorBody };
    return typeof error === "object" && error !== null ? error : {};
  } catch {
    return {};
  }
}

/** A client for `work` alone. */
export async function withClient<T>(port: number, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client(port);
  try {
    return await work(client);
  } finally {
    client.destroy();
  }
}

export interface Ask {
  readonly method?: string;
  /** With the capability: `/stripe/v1/x`. */
  readonly target: string;
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** The bytes of one plain request. */
export function requestBytes(port: number, ask: Ask): Buffer {
  const headers: Record<string, string> = { Host: `127.0.0.1:${port}` };
  if (ask.token !== undefined) headers.Authorization = `Bearer ${ask.token}`;
  const body = ask.body === undefined ? undefined : Buffer.from(ask.body as string);
  if (body) headers["Content-Length"] = String(body.length);
  const lines = Object.entries({ ...headers, ...ask.headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  const head = Buffer.from(
    `${ask.method ?? "GET"} ${ask.target} HTTP/1.1\r\n${lines.join("")}\r\n`,
    "latin1",
  );
  return body ? Buffer.concat([head, body]) : head;
}

/** One request on a connection of its own. */
export function request(port: number, ask: Ask, milliseconds = patienceMs): Promise<Answer> {
  return withClient(port, (client) => client.write(requestBytes(port, ask)).answer(ask.method, milliseconds));
}

/** Sends bytes and gives all that comes back, and whether the connection was closed. */
export function rawRequest(
  port: number,
  bytes: string | Buffer,
  milliseconds = 3_000,
): Promise<{
  readonly bytes: Buffer;
  readonly text: string;
  readonly status: number;
  readonly closed: boolean;
}> {
  return withClient(port, async (client) => {
    client.write(bytes);
    await client.untilClosed(milliseconds).catch(() => {});
    const received = client.everything;
    const text = received.toString("latin1");
    return { bytes: received, text, status: Number(text.split(" ")[1] ?? 0), closed: client.closed };
  });
}
