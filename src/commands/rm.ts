import type { Config } from "../engine/config.ts";
import type { Edit } from "../engine/edit-config.ts";
import type { Command } from "./command.ts";
import { withJanee } from "./open.ts";
import { applyChange } from "./policy-change.ts";
import { unknownService } from "./set.ts";

export const command: Command = {
  usage: "<name>",
  flags: { capability: { type: "boolean", help: "the capability, where a service has the same name" } },
  positionals: { least: 1, most: 1 },
  notes: ["A service goes with its capabilities; their sessions end at once."],
  run: (args, talk) =>
    withJanee(talk, async (janee) => {
      const name = args.positionals[0] ?? "";
      const { config } = janee.home.current();
      const service = !args.flag("capability") && config.services.has(name);
      if (!service && !config.capabilities.has(name)) {
        return unknownService(name, [...config.services.keys(), ...config.capabilities.keys()]);
      }
      const gone = service ? capabilitiesOf(config, name) : [name];
      const failure = await applyChange(janee, talk, {
        command: `rm ${name}`,
        credential: "none",
        plan: (read) => removals(read.config, name, service),
      });
      if (failure) return failure;
      const ended = janee.sessions.list().filter(({ capability }) => gone.includes(capability));
      for (const { id } of ended) janee.sessions.end(id);
      if (talk.json)
        talk.printJson({ service: service ? name : null, capabilities: gone, sessions: ended.length });
      else
        talk.print(
          `removed ${[...(service ? [`service ${name}`] : []), ...gone.map((one) => `capability ${one}`)].join(", ")}`,
        );
      return 0;
    }),
};

function capabilitiesOf(config: Config, service: string): string[] {
  return [...config.capabilities.values()].filter((one) => one.service === service).map((one) => one.name);
}

function removals(config: Config, name: string, service: boolean): Edit[] {
  if (!service) return [{ path: ["capabilities", name], remove: true }];
  const capabilities = capabilitiesOf(config, name);
  const edits = capabilities.map((one): Edit => ({ path: ["capabilities", one], remove: true }));
  return [...edits, { path: ["services", name], remove: true }];
}
