// One connection to a service: one request at a time on it, framing always our own.
import type { Socket } from "node:net";
import type { Service } from "../engine/config.ts";
import { Failure, FailureError } from "../engine/failure.ts";
import type { Body, Lifeline, UpstreamConnection, UpstreamReply, UpstreamRequest } from "../engine/ports.ts";
import { Flow } from "../wire/flow.ts";
import {
  BodyReader,
  chunk,
  defaultHeadLimits,
  lastChunk,
  Malformed,
  type ResponseHead,
  readResponseHead,
} from "../wire/http1.ts";
import { requestBytes } from "./upstream-request.ts";

/** Non-streaming model calls think for minutes before the first byte. */
const headTimeoutMs = 600_000;
const idleTimeoutMs = 300_000;
const pooledIdleMs = 30_000;
/** A body up to this size is read whole, so that it can go out with its length. */
const wholeBodyLimit = 64 * 1024;

interface Exchange {
  readonly method: string;
  readonly upgrade: UpstreamRequest["upgrade"];
  readonly lifeline: Lifeline;
  readonly answer: (result: UpstreamReply | Failure) => void;
  answered: boolean;
  sent: boolean;
  head: ResponseHead | undefined;
  reader: BodyReader | undefined;
  /** Pieces of a body that is read whole. */
  pieces: Buffer[] | undefined;
  flow: Flow | undefined;
}

export class PooledConnection implements UpstreamConnection {
  readonly #socket: Socket;
  readonly #service: Service;
  readonly #giveBack: (connection: PooledConnection) => void;
  #exchange: Exchange | undefined;
  #unread: Buffer | undefined;
  #deadline = Number.POSITIVE_INFINITY;
  #idleFor = pooledIdleMs;
  #uses = 0;
  /** Set when the connection has become one of another protocol. */
  #raw: Flow | undefined;
  #drained: (() => void) | undefined;
  closed = false;

  constructor(socket: Socket, service: Service, giveBack: (connection: PooledConnection) => void) {
    this.#socket = socket;
    this.#service = service;
    this.#giveBack = giveBack;
    socket.on("data", (bytes: Buffer) => this.#receive(bytes));
    socket.on("drain", () => this.#drained?.());
    socket.on("end", () => this.#ended());
    socket.on("close", () => this.#ended());
    socket.on("error", () => this.#ended());
  }

  get reused(): boolean {
    return this.#uses > 0;
  }

  get reusable(): boolean {
    return !this.closed && !this.#exchange && performance.now() < this.#deadline;
  }

  destroy(): void {
    this.closed = true;
    this.#socket.destroy();
  }

  release(): void {
    this.#finish(true);
  }

  endIfOverdue(now: number): void {
    if (this.closed || now < this.#deadline) return;
    if (this.#exchange) this.#fail(new Failure("upstream_timeout", `${this.#where} did not answer in time`));
    this.destroy();
  }

  get #where(): string {
    return this.#service.base?.authority ?? this.#service.name;
  }

  send(request: UpstreamRequest, lifeline: Lifeline): Promise<UpstreamReply | Failure> {
    return new Promise((answer) => {
      this.#uses += 1;
      const exchange: Exchange = {
        method: request.method,
        upgrade: request.upgrade,
        lifeline,
        answer,
        answered: false,
        sent: false,
        head: undefined,
        reader: undefined,
        pieces: undefined,
        flow: undefined,
      };
      this.#exchange = exchange;
      this.#deadline = performance.now() + headTimeoutMs;
      lifeline.onCut((failure) => this.#fail(failure));
      this.#socket.write(requestBytes(request, this.#service));
      if (request.body.kind === "stream") void this.#pump(request.body, exchange);
      else exchange.sent = true;
    });
  }

  async #pump(body: Extract<Body, { kind: "stream" }>, exchange: Exchange): Promise<void> {
    try {
      for await (const bytes of body.chunks) {
        if (this.#exchange !== exchange || this.closed) return;
        const framed = body.length === undefined ? chunk(bytes) : bytes;
        this.#deadline = performance.now() + headTimeoutMs;
        if (!this.#socket.write(framed)) await new Promise<void>((done) => this.#awaitDrain(done));
      }
      if (this.#exchange !== exchange) return;
      if (body.length === undefined) this.#socket.write(lastChunk);
      exchange.sent = true;
      if (exchange.reader?.done) this.#finish(exchange.head?.keepAlive === true);
    } catch (error) {
      // An incomplete body must never look complete to the upstream: the connection goes with it.
      if (this.#exchange !== exchange) return;
      const failure = error instanceof FailureError ? error.failure : undefined;
      this.#fail(failure ?? new Failure("client_closed", "the request ended before its body did"));
    }
  }

  #awaitDrain(done: () => void): void {
    this.#drained = () => {
      this.#drained = undefined;
      done();
    };
  }

  #receive(bytes: Buffer): void {
    const exchange = this.#exchange;
    // Bytes that nobody asked for: the connection cannot be trusted with a next request.
    if (!exchange) return this.destroy();
    if (this.#raw) return this.#raw.push(bytes);
    if (exchange.reader) return this.#receiveBody(exchange, bytes);
    const received = this.#unread ? Buffer.concat([this.#unread, bytes]) : bytes;
    this.#unread = undefined;
    this.#receiveHead(exchange, received);
  }

  #receiveHead(exchange: Exchange, received: Buffer): void {
    let rest = received;
    for (;;) {
      const head = readResponseHead(rest, exchange.method, defaultHeadLimits);
      if (head === undefined) {
        this.#unread = rest;
        return;
      }
      if (head instanceof Malformed) return this.#fail(nonsense(this.#where, head.message));
      rest = rest.subarray(head.size);
      if (head.status === 101 && exchange.upgrade) return this.#switch(exchange, head, rest);
      if (head.status === 101) return this.#fail(nonsense(this.#where, "it switched protocols unasked"));
      // Interim answers say nothing that an agent may see (RFC 9110 section 15.2).
      if (head.status < 200) continue;
      return this.#begin(exchange, head, rest);
    }
  }

  /** From here on it is no HTTP: bytes both ways, until either side ends or the lifeline is cut. */
  #switch(exchange: Exchange, head: ResponseHead, rest: Buffer): void {
    exchange.head = head;
    this.#deadline = Number.POSITIVE_INFINITY;
    const flow = this.#flowFor(exchange);
    this.#raw = flow;
    exchange.answered = true;
    const write = async (bytes: Buffer): Promise<void> => {
      if (this.closed) return;
      if (!this.#socket.write(bytes)) await new Promise<void>((done) => this.#awaitDrain(done));
    };
    const end = (): void => {
      flow.end();
      if (this.#exchange !== exchange) return;
      exchange.lifeline.onCut(undefined);
      this.#exchange = undefined;
      this.closed = true;
      // What was written goes out first: a last frame says why it ends.
      this.#socket.destroySoon();
      this.#giveBack(this);
    };
    const { status, fields } = head;
    exchange.answer({ status, fields, body: { kind: "empty" }, socket: { incoming: flow, write, end } });
    if (rest.length > 0) flow.push(rest);
  }

  #begin(exchange: Exchange, head: ResponseHead, rest: Buffer): void {
    exchange.head = head;
    exchange.reader = new BodyReader(head.framing, "lenient");
    this.#idleFor = idleTimeOf(head) ?? pooledIdleMs;
    this.#deadline = performance.now() + idleTimeoutMs;
    if (head.framing.kind === "none") {
      this.#answer(exchange, { kind: "empty" });
      if (rest.length > 0) return this.destroy();
      return this.#complete(exchange);
    }
    const { framing } = head;
    if (framing.kind === "length" && framing.length <= wholeBodyLimit) exchange.pieces = [];
    else
      this.#answer(exchange, { kind: "stream", length: lengthOf(framing), chunks: this.#flowFor(exchange) });
    if (rest.length > 0 || exchange.reader.done) this.#receiveBody(exchange, rest);
  }

  #flowFor(exchange: Exchange): Flow {
    exchange.flow = new Flow({
      setFlowing: (flowing) => {
        if (flowing) this.#socket.resume();
        else this.#socket.pause();
      },
      stopped: () => this.#fail(new Failure("client_closed", "nobody reads the answer any more")),
    });
    return exchange.flow;
  }

  #receiveBody(exchange: Exchange, bytes: Buffer): void {
    if (!exchange.reader) return;
    this.#deadline = performance.now() + idleTimeoutMs;
    const step = exchange.reader.push(bytes);
    if (step instanceof Malformed) return this.#fail(nonsense(this.#where, step.message));
    if (exchange.pieces) exchange.pieces.push(...step.pieces);
    else if (step.pieces.length > 0) exchange.flow?.push(joined(step.pieces));
    if (!step.done) return;
    if (step.rest && step.rest.length > 0) this.closed = true;
    this.#completeBody(exchange);
  }

  #completeBody(exchange: Exchange): void {
    if (exchange.pieces) {
      const [first, ...more] = exchange.pieces;
      const bytes = more.length === 0 ? (first ?? Buffer.alloc(0)) : Buffer.concat(exchange.pieces);
      this.#answer(exchange, bytes.length === 0 ? { kind: "empty" } : { kind: "whole", bytes });
    }
    const flow = exchange.flow;
    this.#complete(exchange);
    flow?.end();
  }

  #complete(exchange: Exchange): void {
    // An answer that came before the request was sent ends the connection: its rest would be read as a request.
    if (exchange.sent) this.#finish(exchange.head?.keepAlive === true);
    else this.#finish(false);
  }

  #answer(exchange: Exchange, body: Body): void {
    if (exchange.answered || !exchange.head) return;
    exchange.answered = true;
    const { status, fields } = exchange.head;
    exchange.answer({ status, fields, body });
  }

  #finish(keep: boolean): void {
    this.#exchange?.lifeline.onCut(undefined);
    this.#exchange = undefined;
    this.#drained?.();
    if (keep && !this.closed) {
      this.#deadline = performance.now() + this.#idleFor;
      this.#socket.resume();
    } else {
      this.destroy();
    }
    this.#giveBack(this);
  }

  /** The peer will send no more. */
  #ended(): void {
    const exchange = this.#exchange;
    this.closed = true;
    this.#drained?.();
    if (!exchange) return this.destroy();
    if (this.#raw) {
      this.#raw.end();
      return this.#finish(false);
    }
    if (exchange.reader && exchange.head?.framing.kind === "close") {
      exchange.reader.end();
      return this.#completeBody(exchange);
    }
    const early = exchange.reader ? "ended its answer early" : "closed the connection without an answer";
    this.#fail(new Failure("upstream_closed", `${this.#where} ${early}`, { next: "try again" }));
  }

  #fail(failure: Failure): void {
    const exchange = this.#exchange;
    if (!exchange) return;
    this.closed = true;
    if (exchange.flow) exchange.flow.fail(new FailureError(failure));
    if (!exchange.answered) {
      exchange.answered = true;
      exchange.answer(failure);
    }
    this.#finish(false);
  }
}

/** What one read brought goes on as one piece, however small its chunks were. */
function joined(pieces: readonly Buffer[]): Buffer {
  const [first] = pieces;
  return first && pieces.length === 1 ? first : Buffer.concat(pieces);
}

function lengthOf(framing: ResponseHead["framing"]): number | undefined {
  return framing.kind === "length" ? framing.length : undefined;
}

function nonsense(where: string, why: string): Failure {
  return new Failure("upstream_nonsense", `${where} answered what is not HTTP/1.1: ${why}`);
}

/** A server that says how long it keeps a connection is left a second before it hangs up. */
function idleTimeOf(head: ResponseHead): number | undefined {
  const value = head.fields.find(({ key }) => key === "keep-alive")?.value;
  const seconds = /timeout=(\d{1,6})/.exec(value ?? "")?.[1];
  return seconds === undefined
    ? undefined
    : Math.min(pooledIdleMs, Math.max(0, Number(seconds) * 1000 - 1000));
}
