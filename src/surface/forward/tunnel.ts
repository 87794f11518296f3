// A tunnel to where no capability is: bytes pass unread, without a credential, and their number is written down.
import { originText } from "../../engine/destination.ts";
import { Failure } from "../../engine/failure.ts";
import type { Connection } from "../../wire/connection.ts";
import { type RequestHead, writeResponseHead } from "../../wire/http1.ts";
import { failureReply, writeReply } from "../answer.ts";
import type { Bound, Forwarding } from "./forward.ts";

const established = writeResponseHead(200, []);
/** A tunnel in which nothing moves for so long is given up. */
const idleMs = 600_000;

export async function serveTunnel(
  on: Forwarding,
  head: RequestHead,
  { proxied, origin }: Bound,
): Promise<boolean | "handed over"> {
  const { connection, face, forward, surface, load } = on;
  const busy =
    load.atWork >= face.mostRequests
      ? new Failure("too_busy", "too many requests at once", { retryAfter: 1 })
      : undefined;
  const remote = busy ?? (await forward.dial(origin));
  if (remote instanceof Failure) {
    await face.broker.refuseUnread(surface, connection.peer, remote, head.method, originText(origin));
    const manner = { method: head.method, minor: head.minor, keepAlive: head.keepAlive };
    return writeReply(connection, failureReply(remote), manner);
  }
  const ended = await face.broker.beginTunnel(surface, proxied.by, originText(origin));
  if (ended instanceof Failure) {
    remote.destroy();
    return writeReply(connection, failureReply(ended), { ...head, keepAlive: false });
  }
  load.atWork += 1;
  connection.write(established);
  let bytesIn = 0;
  let bytesOut = 0;
  try {
    await Promise.all([
      pass(connection, remote, (count) => {
        bytesIn += count;
      }),
      pass(remote, connection, (count) => {
        bytesOut += count;
      }),
    ]);
  } finally {
    load.atWork -= 1;
    await Promise.all([connection.end(), remote.end()]);
    await ended({ bytesIn, bytesOut });
  }
  return "handed over";
}

async function pass(from: Connection, to: Connection, count: (bytes: number) => void): Promise<void> {
  for (;;) {
    from.within(idleMs);
    const { done, value } = await from.incoming.next();
    if (done) break;
    count(value.length);
    to.within(idleMs);
    if (!to.write(value)) await to.drained();
  }
  to.finish?.();
}
