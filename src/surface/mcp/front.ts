// The front of an MCP server on lines: a client whose first line is a handshake as it should be has its answer at once,
// while the SDK is still being loaded. The SDK then reads the same line, so that it knows what the client knows, and
// what it answers to it is kept back: it is the same, or there is no going on.
import { greetingFor } from "./greeting.ts";
import type { Lines } from "./lines.ts";
import { readStrictJson } from "./strict-json.ts";

/** A first line beyond this is left to the SDK. */
const longestGreeting = 64 * 1024;
const newline = 10;

export class Front implements Lines {
  readonly input: AsyncIterable<Uint8Array> = { [Symbol.asyncIterator]: () => this.#iterator };
  /** When the first line was answered here, or is known to be none that is. */
  readonly opened: Promise<void>;
  /** When a first answer is out, whoever gave it. */
  readonly spoken: Promise<void>;
  readonly collect: () => void;
  readonly #lines: Lines;
  readonly #version: string;
  readonly #read: AsyncIterator<Uint8Array>;
  readonly #iterator: AsyncIterator<Uint8Array>;
  readonly #speak: () => void;
  /** Fails as reading fails, which is told to who reads on. */
  readonly #opening: Promise<void>;
  /** What was read here and not yet by the SDK. */
  readonly #pieces: Uint8Array[] = [];
  #isOpen = false;
  /** The answer that the SDK is going to give as well. */
  #owed: { readonly id: string | number; readonly text: string } | undefined;
  readonly #broken = Promise.withResolvers<never>();

  constructor(lines: Lines, version: string) {
    this.#lines = lines;
    this.collect = () => lines.collect();
    this.#version = version;
    this.#read = lines.input[Symbol.asyncIterator]();
    this.#iterator = { next: () => this.#next(), return: () => this.#return() };
    const { promise, resolve } = Promise.withResolvers<void>();
    this.spoken = promise;
    this.#speak = resolve;
    this.#opening = this.#open().finally(() => {
      this.#isOpen = true;
    });
    this.opened = this.#opening.catch(() => {});
    this.#broken.promise.catch(() => {});
  }

  write(text: string): Promise<void> {
    if (this.#owed === undefined) return this.#say(text);
    const { id, text: said } = this.#owed;
    if (text !== said && !isAnswer(text, id)) return this.#say(text);
    this.#owed = undefined;
    if (text === said) return Promise.resolve();
    const error = new Error("the handshake was answered in two ways");
    this.#broken.reject(error);
    return Promise.reject(error);
  }

  #say(text: string): Promise<void> {
    const written = this.#lines.write(text);
    written.then(this.#speak, this.#speak);
    return written;
  }

  async #open(): Promise<void> {
    const line = await this.#firstLine();
    const read = line && readStrictJson(line);
    const greeting = read && "value" in read ? greetingFor(read.value, this.#version) : undefined;
    if (!greeting) return;
    const text = `${JSON.stringify(greeting.answer)}\n`;
    this.#owed = { id: greeting.id, text };
    // A client that is gone shows in what is read and written next.
    await this.#say(text).catch(() => {});
  }

  async #firstLine(): Promise<Uint8Array | undefined> {
    for (let size = 0; size <= longestGreeting; ) {
      const { value, done } = await this.#read.next();
      if (done) return undefined;
      this.#pieces.push(value);
      const end = value.indexOf(newline);
      if (end >= 0) return Buffer.concat(this.#pieces).subarray(0, size + end);
      size += value.length;
    }
    return undefined;
  }

  #next(): Promise<IteratorResult<Uint8Array>> {
    if (!this.#isOpen) return this.#opening.then(() => this.#next());
    const value = this.#pieces.shift();
    if (value) return Promise.resolve({ value, done: false });
    const next = this.#read.next();
    return this.#owed === undefined ? next : Promise.race([next, this.#broken.promise]);
  }

  async #return(): Promise<IteratorResult<Uint8Array>> {
    return (await this.#read.return?.()) ?? { value: undefined, done: true };
  }
}

/** Of a line that is so large that it goes out in pieces, none is an answer: that to a handshake is short. */
function isAnswer(text: string, id: string | number): boolean {
  try {
    const message = JSON.parse(text) as { readonly id?: unknown; readonly method?: unknown };
    return message.id === id && message.method === undefined;
  } catch {
    return false;
  }
}
