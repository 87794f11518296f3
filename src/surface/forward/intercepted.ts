// Inside a tunnel whose TLS ends here: every request is for the host that CONNECT named, or it is refused.
import { type Origin, originText, readAuthority } from "../../engine/destination.ts";
import { Failure } from "../../engine/failure.ts";
import { defaultHeadLimits, Malformed, type RequestHead, writeResponseHead } from "../../wire/http1.ts";
import { failureReply, writeReply } from "../answer.ts";
import { exchange, malformed, refuse } from "../exchange.ts";
import { Incoming } from "../incoming.ts";
import { type Bound, type Forwarding, forwardRequest, misdirected, tooEarly } from "./forward.ts";

const established = writeResponseHead(200, []);

export async function serveIntercepted(
  on: Forwarding,
  bound: Bound,
  asking: RequestHead,
): Promise<boolean | "handed over"> {
  const { connection, face, forward, surface } = on;
  const { origin } = bound;
  const identity = await forward.identityOf(origin.host);
  if (identity instanceof Failure || !connection.secured) {
    const failure =
      identity instanceof Failure ? identity : new Failure("internal", "this listener cannot end TLS");
    await face.broker.refuseUnread(surface, connection.peer, failure, "CONNECT");
    await writeReply(connection, failureReply(failure), { method: "CONNECT", minor: 1, keepAlive: false });
    return false;
  }
  // While the certificate was made: what came meanwhile would be lost to the handshake, and read by nobody's rules.
  if (on.incoming.hasMore) return refuse(on, tooEarly(), asking);
  connection.write(established);
  const secured = await connection.secured(identity);
  if (!secured) return "handed over";
  const misled = secured.serverName !== undefined && secured.serverName.toLowerCase() !== origin.host;
  const incoming = new Incoming(secured, defaultHeadLimits, face.patience);
  const inside: Forwarding = { ...on, connection: secured, incoming };
  for (;;) {
    const head = await incoming.head();
    if (head === undefined) {
      secured.destroy();
      return "handed over";
    }
    const goesOn = await serveInside(inside, bound, head, misled);
    if (goesOn) continue;
    await secured.end();
    return "handed over";
  }
}

async function serveInside(
  on: Forwarding,
  bound: Bound,
  head: RequestHead | Malformed,
  misled: boolean,
): Promise<boolean> {
  if (head instanceof Malformed) return refuse(on, malformed(head), undefined);
  if (misled || !isFor(bound.origin, head.host)) return refuse(on, misdirected(bound.origin), head);
  return exchange(on, head, (body, lifeline) => forwardRequest(on, bound, head, body, lifeline));
}

function isFor(origin: Origin, host: string): boolean {
  // As nearly every client writes it.
  if (host === originText(origin)) return true;
  const named = readAuthority(host, origin.scheme);
  return named !== undefined && named.host === origin.host && named.port === origin.port;
}
