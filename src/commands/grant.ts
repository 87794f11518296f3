import { describeRules } from "../engine/describe-rules.ts";
import { Failure } from "../engine/failure.ts";
import type { MintRequest } from "../engine/session.ts";
import { timeLeft } from "../engine/time-left.ts";
import { shortId } from "../engine/token.ts";
import { entropy } from "../host/clock.ts";
import { servingUrl } from "../host/serving.ts";
import type { Command } from "./command.ts";
import { durationMs } from "./duration.ts";
import { withJanee } from "./open.ts";
import { refuseWithoutPerson } from "./person.ts";
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
      const { config } = janee.home.current();
      const capability = config.capabilities.get(name);
      if (!capability) return unknownCapability(name, [...config.capabilities.keys()]);
      const asked = args.text("ttl");
      const ttl = asked === undefined ? capability.ttlMs : durationMs("--ttl", asked);
      if (ttl instanceof Failure) return ttl;
      if (ttl > capability.ttlMs) {
        return new Failure(
          "usage",
          `--ttl is longer than the ${timeLeft(capability.ttlMs)} that "${name}" allows`,
          {
            next: "choose a shorter --ttl, or change the ttl of the capability",
          },
        );
      }
      const reason = args.text("reason");
      if (capability.requireReason && reason === undefined) {
        return new Failure("reason_required", `"${name}" wants a reason`, { next: "give one with --reason" });
      }
      const held = janee.sessions.holds.held("", name);
      const agents = capability.allowedAgents;
      if (agents && !agents.includes(args.text("agent") ?? "")) {
        return new Failure("agent_not_allowed", `"${name}" is for these agents only: ${agents.join(", ")}`, {
          next: "name one of them with --agent",
        });
      }
      // Whose name a session bears is a person's to say where the name decides.
      const byPerson = !capability.autoApprove || held || agents !== undefined;
      if (byPerson) {
        const stakes = [
          `capability: ${name} on ${capability.service}, for ${timeLeft(ttl)}`,
          ...describeRules(capability).map((line) => `  ${line}`),
          ...(held ? ["it was revoked: a yes lets agents ask for it again"] : []),
        ];
        const refused = await refuseWithoutPerson(janee, talk, {
          command: `grant ${name}`,
          stakes,
          need: held
            ? `"${name}" was revoked, and is granted again by a person`
            : `"${name}" is granted by a person`,
          ask: `grant "${name}"?`,
        });
        if (refused) return refused;
      }
      const owner = `grant:${shortId(entropy, 8)}`;
      const agent = args.text("agent");
      const request: MintRequest = {
        owner,
        capability,
        approvedBy: byPerson ? "person" : "policy",
        ttlMs: ttl,
        ...(agent === undefined ? {} : { agent }),
        ...(byPerson ? { agentProven: true } : {}),
        ...(reason === undefined ? {} : { reason }),
      };
      const granted = janee.sessions.grant(request, held, [...config.capabilities.keys()]);
      if (!granted) {
        return new Failure(
          "session_revoked",
          `"${name}" was revoked or granted meanwhile: nothing was granted`,
          {
            next: "run it again if it is still wanted",
          },
        );
      }
      const { session, token } = granted;
      const unwritten = await janee.note({
        ...{
          event: "session",
          outcome: "granted",
          surface: "cli",
          owner,
          session: session.id,
          capability: name,
        },
        service: capability.service,
        ...(agent === undefined ? {} : { agent }),
        ...(reason === undefined ? {} : { reason }),
      });
      if (unwritten) {
        janee.sessions.end(session.id);
        return unwritten;
      }
      const port = args.text("port");
      const running = port === undefined ? servingUrl(janee.home.path) : undefined;
      const baseUrl = `${running ?? `http://127.0.0.1:${port ?? defaultPort}`}/${name}`;
      const expiresAt = new Date(session.expiresAt).toISOString();
      if (talk.json) talk.printJson({ token, baseUrl, session: session.id, capability: name, expiresAt });
      else if (args.flag("env")) talk.print(`export JANEE_TOKEN=${token}\nexport JANEE_BASE_URL=${baseUrl}`);
      else
        talk.print(`token     ${token}\nbase URL  ${baseUrl}\nsession   ${session.id}, until ${expiresAt}`);
      return 0;
    }),
};

export function unknownCapability(name: string, names: readonly string[]): Failure {
  const known = names.length === 0 ? "none yet: janee add <service>" : names.join(", ");
  return new Failure("unknown_capability", `there is no capability "${name.slice(0, 64)}"`, {
    next: `known capabilities: ${known}`,
  });
}
