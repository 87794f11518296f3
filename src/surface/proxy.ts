// The reverse proxy: `/<capability>/<path>` becomes a Call. It decides nothing by itself.
import { unknownCapability } from "../engine/admit.ts";
import type { Broker } from "../engine/broker.ts";
import type { Call, Reply } from "../engine/call.ts";
import { Failure } from "../engine/failure.ts";
import type { Lifeline, Policy } from "../engine/ports.ts";
import { readTarget } from "../engine/target.ts";
import type { Connection } from "../wire/connection.ts";
import { defaultHeadLimits, Malformed, type RequestHead } from "../wire/http1.ts";
import { exchange, malformed, refuse, type Served, upgrading } from "./exchange.ts";
import { refuseDocument, refuseForeign } from "./foreign.ts";
import type { Forward } from "./forward/face.ts";
import { serveAbsolute, serveConnect } from "./forward/forward.ts";
import { Incoming, type Patience } from "./incoming.ts";
import type { Page } from "./page/page.ts";
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
  /** A proxy to the world, where this listener is one. */
  readonly forward?: Forward;
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
  const forms = face.forward ? "proxy" : "origin";
  const incoming = new Incoming(connection, defaultHeadLimits, face.patience, forms);
  const on: Served = { connection, incoming, face, load, surface };
  for (;;) {
    const head = await incoming.head();
    if (head === undefined) return connection.destroy();
    const goesOn = await serveRequest(on, head);
    if (goesOn === "handed over") return;
    if (!goesOn) return connection.end();
  }
}

async function serveRequest(on: Served, head: RequestHead | Malformed): Promise<boolean | "handed over"> {
  const { connection, face } = on;
  if (head instanceof Malformed) return refuse(on, malformed(head), undefined);
  if (head.form !== "origin" && face.forward) {
    const forwarding = { ...on, surface: "forward", forward: face.forward };
    return head.form === "authority" ? serveConnect(forwarding, head) : serveAbsolute(forwarding, head);
  }
  const foreign = refuseForeign(head, face.own) ?? (isPage(head) ? undefined : refuseDocument(head));
  if (foreign) return refuse(on, foreign, head);
  return exchange(on, head, (body, lifeline) => answerRequest(connection, head, body, face, lifeline));
}

function isPage(head: RequestHead): boolean {
  return /^\/_janee(?:[/?]|$)/.test(head.target);
}

async function answerRequest(
  connection: Connection,
  head: RequestHead,
  body: Call["body"],
  face: Face,
  lifeline: Lifeline,
): Promise<Reply | Failure> {
  const own = isPage(head) ? "page" : /^\/mcp(?:\?|$)/.test(head.target) ? "mcp-http" : undefined;
  if (own !== undefined) {
    const reply = await (own === "page" ? face.page(head, body) : face.mcp(head, body, lifeline));
    if (reply instanceof Failure)
      await face.broker.refuseUnread(own, connection.peer, reply, head.method, head.target);
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
  return face.broker.handle({
    surface,
    peer: connection.peer,
    by: token === undefined ? "nobody" : { token },
    capability,
    method: head.method,
    target,
    fields: head.fields,
    body,
    ...upgrading(head),
    lifeline,
  });
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
  return unknownCapability();
}
