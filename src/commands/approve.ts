import type { Command } from "./command.ts";
import { decide } from "./decide.ts";

export const command: Command = {
  usage: "<id>",
  flags: {},
  positionals: { least: 1, most: 1 },
  run: (args, talk) => decide(args, talk, "approved"),
};
