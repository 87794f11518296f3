// What a program prints. It runs on the host with janee's own environment, found where no one else could have put it.
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { homedir } from "node:os";
import { basename } from "node:path";
import { Failure } from "../../engine/failure.ts";
import type { Environment } from "../key-place.ts";
import { Finder } from "../spawn/find.ts";
import { began, ended } from "../spawn/kin.ts";
import { markedApart } from "../spawn/marks.ts";
import { childPath, searchPath } from "../spawn/search-path.ts";
import { longestCredential, notThere } from "./credential.ts";

/** They steer the runtime that janee is made of, or open janee's own vault. */
const withheld = new Set(["BUN_OPTIONS", "BUN_BE_BUN", "JANEE_KEY", "JANEE_UNATTENDED", "PATH", "Path"]);
/** One line end may follow the credential. */
const mostPrinted = longestCredential + 2;
/** For the rest of what an ended program has printed, where something it started keeps the pipe. */
const lingersMs = 500;

export async function printed(
  command: string,
  words: readonly string[],
  environment: Environment,
  patienceMs: number,
): Promise<string | Failure> {
  const entries = searchPath(environment.PATH ?? environment.Path);
  // Looked for anew each time: a vendor's program may be brought up to date while janee runs.
  const finder = new Finder(entries, environment.PATHEXT);
  const program = finder.find(command, { outside: [] });
  const name = basename(command);
  if (program instanceof Failure) {
    const missing = program.code === "command_denied";
    return notThere(missing ? `the program ${name} is not there, along janee's PATH` : program.message);
  }
  const env: Record<string, string> = { PATH: childPath(entries, []) };
  for (const [key, value] of Object.entries(environment)) {
    if (value !== undefined && !withheld.has(key)) env[key] = value;
  }
  const changed = finder.stillThere(program);
  if (changed instanceof Failure) return notThere(changed.message);
  try {
    const options: SpawnOptions = {
      argv0: name,
      env,
      // Where janee was started, an agent may have left settings for the program.
      cwd: environment.HOME || homedir(),
      stdio: ["ignore", "pipe", "ignore"],
      detached: process.platform !== "win32",
      windowsHide: true,
    };
    const child = markedApart(() => spawn(program.path, [...words], options));
    // What is not a command of an agent is not ended with one.
    began(child.pid ?? 0);
    for (const end of ["exit", "error"]) child.on(end, () => ended(child.pid ?? 0));
    return await outputOf(child, name, patienceMs);
  } catch {
    return notThere(`the program ${name} could not be started`);
  }
}

/** What still runs when janee ends has nobody left who waits for it. */
const running = new Set<ChildProcess>();

function outputOf(child: ChildProcess, name: string, patienceMs: number): Promise<string | Failure> {
  if (running.size === 0) process.once("exit", endAll);
  running.add(child);
  return new Promise((done) => {
    const pieces: Buffer[] = [];
    let size = 0;
    let lingering: ReturnType<typeof setTimeout> | undefined;
    const finish = (result: string | Failure): void => {
      clearTimeout(late);
      clearTimeout(lingering);
      child.stdout?.destroy();
      running.delete(child);
      if (running.size === 0) process.removeListener("exit", endAll);
      done(result);
    };
    const end = (why: string): void => {
      endGroup(child);
      finish(notThere(`the program ${name} ${why}`));
    };
    const late = setTimeout(() => end(`did not end within ${patienceMs / 1000} s`), patienceMs);
    child.stdout?.on("data", (bytes: Buffer) => {
      size += bytes.length;
      if (size > mostPrinted) end(`printed more than ${longestCredential} bytes`);
      else pieces.push(bytes);
    });
    child.on("error", () => finish(notThere(`the program ${name} could not be started`)));
    const conclude = (status: number | null): void => {
      if (status === 0) finish(Buffer.concat(pieces).toString("utf8"));
      else
        finish(
          notThere(
            `the program ${name} ended with ${status === null ? "a signal" : `exit status ${status}`}`,
          ),
        );
    };
    child.on("exit", (status) => {
      lingering = setTimeout(() => {
        endGroup(child);
        conclude(status);
      }, lingersMs);
    });
    child.on("close", conclude);
  });
}

function endAll(): void {
  for (const child of running) endGroup(child);
}

function endGroup(child: ChildProcess): void {
  try {
    if (child.pid === undefined) return;
    if (process.platform === "win32") child.kill("SIGKILL");
    else process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
