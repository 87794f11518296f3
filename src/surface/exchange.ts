// One request on one connection: a place under the load, a thread to hang by, and the answer written.
import type { Reply } from "../engine/call.ts";
import { Failure } from "../engine/failure.ts";
import { type Body, Lifeline } from "../engine/ports.ts";
import { type Upgrade, upgradeOf } from "../engine/websocket/handshake.ts";
import type { Connection } from "../wire/connection.ts";
import { field, Malformed, type RequestHead } from "../wire/http1.ts";
import { failureReply, type Manner, writeReply } from "./answer.ts";
import type { Incoming } from "./incoming.ts";
import type { Face, Load } from "./proxy.ts";
import { carrySocket } from "./socket.ts";

/** What one connection is served with. */
export interface Served {
  readonly connection: Connection;
  readonly incoming: Incoming;
  readonly face: Face;
  readonly load: Load;
  /** What the audit trail calls this face. */
  readonly surface: string;
}

export type Answering = (body: Body, lifeline: Lifeline) => Promise<Reply | Failure>;

/** False when the connection cannot carry another request. */
export async function exchange(on: Served, head: RequestHead, answering: Answering): Promise<boolean> {
  const { connection, incoming, face, load } = on;
  const body = incoming.body(head);
  if (body instanceof Malformed) return refuse(on, malformed(body), head);
  if (load.atWork >= face.mostRequests) {
    return refuse(on, new Failure("too_busy", "too many requests at once", { retryAfter: 1 }), head);
  }
  const lifeline = new Lifeline();
  connection.onGone(() => lifeline.cut(new Failure("client_closed", "the client has gone")));
  load.atWork += 1;
  try {
    const reply = await answering(body, lifeline);
    if (!(reply instanceof Failure) && reply.socket) {
      await carrySocket(connection, incoming, reply, reply.socket);
      return false;
    }
    const manner: Manner = {
      method: head.method,
      minor: head.minor,
      keepAlive: head.keepAlive && incoming.readToEnd,
    };
    const goesOn = await writeReply(
      connection,
      reply instanceof Failure ? failureReply(reply) : noticed(reply),
      manner,
    );
    return goesOn && incoming.readToEnd;
  } finally {
    load.atWork -= 1;
    connection.onGone(undefined);
  }
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

export function malformed(problem: Malformed): Failure {
  const code = problem.code as typeof brokenTargets extends Set<infer Code> ? Code : never;
  return new Failure(brokenTargets.has(code) ? code : "bad_request", problem.message);
}

/** After a request that was not understood, nothing that follows on the connection can be. */
export async function refuse(
  { connection, face, surface }: Served,
  failure: Failure,
  head: RequestHead | undefined,
): Promise<boolean> {
  await face.broker.refuseUnread(surface, connection.peer, failure, head?.method, head && asked(head));
  const manner: Manner = { method: head?.method ?? "GET", minor: head?.minor ?? 1, keepAlive: false };
  await writeReply(connection, failureReply(failure), manner);
  return false;
}

/** What janee says beside the service's answer. */
function noticed(reply: Reply): Reply {
  if (reply.notice === undefined) return reply;
  return { ...reply, fields: [...reply.fields, field("Janee-Notice", reply.notice)] };
}

/** Behind a body nothing else begins. */
export function upgrading(head: RequestHead): { readonly upgrade?: Upgrade } {
  const upgrade =
    head.framing.kind === "none" && head.minor === 1 ? upgradeOf(head.method, head.fields) : undefined;
  return upgrade === undefined ? {} : { upgrade };
}

/** The target as the client named it. */
export function asked({ form, authority, target }: RequestHead): string {
  if (form === "origin") return target;
  return form === "authority" ? `${authority}` : `http://${authority}${target}`;
}
