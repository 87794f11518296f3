import { knownServices } from "../engine/known-services.ts";
import { columns } from "./columns.ts";
import type { Command } from "./command.ts";

export const command: Command = {
  usage: "[text]",
  flags: {},
  positionals: { least: 0, most: 1 },
  async run(args, talk) {
    const text = (args.positionals[0] ?? "").toLowerCase();
    const found = Object.entries(knownServices).filter(([name, { title, baseUrl }]) => {
      return `${name} ${title} ${baseUrl}`.toLowerCase().includes(text);
    });
    if (talk.json) {
      talk.printJson(found.map(([name, service]) => ({ name, ...service })));
    } else if (found.length === 0) {
      talk.say("janee knows no such service: name it as you like, with --base-url and --auth-type");
    } else {
      talk.print(
        columns(found.map(([name, { title, baseUrl, keyPage }]) => [name, title, baseUrl, keyPage])),
      );
    }
    return 0;
  },
};
