import type { Config } from "../engine/config.ts";
import { Failure } from "../engine/failure.ts";
import type { ReadConfig } from "../engine/read-config.ts";
import { visible } from "../engine/visible.ts";
import { homePath } from "../host/home-path.ts";
import type { Environment } from "../host/keyring.ts";
import { servingUrl } from "../host/serving.ts";
import { lastTimeIn } from "./audit-files.ts";
import type { Command } from "./command.ts";
import { checkAuthority } from "./doctor-authority.ts";
import {
  checkConfig,
  checkHome,
  checkKey,
  checkRuntime,
  checkState,
  checkTrail,
  checkVault,
  type Found,
  problemOf,
  readVault,
} from "./doctor-checks.ts";
import { checkClients } from "./doctor-clients.ts";
import { clockFindings } from "./doctor-clock.ts";
import { checkCredentials } from "./doctor-credentials.ts";
import { checkEnvironment } from "./doctor-environment.ts";
import { checkPrograms } from "./doctor-exec.ts";
import { type Guarantee, guaranteeOf } from "./doctor-guarantee.ts";
import { announcedAt, checkPort } from "./doctor-port.ts";
import { checkSessions } from "./doctor-sessions.ts";
import { portFrom } from "./flag-slips.ts";
import { defaultPort } from "./serve-address.ts";
import { madeAt } from "./version.ts";

export const command: Command = {
  usage: "[--port 5263]",
  flags: {
    port: {
      type: "string",
      value: "PORT",
      help: `port to look at (default: where janee serve is, else ${defaultPort})`,
    },
  },
  positionals: { least: 0, most: 0 },
  notes: [
    "Exit status: 0 no problem (warnings may be), 3 a problem of the config, 5 one of vault, state or trail.",
  ],
  async run(args, talk) {
    const port = portFrom(args, 1);
    if (port instanceof Failure) return port;
    const { environment } = talk;
    const home = homePath(environment);
    const examined =
      home instanceof Failure
        ? { found: [checkRuntime(), problemOf("home", home)] }
        : await examine(home, environment, port);
    const { found } = examined;
    const problems = found.filter(({ level }) => level === "problem");
    const sound = problems.length === 0;
    const guarantee: Guarantee =
      home instanceof Failure
        ? { holds: [], doesNotHold: [] }
        : await guaranteeOf({ home, environment, config: examined.config, sound });
    const { holds, doesNotHold } = guarantee;
    if (talk.json) {
      const whole = [...holds, ...doesNotHold].join(" ");
      talk.printJson({ ok: sound, findings: found, guarantee: whole, holds, doesNotHold });
    } else {
      for (const finding of found) talk.print(described(finding));
      for (const [title, said] of [
        ["what holds here", holds],
        ["what does not", doesNotHold],
      ] as const) {
        if (said.length > 0) talk.print(`\n${title}\n${said.map((line) => `  - ${line}`).join("\n")}`);
      }
    }
    if (problems.length === 0) return 0;
    return problems.some(({ about }) => about !== "config") ? 5 : 3;
  },
};

interface Examined {
  readonly found: readonly Found[];
  readonly config?: Config;
}

async function examine(home: string, environment: Environment, port: number | undefined): Promise<Examined> {
  let read: ReadConfig | undefined;
  const all: Found[] = [checkRuntime()];
  const look = async <T>(check: string, work: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      // A broken home is what this command is for: whatever breaks a check is a finding, too.
      const why = error instanceof Error ? error.message : "unknown error";
      all.push({ level: "problem", check, message: `could not be checked: ${why}`, about: "vault" });
      return undefined;
    }
  };
  const homeFound = (await look("home", () => checkHome(home))) ?? [];
  all.push(...homeFound);
  if (!homeFound.some(({ about, level }) => level === "problem" && about === "config")) {
    const file = await look("key", () => readVault(home));
    const opened = await look("vault", () => checkVault(home, environment));
    if (file instanceof Failure) all.push(problemOf("vault", file));
    else if (file) {
      all.push(...((await look("key", () => checkKey(home, environment, file))) ?? []));
      all.push(...(opened?.found ?? []));
    }
    const config = await look("config", () => checkConfig(home));
    all.push(...(config?.found ?? []));
    const sound = config?.read;
    read = sound;
    const vault = opened?.vault;
    if (sound)
      all.push(
        ...((await look("credentials", () => checkCredentials(home, sound.config, vault, environment))) ??
          []),
      );
    if (sound) all.push(...((await look("authority", () => checkAuthority(home, sound.config))) ?? []));
    if (sound)
      all.push(...((await look("exec", () => checkPrograms(home, environment, sound.config))) ?? []));
    const stored = await look("state", () => checkState(home, vault));
    all.push(...(stored?.found ?? []));
    all.push(
      ...((await look("sessions", () => checkSessions(home, stored?.live ?? [], sound?.config))) ?? []),
    );
    all.push(...((await look("audit", () => checkTrail(home, vault))) ?? []));
    const seen = { now: Date.now(), builtAt: madeAt, stateAt: stored?.latest };
    all.push(...((await look("clock", () => clockFindings({ ...seen, trailAt: lastTimeIn(home) }))) ?? []));
  }
  all.push(...((await look("environment", () => checkEnvironment(environment))) ?? []));
  all.push(...((await look("clients", () => checkClients(home, environment))) ?? []));
  const heard = await look("port", () => checkPort(port, announcedAt(servingUrl(home))));
  if (heard) all.push(heard);
  // An open folder is refused by whoever looks into it: told once is enough.
  const told = new Set<string>();
  const found = all.filter(
    ({ level, message }) => !told.has(`${level} ${message}`) && told.add(`${level} ${message}`),
  );
  return { found, ...(read === undefined ? {} : { config: read.config }) };
}

function described({ level, check, message, remedy }: Found): string {
  const first = `${level.padEnd(7)}  ${check.padEnd(11)}  ${visible(message)}`;
  return remedy === undefined ? first : `${first}\n                      → ${visible(remedy)}`;
}
