import { readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Service } from "../engine/config.ts";
import { configSchema } from "../engine/config-schema.ts";
import { Failure } from "../engine/failure.ts";
import { lintConfig } from "../engine/lint-config.ts";
import { didYouMean } from "../engine/nearest.ts";
import { type Finding, type ReadConfig, readConfig } from "../engine/read-config.ts";
import { visible } from "../engine/visible.ts";
import { homePath } from "../host/home-path.ts";
import type { Command, Talk } from "./command.ts";
import { unfitSecrets } from "./unfit-secrets.ts";

const actions = ["check", "path", "schema"];
const largest = 16 * 1024 * 1024;

export const command: Command = {
  usage: "check [FILE] | path | schema",
  flags: {},
  positionals: { least: 1, most: 2 },
  notes: [
    "check: exit status 3 (5 where a credential would travel in the clear) and file:line:column on an error; warnings alone leave it at 0. Nothing is changed.",
    "schema: the JSON Schema of config.yaml, for editors.",
  ],
  async run(args, talk) {
    const [action = "", file] = args.positionals;
    if (!actions.includes(action)) {
      return usage(`unknown argument ${action.slice(0, 40)}${didYouMean(action, actions)}`);
    }
    if (action !== "check" && file !== undefined) return usage(`config ${action} takes no file`);
    if (action === "schema") {
      talk.printJson(configSchema());
      return 0;
    }
    const home = homePath(talk.environment);
    if (home instanceof Failure) return home;
    const path = file === undefined ? join(home, "config.yaml") : resolve(file);
    if (action === "check") return check(path, file, talk);
    if (talk.json) talk.printJson({ path });
    else talk.print(path);
    return 0;
  },
};

function usage(message: string): Failure {
  return new Failure("usage", message, {
    next: "expected: janee config check [FILE], config path or config schema",
  });
}

async function check(path: string, named: string | undefined, talk: Talk): Promise<number | Failure> {
  const read = readConfigFile(path);
  if (read instanceof Failure) {
    // Of a file that was named, a missing one is a slip of the fingers.
    const isSlip = read.code === "config_missing" && named !== undefined;
    return isSlip ? new Failure("not_found", read.message, { next: "check the name of the file" }) : read;
  }
  const { services, capabilities } = read.config;
  const unfit = await Promise.all([...services.values()].map((service) => unfitFinding(service)));
  const warnings = [...findingsOf(read), ...unfit.flat()];
  if (talk.json) {
    talk.printJson({
      ok: true,
      file: path,
      services: services.size,
      capabilities: capabilities.size,
      warnings,
    });
    return 0;
  }
  for (const finding of warnings) talk.print(describeFinding(finding));
  const counted =
    warnings.length === 0 ? "" : `, ${warnings.length} ${warnings.length === 1 ? "warning" : "warnings"}`;
  talk.print(`ok: ${services.size} services, ${capabilities.size} capabilities${counted}`);
  return 0;
}

async function unfitFinding(service: Service): Promise<Finding[]> {
  const problem = await unfitSecrets(service, undefined);
  return problem ? [{ message: `service ${service.name}: ${problem.message}` }] : [];
}

/** Reads and nothing else: what stands in the clear is not sealed, and a mode is not mended. */
export function readConfigFile(path: string): ReadConfig | Failure {
  try {
    const size = statSync(path).size;
    // Far above what a config may be: the reader says what the limit is.
    if (size > largest)
      return new Failure("config_invalid", `${path} is far larger than a config may be (1 MiB)`);
    return readConfig(readFileSync(path, "utf8"), path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    if (code === "ENOENT") {
      return new Failure("config_missing", `there is no config at ${path}`, {
        next: "make one with: janee init",
      });
    }
    return new Failure("config_invalid", `${path} cannot be read (${code})`, {
      next: "see who owns it and what its mode is: janee doctor",
    });
  }
}

/** What the reader warns of and what lint finds, each once. */
export function findingsOf(read: ReadConfig): readonly Finding[] {
  const found = new Map<string, Finding>();
  for (const finding of [...read.warnings, ...lintConfig(read.config, read.rulePlaces, read.argsPlaces)]) {
    const { message, at } = finding;
    found.set(`${at?.line}:${at?.column} ${message}`, finding);
  }
  return [...found.values()].sort((one, other) => (one.at?.line ?? 0) - (other.at?.line ?? 0));
}

export function describeFinding({ message, at }: Finding): string {
  const place = at ? `${at.file}:${at.line}:${at.column}: ` : "";
  return `${place}warning: ${visible(message)}`;
}
