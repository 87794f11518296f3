import { Failure } from "../engine/failure.ts";
import { servingUrl } from "../host/serving.ts";
import type { Command } from "./command.ts";
import { portFrom } from "./flag-slips.ts";
import { grantSession } from "./granting.ts";
import { withJanee } from "./open.ts";
import { defaultPort } from "./serve-address.ts";

export const command: Command = {
  usage: "<capability> [--ttl 1h] [--agent NAME] [--reason TEXT] [--json | --env]",
  flags: {
    ttl: { type: "string", value: "1h", help: "shorter than the capability's own ttl" },
    agent: { type: "string", value: "NAME", help: "a name for the audit trail; it decides nothing" },
    reason: { type: "string", value: "TEXT", help: "why, for the audit trail" },
    env: { type: "boolean", help: "print shell variables: JANEE_TOKEN and JANEE_BASE_URL" },
    port: {
      type: "string",
      value: "PORT",
      help: `port of janee serve, for the base URL (default: the one that runs, else ${defaultPort})`,
    },
  },
  positionals: { least: 1, most: 1 },
  notes: [
    "The token stands where the API key would: Authorization: Bearer, X-Api-Key, or as the service does.",
  ],
  run: (args, talk) =>
    withJanee(talk, async (janee) => {
      const name = args.positionals[0] ?? "";
      const port = portFrom(args, 1);
      if (port instanceof Failure) return port;
      const granted = await grantSession(janee, talk, name, {
        command: `grant ${name}`,
        ...{ ttl: args.text("ttl"), agent: args.text("agent"), reason: args.text("reason") },
      });
      if (granted instanceof Failure) return granted;
      const { token, session, expiresAt } = granted;
      const running = port === undefined ? servingUrl(janee.home.path) : undefined;
      const baseUrl = `${running ?? `http://127.0.0.1:${port ?? defaultPort}`}/${name}`;
      if (talk.json) talk.printJson({ token, baseUrl, session, capability: name, expiresAt });
      else if (args.flag("env")) talk.print(`export JANEE_TOKEN=${token}\nexport JANEE_BASE_URL=${baseUrl}`);
      else talk.print(`token     ${token}\nbase URL  ${baseUrl}\nsession   ${session}, until ${expiresAt}`);
      return 0;
    }),
};
