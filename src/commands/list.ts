import { lastSetAt } from "../engine/age.ts";
import { type Capability, type Config, type Service, serviceFlags } from "../engine/config.ts";
import { describeRules, rulesAsWritten } from "../engine/describe-rules.ts";
import { Failure } from "../engine/failure.ts";
import { judge } from "../engine/session.ts";
import { timeLeft } from "../engine/time-left.ts";
import { columns } from "./columns.ts";
import type { Command } from "./command.ts";
import { lastRefusals, refusedAt } from "./last-refusals.ts";
import { withJanee } from "./open.ts";
import { programsOf } from "./programs.ts";

export const command: Command = {
  usage: "",
  flags: {},
  positionals: { least: 0, most: 0 },
  run: (_args, talk) =>
    withJanee(talk, async ({ home, sessions, spawner }) => {
      const { config } = home.current();
      const now = sessions.now();
      const live = sessions.list().filter((session) => !judge(session, now));
      const liveOf = (name: string): Use => ({
        live: live.filter(({ capability }) => capability === name).length,
        held: sessions.holds.held("", name),
      });
      const programs = (capability: Capability): string[] =>
        programsOf(capability, spawner).map(
          ({ command, program }) => `${command}: ${program instanceof Failure ? whyNot(program) : program}`,
        );
      const refusals = lastRefusals(home.path);
      const refused = (service: Service): string | undefined => refusedAt(service, refusals);
      if (talk.json) talk.printJson(published(config, liveOf, programs, refused));
      else if (config.services.size === 0) talk.say("no services yet\n  → janee add stripe");
      else talk.print(described(config, liveOf, programs, refused));
      return 0;
    }),
};

/** An agent does not learn whether a command is installed; a person does. */
function whyNot({ code, message }: Failure): string {
  return code === "command_denied" ? "not found along janee's PATH" : `does not run: ${message}`;
}

interface Use {
  readonly live: number;
  /** Revoked for everyone: a person has to grant, whatever `autoApprove` says. */
  readonly held: boolean;
}

type Count = (capability: string) => Use;

/** When the service last answered 401, where that still stands. */
type Refused = (service: Service) => string | undefined;

type Programs = (capability: Capability) => string[];

function published(config: Config, liveOf: Count, programs: Programs, refused: Refused): object {
  return {
    services: [...config.services.values()].map((service) => ({
      name: service.name,
      baseUrl: service.base?.text ?? null,
      auth: service.auth.type,
      flags: flagsOf(service),
      credentialSetAt: timeOf(lastSetAt(service)),
      refusedAt: refused(service) ?? null,
    })),
    capabilities: [...config.capabilities.values()].map((capability) => ({
      name: capability.name,
      service: capability.service,
      mode: capability.mode,
      ttl: timeLeft(capability.ttlMs),
      autoApprove: capability.autoApprove,
      unrestricted: capability.mode === "http" && capability.rules.unrestricted,
      rules: rulesAsWritten(capability),
      ...(capability.exec ? { commands: capability.exec.allowCommands } : {}),
      programs: programs(capability),
      limit: capability.limit?.text ?? null,
      sessions: liveOf(capability.name).live,
      revoked: liveOf(capability.name).held,
    })),
  };
}

function described(config: Config, liveOf: Count, programs: Programs, refused: Refused): string {
  const services = [...config.services.values()].map((service) => {
    const time = refused(service);
    return [
      service.name,
      service.base?.text ?? "(commands only)",
      service.auth.type,
      [
        ...flagsOf(service),
        ...(time === undefined ? [] : [`credential last refused by the service at ${time}`]),
      ].join(" "),
    ];
  });
  const blocks = [...config.capabilities.values()].map((capability) =>
    describedCapability(capability, liveOf, programs),
  );
  return ["services", columns(services, "  "), "", "capabilities", ...blocks].join("\n").trimEnd();
}

function describedCapability(capability: Capability, liveOf: Count, programs: Programs): string {
  const { name, service, ttlMs, autoApprove, limit } = capability;
  const { live, held } = liveOf(name);
  const manual = held ? "revoked: a person must grant" : "a person approves each session";
  const approval = autoApprove && !held ? "auto-approved" : manual;
  const head = [`on ${service}`, timeLeft(ttlMs), approval, ...(limit ? [limit.text] : []), `${live} live`];
  const lines = [...describeRules(capability), ...programs(capability)];
  return [`  ${name}  ${head.join(", ")}`, ...lines.map((line) => `    ${line}`)].join("\n");
}

function timeOf(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}

function flagsOf(service: Service): string[] {
  return serviceFlags.filter((flag) => service[flag]);
}
