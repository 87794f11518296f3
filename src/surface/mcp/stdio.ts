// One client on stdio: one process, one owner. Whatever ends the connection ends its sessions.
import type { Server, ServerContext } from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import type { Caller } from "../../engine/caller.ts";
import { Failure } from "../../engine/failure.ts";
import { nameOf } from "./client.ts";
import type { Served } from "./face.ts";
import { type Lines, LineTransport } from "./lines.ts";
import { Persons } from "./person.ts";
import { makeMcpServer } from "./server.ts";
import { CommandTurns, LargeAnswers, Turns } from "./turns.ts";

const surface = "mcp";

/** Serves until the client hangs up or `stop` is called; resolves when it is over. */
export function serveLines(
  version: string,
  served: Promise<Served>,
  lines: Lines,
  complain: (message: string) => void,
): { readonly ended: Promise<void>; readonly stop: () => Promise<void> } {
  let over: () => void = () => {};
  const ended = new Promise<void>((done) => {
    over = done;
  });
  const opened = served.then(({ face, caller }) => ({
    face,
    persons: new Persons(face, () => caller.owner),
    callerOf: (context: ServerContext, server: Server) => named(caller, context, server),
  }));
  // Nobody may have called a tool yet when it turns out that there is nothing to call.
  opened.catch(() => {});
  const refused = (message: string): void => {
    const written = served.then(({ face, caller }) =>
      face.broker.refuseUnread(surface, caller.owner, new Failure("bad_arguments", message)),
    );
    written.catch(() => {});
  };
  const wire = new LineTransport(lines, refused);
  const largeAnswers = new LargeAnswers(() => wire.isWriting, lines.collect);
  const isBlocked = (): boolean => wire.isUnread;
  const parts = {
    ...{ version, opened, surface, load: { atWork: 0 } },
    ...{ turns: new Turns(isBlocked), commandTurns: new CommandTurns(isBlocked, largeAnswers) },
    largeAnswers,
  };
  const handle = serveStdio(({ era }) => makeMcpServer(parts, era), {
    transport: wire,
    onerror: (error) => complain(error.message),
  });
  // The SDK has put its own listener there, which ends the calls in flight.
  const closeServer = wire.onclose;
  wire.onclose = () => {
    closeServer?.();
    over();
  };
  return { ended, stop: () => handle.close() };
}

/** What the client calls itself is shown to people, unless the person who started this has named it. */
function named(caller: Caller, context: ServerContext, server: Server): Caller {
  const agent = caller.agent ?? nameOf({ context, server });
  return agent === undefined ? caller : { ...caller, agent };
}
