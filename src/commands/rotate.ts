import type { Command } from "./command.ts";

export const command: Command = {
  usage: "",
  flags: {},
  positionals: { least: 0, most: 0 },
  run: () => Promise.reject(new Error("being written")),
};
