import { setTimeout as pause } from "node:timers/promises";
import { Failure } from "../engine/failure.ts";
import { visible } from "../engine/visible.ts";
import { collectGarbage } from "../host/runtime.ts";
import { standardStreams } from "../host/terminal.ts";
import type { Served } from "../surface/mcp/face.ts";
import { Front } from "../surface/mcp/front.ts";
import type { Command } from "./command.ts";
import { version } from "./version.ts";

/** A client that has not begun by then finds the home open. */
const handshakeWithinMs = 20;

export const command: Command = {
  usage: "[--capability a,b] [--agent NAME]",
  flags: {
    capability: {
      type: "string",
      value: "a,b",
      multiple: true,
      help: "only these capabilities exist for this client",
    },
    agent: { type: "string", value: "NAME", help: "a name for people to read; it decides nothing" },
  },
  positionals: { least: 0, most: 0 },
  notes: ["MCP on stdin and stdout, for a client's config. Its sessions end when stdin is closed."],
  run: async (args, talk) => {
    const names = args.texts("capability").flatMap((text) => text.split(",").map((name) => name.trim()));
    const only = names.length === 0 ? undefined : new Set(names.filter((name) => name !== ""));
    const front = new Front({ ...standardStreams(), collect: collectGarbage }, version);
    // Clients wait for the handshake, which needs nothing of what is loaded and opened behind it: it goes first.
    await Promise.race([front.opened, pause(handshakeWithinMs)]);
    const { serveLines } = await import("../surface/mcp/stdio.ts");
    const served = Promise.withResolvers<Served>();
    const serving = serveLines(version, served.promise, front, (message) => {
      if (talk.environment.JANEE_DEBUG) talk.say(`janee: ${visible(message)}`);
    });
    await Promise.race([front.spoken, pause(handshakeWithinMs)]);
    const { serveClient } = await import("./mcp-client.ts");
    const result = await serveClient(talk, { only, agent: args.text("agent") }, served.resolve, serving);
    if (!(result instanceof Failure)) return result;
    served.reject(new Error(result.message));
    await pause(0);
    await serving.stop();
    return result;
  },
};
