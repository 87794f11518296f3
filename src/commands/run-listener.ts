// The listener of one `janee run`: on this machine alone, for one token that only its command has.
import type { Caller } from "../engine/caller.ts";
import type { Unmatched } from "../engine/config.ts";
import { Failure } from "../engine/failure.ts";
import { digest } from "../host/digest.ts";
import { type Listening, listen } from "../host/listener.ts";
import { failureBytes, failureReply } from "../surface/answer.ts";
import { ownAuthorities } from "../surface/foreign.ts";
import { type Load, serveConnection } from "../surface/proxy.ts";
import type { Talk } from "./command.ts";
import { forwardFor } from "./forward.ts";
import { bounds } from "./serve-bounds.ts";
import type { Janee } from "./wire-up.ts";

export interface RunListener {
  readonly port: number;
  close(): Promise<void>;
}

const warmAfterMs = 50;

function stop(listening: Listening, warming: ReturnType<typeof setTimeout>): Promise<void> {
  clearTimeout(warming);
  return listening.close();
}

export async function listenForRun(
  janee: Janee,
  talk: Talk,
  run: { readonly hash: string; readonly caller: Caller; readonly unmatched?: Unmatched },
): Promise<RunListener | Failure> {
  const load: Load = { atWork: 0 };
  let own: ReadonlySet<string> = new Set();
  // Hashes are compared: how long that takes tells nothing of the token.
  const callerOf = (token: string) => (digest.sha256(token) === run.hash ? run.caller : undefined);
  const { unmatched } = run;
  const forward = forwardFor(janee, { callerOf, ...(unmatched === undefined ? {} : { unmatched }) });
  const nothingHere = new Failure("not_found", "this is the proxy of one janee run, and nothing else");
  const listening = await listen({
    host: "127.0.0.1",
    port: 0,
    mostConnections: bounds.mostConnections,
    tooMany: failureBytes(new Failure("too_busy", "too many connections", { retryAfter: 1 })),
    serve: (connection) => {
      const face = {
        ...{ broker: janee.broker, policy: janee.home, own, forward },
        ...{ patience: bounds.patience, mostRequests: bounds.mostRequests },
        page: () => Promise.resolve(failureReply(nothingHere)),
        mcp: () => Promise.resolve(nothingHere),
      };
      serveConnection(connection, face, load).catch((error: unknown) => {
        connection.destroy();
        const detail = error instanceof Error ? error : new Error(String(error));
        talk.say(`janee: a bug while serving a request: ${detail.message}`);
        if (talk.environment.JANEE_DEBUG) talk.say(detail.stack ?? "");
      });
    },
  });
  if (listening instanceof Failure) return listening;
  own = ownAuthorities(listening.port, ["127.0.0.1", "localhost", "::1"]);
  // A command that ends at once has no use for it.
  const warming = setTimeout(() => void forward.warm(), warmAfterMs);
  return { port: listening.port, close: () => stop(listening, warming) };
}
