import { Failure } from "../engine/failure.ts";
import { didYouMean } from "../engine/nearest.ts";
import { shortId } from "../engine/session.ts";
import { visible } from "../engine/visible.ts";
import { entropy } from "../host/clock.ts";
import { servingUrl } from "../host/serving.ts";
import { standardStreams } from "../host/terminal.ts";
import type { Command, Talk } from "./command.ts";
import { withJanee } from "./open.ts";
import { version } from "./version.ts";
import { watchOver } from "./watch.ts";
import type { Janee } from "./wire-up.ts";

const ownerIdLength = 8;
const stateKeyBytes = 32;

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
  run: (args, talk) => {
    const names = args.texts("capability").flatMap((text) => text.split(",").map((name) => name.trim()));
    const only = names.length === 0 ? undefined : new Set(names.filter((name) => name !== ""));
    return withJanee(talk, (janee) => serve(janee, talk, only, args.text("agent")));
  },
};

async function serve(
  janee: Janee,
  talk: Talk,
  only: ReadonlySet<string> | undefined,
  agent: string | undefined,
): Promise<number | Failure> {
  const { home, broker, sessions, approvals } = janee;
  const known = [...home.current().config.capabilities.keys()];
  for (const name of only ?? []) {
    if (!known.includes(name)) {
      return new Failure(
        "unknown_capability",
        `there is no capability "${name.slice(0, 64)}"${didYouMean(name, known)}`,
        {
          next: known.length === 0 ? "janee add <service>" : `known capabilities: ${known.join(", ")}`,
        },
      );
    }
  }
  const { serveLines } = await import("../surface/mcp/stdio.ts");
  for (const warning of home.warnings) talk.say(`janee: warning: ${visible(warning.message)}`);
  const caller = {
    owner: `mcp:${shortId(entropy, ownerIdLength)}`,
    ...(agent === undefined ? {} : { agent }),
    ...(only === undefined ? {} : { only }),
  };
  const face = {
    ...{ broker, policy: home, sessions, approvals, version },
    stateKey: entropy.bytes(stateKeyBytes),
    servingUrl: () => servingUrl(home.path),
  };
  const watch = watchOver(janee, talk);
  const serving = serveLines(face, caller, standardStreams(), (message) => {
    if (talk.environment.JANEE_DEBUG) talk.say(`janee: ${visible(message)}`);
  });
  process.once("SIGINT", () => void serving.stop());
  process.once("SIGTERM", () => void serving.stop());
  await serving.ended;
  await broker.endSessionsOf(caller, "mcp");
  watch.stop();
  return 0;
}
