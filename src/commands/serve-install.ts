// `janee serve` as a service of the user: the one file that is written outside of the home, because it was asked for.
import { execFileSync, type SpawnSyncReturns } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { dirname } from "node:path";
import { Failure } from "../engine/failure.ts";
import { visible } from "../engine/visible.ts";
import { writeAtomic } from "../host/files.ts";
import { homePath } from "../host/home-path.ts";
import { carriedEnvironment, thisProgram } from "../host/program.ts";
import type { Arguments, Talk } from "./command.ts";
import { exitCode } from "./exit-code.ts";
import { defaultHost, defaultPort } from "./serve-address.ts";
import { problemInUnit, systemOf, type Unit, unitFor } from "./service-unit.ts";

export async function installation(
  args: Arguments,
  talk: Talk,
  address: { readonly host: string; readonly port: number },
): Promise<number | Failure> {
  if (args.flag("install") && args.flag("uninstall")) {
    return new Failure("usage", "either --install or --uninstall, not both");
  }
  const unit = unitOf(args, talk, address);
  if (unit instanceof Failure) return unit;
  const outcome = args.flag("install") ? install(unit) : uninstall(unit);
  if (outcome instanceof Failure) return outcome;
  const done = args.flag("install") ? "installed" : "uninstalled";
  if (talk.json) {
    const { steps: left, why } = outcome;
    talk.printJson({
      [done]: left.length === 0,
      system: unit.system,
      file: unit.file ?? null,
      left,
      why: why ?? null,
    });
  } else {
    const { steps: left, why } = outcome;
    const where = unit.file === undefined ? "" : ` ${unit.file}`;
    talk.print(
      left.length === 0 ? `${done}${where}` : `${done === "installed" ? "written" : "taken back"}${where}`,
    );
    if (left.length > 0) {
      talk.say(
        `janee: the service could not be ${done === "installed" ? "started" : "stopped"} here: ${why}`,
      );
      talk.say("  → do this by hand where that is mended, or run janee serve in a terminal:");
    }
    for (const words of left) talk.say(`    ${words.join(" ")}`);
  }
  // Taken back it is all the same; installed it is not.
  return outcome.steps.length > 0 && args.flag("install") ? exitCode("spawn_failed") : 0;
}

function unitOf(args: Arguments, talk: Talk, address: { host: string; port: number }): Unit | Failure {
  const home = homePath(talk.environment);
  if (home instanceof Failure) return home;
  if (talk.environment.JANEE_KEY !== undefined && args.flag("install")) {
    return new Failure(
      "usage",
      "a service does not get JANEE_KEY: a key in a unit's file could be read by others",
      {
        next: "put the key into a private file and set JANEE_KEY_FILE",
      },
    );
  }
  const { command, args: before } = thisProgram(talk.environment);
  const flags = [
    ...(address.host === defaultHost ? [] : ["--host", address.host]),
    ...(address.port === defaultPort ? [] : ["--port", `${address.port}`]),
    ...args.texts("allow-host").flatMap((name) => ["--allow-host", name]),
  ];
  const wanted = {
    words: [command, ...before, "serve", ...flags],
    environment: carriedEnvironment(talk.environment, home),
    userHome: homedir(),
    uid: process.getuid?.() ?? 0,
  };
  const problem = problemInUnit(wanted);
  if (problem) return new Failure("usage", problem, { next: "use paths that are one line of plain text" });
  return unitFor(systemOf(process.platform), wanted);
}

/** What is left for a person to do. */
function install({ file, text, start }: Unit): Left | Failure {
  if (file !== undefined) {
    mkdirSync(dirname(file), { recursive: true });
    const unwritten = writeAtomic(file, text);
    if (unwritten) return unwritten;
  }
  return runAll(start);
}

/** Stopped while its file is still there: without it the system would not know what is meant. */
function uninstall({ file, stop }: Unit): Left | Failure {
  if (file !== undefined && !existsSync(file)) {
    return new Failure("not_found", `${file} is not there: nothing to take back`);
  }
  const left = runAll(stop);
  if (file !== undefined) rmSync(file);
  return left;
}

type Steps = readonly (readonly string[])[];

interface Left {
  readonly steps: Steps;
  /** Why the first of them failed. */
  readonly why?: string;
}

/** What could not be run: no such program here, or no session of the system's manager. */
function runAll(steps: Steps): Left {
  for (const [at, [program = "", ...words]] of steps.entries()) {
    try {
      execFileSync(program, words, { stdio: ["ignore", "ignore", "pipe"], timeout: 20_000 });
    } catch (error) {
      return { steps: steps.slice(at), why: whyNot(program, error as Partial<SpawnSyncReturns<Buffer>>) };
    }
  }
  return { steps: [] };
}

function whyNot(
  program: string,
  { stderr, status, code }: Partial<SpawnSyncReturns<Buffer>> & { readonly code?: string },
): string {
  if (code === "ENOENT") return `there is no ${program} on this machine`;
  if (code === "ETIMEDOUT") return `${program} did not end within 20 seconds`;
  const said = (stderr?.toString("utf8") ?? "").trim().split("\n")[0] ?? "";
  return visible(
    said === ""
      ? `${program} ended with ${status ?? code ?? "an error"}`
      : `${program}: ${said.slice(0, 300)}`,
  );
}
