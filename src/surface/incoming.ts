// Requests read from one connection, one after the other.
import { Failure, FailureError } from "../engine/failure.ts";
import type { Body } from "../engine/ports.ts";
import type { Connection } from "../wire/connection.ts";
import {
  BodyReader,
  type Forms,
  type HeadLimits,
  Malformed,
  type RequestHead,
  readRequestHead,
} from "../wire/http1.ts";

const continueLine = Buffer.from("HTTP/1.1 100 Continue\r\n\r\n");

export interface Patience {
  /** Between requests, milliseconds. */
  readonly idle: number;
  /** For a head, from its first byte to its last; a slow trickle does not extend it. */
  readonly head: number;
  /** For the next bytes of a body. */
  readonly body: number;
}

export class Incoming {
  readonly #connection: Connection;
  readonly #limits: HeadLimits;
  readonly #patience: Patience;
  readonly #forms: Forms;
  #unread: Buffer | undefined;
  /** The body of the request at hand, until its last byte was read. */
  #body: BodyReader | undefined;

  constructor(connection: Connection, limits: HeadLimits, patience: Patience, forms: Forms = "origin") {
    this.#connection = connection;
    this.#limits = limits;
    this.#patience = patience;
    this.#forms = forms;
  }

  /** The next head; undefined when the peer has ended between two requests. */
  async head(): Promise<RequestHead | Malformed | undefined> {
    let received = this.#unread;
    this.#unread = undefined;
    this.#connection.within(received ? this.#patience.head : this.#patience.idle);
    for (;;) {
      if (received) {
        const head = readRequestHead(received, this.#limits, this.#forms);
        if (head instanceof Malformed) return head;
        if (head) {
          this.#connection.within(undefined);
          if (head.size < received.length) this.#unread = received.subarray(head.size);
          return head;
        }
      }
      const { done, value } = await this.#connection.incoming.next();
      if (done)
        return received
          ? new Malformed("bad_request_line", "the request ended before its head did")
          : undefined;
      if (!received) this.#connection.within(this.#patience.head);
      received = received ? Buffer.concat([received, value]) : value;
    }
  }

  /** The body behind the head that was just read. A body that has arrived whole is given whole. */
  body(head: RequestHead): Body | Malformed {
    if (head.framing.kind === "none") return { kind: "empty" };
    const reader = new BodyReader(head.framing, "strict");
    const pieces: Buffer[] = [];
    const problem = this.#take(reader, this.#unread ?? Buffer.alloc(0), pieces);
    if (problem) return problem;
    if (reader.done)
      return pieces.length === 0 ? { kind: "empty" } : { kind: "whole", bytes: Buffer.concat(pieces) };
    this.#body = reader;
    const length = head.framing.kind === "length" ? head.framing.length : undefined;
    return { kind: "stream", length, chunks: this.#chunks(reader, pieces, head.expectContinue) };
  }

  /** All bytes from here on, of whatever protocol they are. */
  async *rest(): AsyncGenerator<Buffer> {
    const unread = this.#unread;
    this.#unread = undefined;
    if (unread) yield unread;
    for (;;) {
      const { done, value } = await this.#connection.incoming.next();
      if (done) return;
      yield value;
    }
  }

  /** Whether bytes have come that belong to no head yet. */
  get hasMore(): boolean {
    return this.#unread !== undefined || this.#connection.hasUnread === true;
  }

  /** Whether the body at hand was read to its end, so that a next request can follow. */
  get readToEnd(): boolean {
    return this.#body === undefined;
  }

  async *#chunks(reader: BodyReader, pieces: Buffer[], expectContinue: boolean): AsyncGenerator<Buffer> {
    if (expectContinue && pieces.length === 0) this.#connection.write(continueLine);
    yield* pieces;
    while (!reader.done) {
      this.#connection.within(this.#patience.body);
      const { done, value } = await this.#connection.incoming.next();
      this.#connection.within(undefined);
      if (done)
        throw new FailureError(new Failure("bad_request", "the connection ended before the body did"));
      const received: Buffer[] = [];
      const problem = this.#take(reader, value, received);
      if (problem) throw new FailureError(new Failure("bad_request", problem.message));
      // However small the chunks of one read were, they go on as one piece.
      if (received.length > 0) yield received.length === 1 ? (received[0] ?? value) : Buffer.concat(received);
    }
    this.#body = undefined;
  }

  #take(reader: BodyReader, bytes: Buffer, pieces: Buffer[]): Malformed | undefined {
    this.#unread = undefined;
    const step = reader.push(bytes);
    if (step instanceof Malformed) return step;
    pieces.push(...step.pieces);
    if (step.done && step.rest && step.rest.length > 0) this.#unread = step.rest;
    return undefined;
  }
}
