// A tunnel to where no capability is: bytes pass unread, without a credential, and their number is written down.
import { type Origin, originText } from "../../engine/destination.ts";
import { Failure } from "../../engine/failure.ts";
import { Lifeline } from "../../engine/ports.ts";
import type { Passage } from "../../engine/tunnels.ts";
import type { Connection } from "../../wire/connection.ts";
import { type RequestHead, writeResponseHead } from "../../wire/http1.ts";
import { failureReply, writeReply } from "../answer.ts";
import type { Forwarding } from "./forward.ts";

const established = writeResponseHead(200, []);
/** A tunnel in which nothing moves for so long is given up. */
const idleMs = 600_000;
/** The same, once one side sends no more: mostly it has gone, which looks no different. */
const finishedMs = 10_000;

export async function serveTunnel(
  on: Forwarding,
  head: RequestHead,
  origin: Origin,
  { passage, isMeant }: { readonly passage: Passage; readonly isMeant: () => boolean },
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
  const lifeline = new Lifeline();
  const ended = await face.broker.beginTunnel(surface, passage, originText(origin), lifeline);
  if (ended instanceof Failure) {
    remote.destroy();
    return writeReply(connection, failureReply(ended), { ...head, keepAlive: false });
  }
  load.atWork += 1;
  connection.write(established);
  let bytesIn = 0;
  let bytesOut = 0;
  // Whoever is behind it may ignore that the client has gone, and would hold its place forever.
  connection.onClosed?.(() => remote.destroy());
  let patience = idleMs;
  // The deadline is the client's: its listener looks after it.
  const stay = (): void => connection.within(patience);
  const finished = (): void => {
    patience = finishedMs;
    stay();
  };
  const close = (): void => {
    connection.destroy();
    remote.destroy();
  };
  lifeline.onCut(close);
  const mayPass = (): boolean => {
    if (isMeant() && passage.stands) return true;
    close();
    return false;
  };
  try {
    await Promise.all([
      pass(connection, remote, { mayPass, stay, finished }, (count) => {
        bytesIn += count;
      }),
      pass(remote, connection, { mayPass, stay, finished }, (count) => {
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

interface Watch {
  /** Asked for each piece: what was true when the tunnel was opened need not be true any more. */
  readonly mayPass: () => boolean;
  readonly stay: () => void;
  readonly finished: () => void;
}

async function pass(
  from: Connection,
  to: Connection,
  { mayPass, stay, finished }: Watch,
  count: (bytes: number) => void,
): Promise<void> {
  for (;;) {
    stay();
    const { done, value } = await from.incoming.next();
    if (done) break;
    if (!mayPass()) return;
    count(value.length);
    stay();
    if (!to.write(value)) await to.drained();
  }
  to.finish?.();
  finished();
}
