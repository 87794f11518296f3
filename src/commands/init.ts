import { Failure } from "../engine/failure.ts";
import { Home } from "../host/home.ts";
import { homePath } from "../host/home-path.ts";
import type { Command } from "./command.ts";

export const command: Command = {
  usage: "",
  flags: {},
  positionals: { least: 0, most: 0 },
  notes: ["What is there already is left as it is."],
  async run(_args, talk) {
    const path = homePath(talk.environment);
    if (path instanceof Failure) return path;
    const home = await Home.open(talk.environment, true);
    if (home instanceof Failure) return home;
    if (talk.json) talk.printJson({ home: path, config: home.configPath });
    else {
      talk.print(`janee's home is ${path}`);
      talk.say("  → add a first service: janee add stripe");
    }
    return 0;
  },
};
