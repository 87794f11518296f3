// MCP on stdio: one JSON-RPC message a line (MCP specification, basic/transports). What is no message is answered
// as the protocol says, and the next line is read.
import type { JSONRPCMessage, Transport } from "@modelcontextprotocol/server";
import { jsonPieces, largeLength } from "./json-pieces.ts";
import { idOf, readStrictJson } from "./strict-json.ts";

/** What a line transport reads from and writes to. */
export interface Lines {
  readonly input: AsyncIterable<Uint8Array>;
  /** Resolves when more can be written. */
  write(text: string): Promise<void>;
  /** Gives back memory that is not used any more, at once. */
  collect(): void;
}

export const longestLine = 8 * 1024 * 1024;
/** Answers that a client has not read: beyond, nothing more is taken from it, and in the end it is given up. */
const mostUnread = 8 * 1024 * 1024;
const readsWithinMs = 120_000;

const newline = 10;
const parseError = -32_700;
const invalidRequest = -32_600;

export class LineTransport implements Transport {
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  onmessage?: ((message: JSONRPCMessage) => void) | undefined;
  readonly #lines: Lines;
  /** Told of each line that was no message. */
  readonly #refused: (message: string) => void;
  #closed = false;
  /** Characters of answers that are on their way to the client. */
  #unread = 0;
  #hasRead: (() => void) | undefined;
  /** A line that goes out in pieces: what comes meanwhile waits for its end. */
  #inPieces: Promise<void> | undefined;

  constructor(lines: Lines, refused: (message: string) => void = () => {}) {
    this.#lines = lines;
    this.#refused = refused;
  }

  async start(): Promise<void> {
    void this.#read();
  }

  async send(message: JSONRPCMessage): Promise<void> {
    if (!this.#closed) await this.#write(message);
  }

  /** The client lets its answers lie. */
  get isUnread(): boolean {
    return this.#unread > mostUnread;
  }

  get isWriting(): boolean {
    return this.#unread > 0;
  }

  async #write(message: object): Promise<void> {
    const inPieces = largeLength(message);
    const text = inPieces > 0 ? "" : `${JSON.stringify(message)}\n`;
    const length = Math.max(inPieces, text.length);
    this.#unread += length;
    try {
      while (this.#inPieces) await this.#inPieces;
      await (inPieces > 0 ? this.#writePieces(message) : this.#lines.write(text));
    } finally {
      this.#unread -= length;
      if (!this.isUnread) this.#hasRead?.();
    }
  }

  async #writePieces(message: object): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#inPieces = promise;
    try {
      for (const piece of jsonPieces(message)) await this.#lines.write(piece);
      await this.#lines.write("\n");
    } finally {
      this.#inPieces = undefined;
      resolve();
    }
  }

  /** False: the client did not read in all that time. */
  async #untilRead(): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const patience = setTimeout(resolve, readsWithinMs, false);
    this.#hasRead = () => resolve(true);
    const read = await promise;
    clearTimeout(patience);
    this.#hasRead = undefined;
    return read;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.onclose?.();
  }

  async #read(): Promise<void> {
    const line = new Line();
    try {
      for await (const bytes of this.#lines.input) {
        for (let rest = bytes; rest.length > 0; ) {
          const end = rest.indexOf(newline);
          line.add(end < 0 ? rest : rest.subarray(0, end));
          if (end < 0) break;
          rest = rest.subarray(end + 1);
          this.#take(line);
        }
        if (this.#closed) return;
        if (this.isUnread && !(await this.#untilRead())) break;
      }
    } catch (error) {
      this.onerror?.(error instanceof Error ? error : new Error(String(error)));
    }
    await this.close();
  }

  #take(line: Line): void {
    const { bytes, tooLong } = line.finish();
    if (tooLong) return this.#refuse(invalidRequest, `a line is limited to ${longestLine} bytes`);
    if (isBlank(bytes)) return;
    const read = readStrictJson(bytes);
    if ("problem" in read) return this.#refuse(parseError, read.problem, read.id);
    if (!isMessage(read.value)) {
      return this.#refuse(invalidRequest, "expected one JSON-RPC 2.0 message a line", idOf(read.value));
    }
    this.onmessage?.(read.value);
  }

  #refuse(code: number, message: string, id: string | number | null = null): void {
    this.#refused(message);
    const answer = { jsonrpc: "2.0", id, error: { code, message } };
    this.#write(answer).catch((error: unknown) => {
      this.onerror?.(error instanceof Error ? error : new Error(String(error)));
    });
  }
}

/** A line as it arrives; of one that is too long only its length is kept. */
class Line {
  #pieces: Uint8Array[] = [];
  #size = 0;

  add(bytes: Uint8Array): void {
    this.#size += bytes.length;
    if (this.#size > longestLine) this.#pieces = [];
    else if (bytes.length > 0) this.#pieces.push(bytes);
  }

  finish(): { bytes: Uint8Array; tooLong: boolean } {
    const [first] = this.#pieces;
    const bytes = this.#pieces.length === 1 && first ? first : Buffer.concat(this.#pieces);
    const tooLong = this.#size > longestLine;
    this.#pieces = [];
    this.#size = 0;
    return { bytes, tooLong };
  }
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 32 || byte === 9 || byte === 13);
}

function isMessage(value: unknown): value is JSONRPCMessage {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const message = value as Record<string, unknown>;
  if (message.jsonrpc !== "2.0") return false;
  if ("id" in message && idOf(message) === null && message.id !== null) return false;
  if (typeof message.method === "string") return isParams(message.params) && message.id !== null;
  return "id" in message && ("result" in message || "error" in message);
}

function isParams(params: unknown): boolean {
  return params === undefined || (typeof params === "object" && params !== null && !Array.isArray(params));
}
