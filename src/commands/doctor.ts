import type { Config } from "../engine/config.ts";
import { Failure } from "../engine/failure.ts";
import type { ReadConfig } from "../engine/read-config.ts";
import type { VaultFile } from "../engine/vault.ts";
import { visible } from "../engine/visible.ts";
import { homePath } from "../host/home-path.ts";
import { placeOf } from "../host/key-place.ts";
import type { Environment } from "../host/keyring.ts";
import { keychain } from "../host/runtime.ts";
import type { Command } from "./command.ts";
import { checkAuthority } from "./doctor-authority.ts";
import {
  checkConfig,
  checkEnvironment,
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
import { checkCredentials } from "./doctor-credentials.ts";
import { checkPrograms, execGuarantee } from "./doctor-exec.ts";
import { checkPort } from "./doctor-port.ts";
import { defaultHost, defaultPort } from "./serve-address.ts";

export const command: Command = {
  usage: "[--port 5263]",
  flags: { port: { type: "string", value: "PORT", help: `port of janee serve (default ${defaultPort})` } },
  positionals: { least: 0, most: 0 },
  notes: [
    "Exit status: 0 no problem (warnings may be), 3 a problem of the config, 5 one of vault, state or trail.",
  ],
  async run(args, talk) {
    const port = Number(args.text("port") ?? defaultPort);
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      return new Failure("usage", "--port wants a number from 1 to 65535");
    }
    const { environment } = talk;
    const home = homePath(environment);
    const examined =
      home instanceof Failure
        ? { found: [checkRuntime(), problemOf("home", home)] }
        : await examine(home, environment, port);
    const { found } = examined;
    const problems = found.filter(({ level }) => level === "problem");
    const guarantee =
      home instanceof Failure
        ? []
        : [
            ...guaranteeOf(home, environment, problems.length === 0),
            ...(await execGuarantee(examined.config)),
          ];
    if (talk.json) {
      talk.printJson({ ok: problems.length === 0, findings: found, guarantee: guarantee.join(" ") });
    } else {
      for (const finding of found) talk.print(described(finding));
      if (guarantee.length > 0) talk.print(`\n${guarantee.join("\n")}`);
    }
    if (problems.length === 0) return 0;
    return problems.some(({ about }) => about !== "config") ? 5 : 3;
  },
};

interface Examined {
  readonly found: readonly Found[];
  readonly config?: Config;
}

async function examine(home: string, environment: Environment, port: number): Promise<Examined> {
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
    all.push(...((await look("state", () => checkState(home, vault))) ?? []));
    all.push(...((await look("audit", () => checkTrail(home, vault))) ?? []));
  }
  all.push(...((await look("environment", () => checkEnvironment(environment))) ?? []));
  all.push(...((await look("clients", () => checkClients(home, environment))) ?? []));
  const heard = await look("port", () => checkPort(defaultHost, port));
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

/** What holds on this machine, in plain words; nothing is promised that is not so. */
function guaranteeOf(home: string, environment: Environment, whole: boolean): string[] {
  const file = readVault(home);
  if (file instanceof Failure)
    return ["No credential is kept here yet, so there is nothing to lose and nothing to use."];
  const bound = file.machine ? ", and the key file opens it on this machine alone" : "";
  const kept = file.provider === "file" ? `: the key lies outside of it${bound}` : "";
  return [
    "An agent that goes through janee gets sessions and answers, never a credential; a request is sent only when its capability allows it, and is in the audit trail first.",
    `A copy of ${visible(home)} opens no credential${kept}.`,
    `This does not hold against an agent that runs as your own user with an unsandboxed shell: it can reach ${reachOf(home, environment, file)} and open the vault. Give such an agent a sandbox, a container or a user of its own.`,
    ...(whole ? [] : ["Mend the problems above first: what they touch does not work, and is not promised."]),
  ];
}

function reachOf(home: string, environment: Environment, file: VaultFile): string {
  if (file.provider === "env") return "JANEE_KEY in the environment of a running janee";
  const place = placeOf(home, file.provider, file.id, environment, keychain());
  const name = place instanceof Failure ? "the key" : visible(place.name);
  return file.provider === "file" ? `the key file ${name}` : name;
}
