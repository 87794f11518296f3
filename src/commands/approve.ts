import type { Command } from "./command.ts";
import { decide } from "./decide.ts";

export const command: Command = {
  usage: "<id> [--session]",
  flags: {
    session: { type: "boolean", help: "for all that this rule covers, as long as the session lives" },
  },
  positionals: { least: 1, most: 1 },
  run: (args, talk) => decide(args, talk, "approved"),
};
