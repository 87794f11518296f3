// `janee serve` as a service of the user: the one file that is written outside of the home, because it was asked for.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { dirname } from "node:path";
import { Failure } from "../engine/failure.ts";
import { writeAtomic } from "../host/files.ts";
import { homePath } from "../host/home-path.ts";
import { carriedEnvironment, thisProgram } from "../host/program.ts";
import type { Arguments, Talk } from "./command.ts";
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
  const left = args.flag("install") ? install(unit) : uninstall(unit);
  if (left instanceof Failure) return left;
  const done = args.flag("install") ? "installed" : "uninstalled";
  if (talk.json) {
    talk.printJson({ [done]: left.length === 0, system: unit.system, file: unit.file ?? null, left });
  } else {
    talk.print(`${done}${unit.file === undefined ? "" : ` ${unit.file}`}`);
    if (left.length > 0) talk.say("  → this could not be done here; do it by hand:");
    for (const words of left) talk.say(`    ${words.join(" ")}`);
  }
  return 0;
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

type Left = readonly (readonly string[])[];

/** What could not be run: no such program here, or no session of the system's manager. */
function runAll(steps: Left): Left {
  for (const [at, [program = "", ...words]] of steps.entries()) {
    try {
      execFileSync(program, words, { stdio: "ignore", timeout: 20_000 });
    } catch {
      return steps.slice(at);
    }
  }
  return [];
}
