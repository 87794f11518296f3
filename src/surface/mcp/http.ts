// MCP over streamable HTTP at `/mcp`, behind the listener of `janee serve`: only with an agent's token. Clients of
// 2026-07-28 are served request by request; older ones in sessions of the transport, each bound to the token it began with.
import {
  type AuthInfo,
  createMcpHandler,
  isLegacyRequest,
  type McpHttpHandler,
  type Server,
  type ServerContext,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";
import { type Agents, isAgentToken } from "../../engine/agents.ts";
import { collect, wholeBody } from "../../engine/bodies.ts";
import type { Reply } from "../../engine/call.ts";
import type { Caller } from "../../engine/caller.ts";
import { Failure } from "../../engine/failure.ts";
import type { Body, Lifeline } from "../../engine/ports.ts";
import { field, type RequestHead } from "../../wire/http1.ts";
import type { McpFace } from "./face.ts";
import { longestLine } from "./lines.ts";
import { type Era, Persons } from "./person.ts";
import { type McpParts, makeMcpServer } from "./server.ts";
import { readStrictJson, type Unread } from "./strict-json.ts";
import { CommandTurns, LargeAnswers, Turns } from "./turns.ts";
import { Writing } from "./writing.ts";

/** Transport sessions of older clients: of one agent, and of all. */
const mostOfAgent = 32;
const mostSessions = 512;
const idleMs = 60 * 60_000;

export interface HttpParts {
  readonly agents: Pick<Agents, "byToken">;
  /** The server behind one connection (legacy) or one request (modern). */
  readonly makeServer: (era: Era) => Server;
  /** Writes down a message that could not be read. */
  readonly refused: (caller: Caller, failure: Failure) => Promise<void>;
  /** A name that cannot be guessed. */
  readonly newId: () => string;
  readonly now: () => number;
}

interface Connected {
  readonly owner: string;
  readonly transport: WebStandardStreamableHTTPServerTransport;
  readonly server: Server;
  usedAt: number;
}

/** A request that is being answered. */
interface Open {
  readonly token: string;
  /** Brings a call that waits for an answer; others only listen. */
  readonly isCall: boolean;
  isLeaving: boolean;
}

/** janee's own tools, for the agent whose token a request brought. */
export function toolsOverHttp(version: string, face: McpFace, collect: () => void): HttpParts["makeServer"] {
  const persons = new Persons(face, (context) => callerOf(context).owner);
  const opened = Promise.resolve({ face, persons, callerOf: (context: ServerContext) => callerOf(context) });
  const largeAnswers = new LargeAnswers(() => writing.isGoingOn, collect);
  const parts: McpParts = {
    version,
    opened,
    surface: "mcp-http",
    load: { atWork: 0 },
    turns: new Turns(() => false),
    commandTurns: new CommandTurns(() => false, largeAnswers),
    largeAnswers,
  };
  return (era) => makeMcpServer(parts, era);
}

export class McpOverHttp {
  readonly #parts: HttpParts;
  readonly #modern: McpHttpHandler;
  readonly #sessions = new Map<string, Connected>();
  /** Requests that are being answered, streams among them, and whose they are. */
  readonly #open = new Map<AbortController, Open>();

  constructor(parts: HttpParts) {
    this.#parts = parts;
    this.#modern = createMcpHandler(() => parts.makeServer("modern"), {
      legacy: "reject",
      maxRequestBodySize: longestLine,
    });
  }

  async serve(head: RequestHead, body: Body, lifeline: Lifeline): Promise<Reply | Failure> {
    const token = bearerOf(head);
    const caller = token instanceof Failure ? token : this.#parts.agents.byToken(token);
    if (caller instanceof Failure) return caller;
    if (!caller || token instanceof Failure) return unknownAgent();
    const bytes = await collect(body, longestLine);
    if (bytes instanceof Failure) return bytes;
    const read = head.method === "POST" ? readStrictJson(bytes) : { value: undefined };
    if ("problem" in read) {
      await this.#parts.refused(caller, new Failure("bad_arguments", read.problem));
      return unreadable(read);
    }

    const controller = new AbortController();
    this.#open.set(controller, { token, isCall: head.method === "POST", isLeaving: false });
    lifeline.onCut(() => controller.abort());
    const over = (): void => {
      this.#open.delete(controller);
      lifeline.onCut(undefined);
    };
    try {
      const request = requestOf(head, bytes, controller.signal);
      const authInfo: AuthInfo = { token: "", clientId: caller.owner, scopes: [], extra: { caller } };
      const response = await this.#respond(request, read.value, authInfo, caller);
      return replyOf(response, controller.signal, over);
    } catch (error) {
      over();
      if (controller.signal.aborted) return new Failure("client_closed", "the client has gone");
      throw error;
    }
  }

  /** Ends what has been idle for long, and everything of agents whose token is gone. Run now and then. */
  sweep(): void {
    for (const [controller, open] of this.#open) {
      if (this.#parts.agents.byToken(open.token)) continue;
      // The broker ends the call itself; until the next sweep its answer can still say so.
      if (open.isCall && !open.isLeaving) open.isLeaving = true;
      else controller.abort();
    }
    const now = this.#parts.now();
    for (const [id, connected] of this.#sessions) if (now - connected.usedAt > idleMs) this.#drop(id);
  }

  async close(): Promise<void> {
    for (const controller of this.#open.keys()) controller.abort();
    for (const id of this.#sessions.keys()) this.#drop(id);
    await this.#modern.close();
  }

  async #respond(
    request: Request,
    parsedBody: unknown,
    authInfo: AuthInfo,
    caller: Caller,
  ): Promise<Response> {
    const isPost = request.method === "POST";
    const legacy = isPost ? await isLegacyRequest(request, parsedBody) : true;
    const options = isPost ? { authInfo, parsedBody } : { authInfo };
    if (!legacy) return this.#modern.fetch(request, options);
    const id = request.headers.get("mcp-session-id");
    const connected = id === null ? undefined : this.#sessions.get(id);
    if (connected && connected.owner === caller.owner) {
      connected.usedAt = this.#parts.now();
      return connected.transport.handleRequest(request, options);
    }
    if (id !== null) return rpcError(404, -32_001, "there is no such MCP session");
    return (await this.#connect(caller.owner)).transport.handleRequest(request, options);
  }

  /** A transport that has not seen `initialize` yet; it enters the table when it has. */
  async #connect(owner: string): Promise<Connected> {
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: this.#parts.newId,
      onsessioninitialized: (id) => {
        this.#makeRoom(owner);
        this.#sessions.set(id, connected);
      },
      onsessionclosed: (id) => this.#drop(id),
      maxRequestBodySize: longestLine,
    });
    const server = this.#parts.makeServer("legacy");
    const connected = { owner, transport, server, usedAt: this.#parts.now() };
    await server.connect(transport);
    return connected;
  }

  /** The one that was unused for longest gives way: of this agent first, so that no agent takes another's place. */
  #makeRoom(owner: string): void {
    const mine = [...this.#sessions].filter(([, connected]) => connected.owner === owner);
    const full = mine.length >= mostOfAgent ? mine : [...this.#sessions];
    if (mine.length < mostOfAgent && full.length < mostSessions) return;
    const [oldest] = full.sort(([, a], [, b]) => a.usedAt - b.usedAt);
    if (oldest) this.#drop(oldest[0]);
  }

  #drop(id: string): void {
    const connected = this.#sessions.get(id);
    this.#sessions.delete(id);
    connected?.server.close().catch(() => {});
  }
}

function callerOf(context: ServerContext): Caller {
  const caller = context.http?.authInfo?.extra?.caller;
  if (!caller) throw new Error("an MCP request over HTTP without a caller");
  return caller as Caller;
}

/** The token of an agent, and of nothing else (RFC 6750 section 2.1). */
function bearerOf(head: RequestHead): string | Failure {
  const given = head.fields.filter(({ key }) => key === "authorization").map(({ value }) => value);
  const [only = ""] = given;
  const token = /^bearer +([^ ]+)$/i.exec(only)?.[1];
  return given.length === 1 && token && isAgentToken(token) ? token : unknownAgent();
}

function unknownAgent(): Failure {
  return new Failure("no_session", "MCP over HTTP wants an agent's token: Authorization: Bearer jna_…", {
    next: "ask the person for a token; they make one with janee agent add",
  });
}

function requestOf(head: RequestHead, bytes: Buffer, signal: AbortSignal): Request {
  // What proves the agent stays here: no handler needs it.
  const shown = head.fields.filter(({ key }) => key !== "authorization");
  const headers = new Headers(shown.map(({ name, value }): [string, string] => [name, value]));
  const body = bytes.length === 0 ? {} : { body: new Uint8Array(bytes) };
  return new Request(`http://${head.host}${head.target}`, { method: head.method, headers, signal, ...body });
}

/** The connection is this side's own: two words on whether it stays would contradict each other. */
const ofTheConnection = new Set(["connection", "keep-alive", "transfer-encoding"]);

function replyOf(response: Response, signal: AbortSignal, over: () => void): Reply {
  const fields = [...response.headers]
    .map(([name, value]) => field(name, value))
    .filter(({ key }) => !ofTheConnection.has(key));
  const { status, body } = response;
  if (!body) {
    over();
    return { status, fields, body: { kind: "empty" } };
  }
  const length = response.headers.get("content-length");
  const kept = fields.filter(({ key }) => key !== "content-length");
  const chunks = chunksOf(body, signal, over);
  return {
    status,
    fields: kept,
    body: { kind: "stream", length: length === null ? undefined : Number(length), chunks },
  };
}

const writing = new Writing(() => performance.now());

async function* chunksOf(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
  over: () => void,
): AsyncGenerator<Buffer> {
  const reader = body.getReader();
  const cancel = (): void => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", cancel, { once: true });
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const taken = writing.begin();
      try {
        yield Buffer.from(value);
      } finally {
        taken();
      }
    }
  } finally {
    signal.removeEventListener("abort", cancel);
    cancel();
    over();
  }
}

function unreadable({ problem, id }: Unread): Reply {
  return jsonReply(400, { jsonrpc: "2.0", id: id ?? null, error: { code: -32_700, message: problem } });
}

function jsonReply(status: number, value: object): Reply {
  const fields = [field("Content-Type", "application/json")];
  return { status, fields, body: wholeBody(Buffer.from(JSON.stringify(value))) };
}

function rpcError(status: number, code: number, message: string): Response {
  return Response.json({ jsonrpc: "2.0", id: null, error: { code, message } }, { status });
}
