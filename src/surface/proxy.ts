// The reverse proxy: `/<capability>/<path>` becomes a Call. It decides nothing by itself.
import type { Broker } from "../engine/broker.ts";
import type { Call, Reply } from "../engine/call.ts";
import { Failure } from "../engine/failure.ts";
import { Lifeline, type Policy } from "../engine/ports.ts";
import { readTarget } from "../engine/target.ts";
import type { Connection } from "../wire/connection.ts";
import { defaultHeadLimits, field, Malformed, type RequestHead } from "../wire/http1.ts";
import { failureReply, type Manner, writeReply } from "./answer.ts";
import { refuseForeign } from "./foreign.ts";
import { Incoming, type Patience } from "./incoming.ts";
import type { Page } from "./page.ts";
import { findToken } from "./token-place.ts";

export interface Face {
  readonly broker: Broker;
  readonly policy: Policy;
  readonly page: Page;
  readonly mcp: Mcp;
  readonly own: ReadonlySet<string>;
  readonly patience: Patience;
  /** Requests at work at once; further ones are told to come back. */
  readonly mostRequests: number;
}

/** MCP over HTTP, which is a protocol of its own. */
export type Mcp = (head: RequestHead, body: Call["body"], lifeline: Lifeline) => Promise<Reply | Failure>;

/** Requests at work on this listener. */
export interface Load {
  atWork: number;
}

const surface = "proxy";
const namePattern = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** Serves one connection until either side ends it. */
export async function serveConnection(connection: Connection, face: Face, load: Load): Promise<void> {
  const incoming = new Incoming(connection, defaultHeadLimits, face.patience);
  for (;;) {
    const head = await incoming.head();
    if (head === undefined) return connection.destroy();
    const goesOn = await serveRequest(connection, incoming, head, face, load);
    if (!goesOn) return connection.end();
  }
}

async function serveRequest(
  connection: Connection,
  incoming: Incoming,
  head: RequestHead | Malformed,
  face: Face,
  load: Load,
): Promise<boolean> {
  if (head instanceof Malformed) return refuse(connection, face, malformed(head), undefined);
  const foreign = refuseForeign(head, face.own);
  if (foreign) return refuse(connection, face, foreign, head);
  const body = incoming.body(head);
  if (body instanceof Malformed) return refuse(connection, face, malformed(body), head);
  const busy = load.atWork >= face.mostRequests;
  if (busy)
    return refuse(
      connection,
      face,
      new Failure("too_busy", "too many requests at once", { retryAfter: 1 }),
      head,
    );

  const lifeline = new Lifeline();
  connection.onGone(() => lifeline.cut(new Failure("client_closed", "the client has gone")));
  load.atWork += 1;
  try {
    const reply = await answerRequest(connection, head, body, face, lifeline);
    const manner: Manner = {
      method: head.method,
      minor: head.minor,
      keepAlive: head.keepAlive && incoming.readToEnd,
    };
    const goesOn = await writeReply(
      connection,
      reply instanceof Failure ? failureReply(reply) : reply,
      manner,
    );
    return goesOn && incoming.readToEnd;
  } finally {
    load.atWork -= 1;
    connection.onGone(undefined);
  }
}

async function answerRequest(
  connection: Connection,
  head: RequestHead,
  body: Call["body"],
  face: Face,
  lifeline: Lifeline,
): Promise<Reply | Failure> {
  if (/^\/_janee(?:[/?]|$)/.test(head.target)) return face.page(head);
  if (/^\/mcp(?:\?|$)/.test(head.target)) {
    const reply = await face.mcp(head, body, lifeline);
    if (reply instanceof Failure)
      await face.broker.refuseUnread("mcp-http", connection.peer, reply, head.method, head.target);
    return reply;
  }
  const { capability, target } = split(head.target);
  if (!namePattern.test(capability)) {
    const failure = strangeName(head.target);
    await face.broker.refuseUnread(surface, connection.peer, failure, head.method, head.target);
    return failure;
  }
  const token = findToken(face.policy.current().config, capability, target, head.fields);
  if (token instanceof Failure) {
    await face.broker.refuseUnread(surface, connection.peer, token, head.method, head.target);
    return token;
  }
  const reply = await face.broker.handle({
    surface,
    peer: connection.peer,
    by: token === undefined ? "nobody" : { token },
    capability,
    method: head.method,
    target,
    fields: head.fields,
    body,
    lifeline,
  });
  if (reply instanceof Failure || reply.notice === undefined) return reply;
  return { ...reply, fields: [...reply.fields, field("Janee-Notice", reply.notice)] };
}

/** `/stripe/v1/x?y` → `stripe` and `/v1/x?y`; a bare `/stripe` means its root. */
function split(target: string): { capability: string; target: string } {
  const [slash, mark] = [target.indexOf("/", 1), target.indexOf("?", 1)];
  const end = slash < 0 || (mark >= 0 && mark < slash) ? mark : slash;
  if (end < 0) return { capability: target.slice(1), target: "/" };
  const rest = target.slice(end);
  return { capability: target.slice(1, end), target: rest.startsWith("/") ? rest : `/${rest}` };
}

/** An encoded or misspelt name names nothing, but what is ambiguous as a whole is said to be so. */
function strangeName(target: string): Failure {
  const read = readTarget(target);
  if (read instanceof Failure && read.code !== "path_overencoded") return read;
  return new Failure("unknown_capability", "there is no capability of this name");
}

const brokenTargets = new Set([
  "target_absolute_form",
  "target_authority_form",
  "target_asterisk",
  "target_non_ascii",
  "headers_too_large",
  "bad_header_name",
  "bad_header_value",
] as const);

function malformed(problem: Malformed): Failure {
  const code = problem.code as typeof brokenTargets extends Set<infer Code> ? Code : never;
  return new Failure(brokenTargets.has(code) ? code : "bad_request", problem.message);
}

/** After a request that was not understood, nothing that follows on the connection can be. */
async function refuse(
  connection: Connection,
  face: Face,
  failure: Failure,
  head: RequestHead | undefined,
): Promise<boolean> {
  await face.broker.refuseUnread(surface, connection.peer, failure, head?.method, head?.target);
  const manner: Manner = { method: head?.method ?? "GET", minor: head?.minor ?? 1, keepAlive: false };
  await writeReply(connection, failureReply(failure), manner);
  return false;
}
