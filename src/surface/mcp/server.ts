// The MCP server of one connection, or of one request: tools in the SDK's terms, on the one broker.
import {
  type CallToolResult,
  type InputRequiredResult,
  isInputRequiredResult,
  ProtocolError,
  ProtocolErrorCode,
  Server,
  type ServerContext,
} from "@modelcontextprotocol/server";
import type { Caller } from "../../engine/caller.ts";
import { Failure } from "../../engine/failure.ts";
import { isToolName, readArguments, type ToolName } from "./arguments.ts";
import type { Asked, McpFace } from "./face.ts";
import { capabilities, identity, instructions } from "./identity.ts";
import { listTools } from "./listing.ts";
import { nextOf } from "./next.ts";
import type { Era, Persons } from "./person.ts";
import { tools } from "./tools.ts";
import type { CommandTurns, LargeAnswers, Turns } from "./turns.ts";

/** Calls at work at once in this process; further ones are told to come back. */
const mostCalls = 1024;
const progressEveryMs = 250;

/** What a call needs. */
export interface Opened {
  readonly face: McpFace;
  readonly persons: Persons;
  readonly callerOf: (context: ServerContext, server: Server) => Caller;
}

export interface McpParts {
  readonly version: string;
  /** The handshake does not wait for this. */
  readonly opened: Promise<Opened>;
  readonly surface: string;
  /** Calls at work, counted over all servers of this process. */
  readonly load: { atWork: number };
  readonly turns: Turns;
  readonly commandTurns: CommandTurns;
  readonly largeAnswers: LargeAnswers;
}

export function makeMcpServer(parts: McpParts, era: Era): Server {
  const { opened, load } = parts;
  const server = new Server(identity(parts.version), {
    capabilities,
    instructions,
    requestState: { verify: async (state, context) => (await opened).persons.verify(state, context) },
    // Questions to 2025-era clients are put by `Persons`, which knows when nobody answered.
    inputRequired: { legacyShim: false },
  });
  server.setRequestHandler("tools/list", () => ({ tools: listTools() }));
  server.setRequestHandler("tools/call", async (request, context) => {
    const { name, arguments: given } = request.params;
    const { face, persons, callerOf } = await opened;
    const asked = askedOf(parts, callerOf(context, server), context);
    if (!isToolName(name)) return refuseCall(face, asked, `there is no tool "${name.slice(0, 64)}"`);
    const input = readArguments(name, given);
    if ("problem" in input) return refuseCall(face, asked, `${name}: ${input.problem}`);
    if (load.atWork >= mostCalls) return resultOf(tooBusy());
    load.atWork += 1;
    try {
      const work = (): Promise<object | Failure> => run(name, face, input, asked);
      const turns = name === "exec" ? parts.commandTurns : parts.turns;
      const call = (): Promise<object | Failure> => turns.inTurn(asked.signal, work);
      return resultOf(await persons.perform(call, asked, { server, context, era }));
    } finally {
      load.atWork -= 1;
    }
  });
  return server;
}

/** The table is typed tool by tool; here name and input are known to belong together. */
function run(name: ToolName, face: McpFace, input: object, asked: Asked): Promise<object | Failure> {
  const tool = tools[name] as (face: McpFace, input: object, asked: Asked) => Promise<object | Failure>;
  return tool(face, input, asked);
}

function askedOf({ surface, largeAnswers }: McpParts, caller: Caller, context: ServerContext): Asked {
  const { signal, _meta } = context.mcpReq;
  const progressToken = _meta?.progressToken;
  let toldAt = 0;
  const tell = (progress: number): void => {
    const now = performance.now();
    if (progressToken === undefined || now - toldAt < progressEveryMs) return;
    toldAt = now;
    const params = { progressToken, progress, message: `${progress} bytes` };
    context.mcpReq.notify({ method: "notifications/progress", params }).catch(() => {});
  };
  return {
    surface,
    caller,
    signal,
    progress: progressToken === undefined ? undefined : tell,
    room: (bytes) => largeAnswers.room(bytes, signal),
  };
}

/** A call that is malformed is an error of the protocol, and is written down like any refusal. */
async function refuseCall(face: McpFace, asked: Asked, message: string): Promise<never> {
  const failure = new Failure("bad_arguments", message);
  await face.broker.refuseUnread(asked.surface, asked.caller.owner, failure);
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, message, { code: failure.code });
}

function resultOf(result: object | Failure | InputRequiredResult): CallToolResult | InputRequiredResult {
  if (isInputRequiredResult(result)) return result;
  const isError = result instanceof Failure;
  const structured = isError ? told(result) : result;
  return {
    content: [{ type: "text", text: JSON.stringify(structured) }],
    structuredContent: structured as Record<string, unknown>,
    ...(isError ? { isError } : {}),
  };
}

function told(refusal: Failure): object {
  const { code, message, rule, retryAfter } = refusal;
  return {
    code,
    message,
    ...(rule === undefined ? {} : { rule }),
    next: nextOf(refusal),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
}

function tooBusy(): Failure {
  return new Failure("too_busy", "too many calls at once", { next: "try again", retryAfter: 1 });
}
