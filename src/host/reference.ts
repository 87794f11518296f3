// A credential may lie elsewhere: in the environment, in a file, or in what a command of the host prints.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { Failure } from "../engine/failure.ts";
import { Secret } from "../engine/secret.ts";
import { began, ended } from "./spawn/kin.ts";
import { markedApart } from "./spawn/marks.ts";

const commandTimeoutMs = 30_000;
const longest = 64 * 1024;

export async function followReference(
  reference: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Secret | Failure> {
  const colon = reference.indexOf(":");
  const kind = reference.slice(0, colon);
  const rest = reference.slice(colon + 1).trim();
  if (kind === "env")
    return fromText(environment[rest], `the variable ${rest} is not set`, `set ${rest} for janee`);
  if (kind === "file")
    return fromText(readText(rest), `the file ${rest} cannot be read`, "check its path and mode");
  return fromCommand(rest);
}

function fromText(text: string | undefined, problem: string, next: string): Secret | Failure {
  const value = text?.replace(/\r?\n$/, "");
  if (value === undefined || value === "") return new Failure("reference_failed", problem, { next });
  if (/[\x00-\x1f\x7f]/.test(value) || value.length > longest) {
    return new Failure(
      "reference_failed",
      "what the reference leads to is no credential: it has control characters",
      {
        next: "check what the reference names",
      },
    );
  }
  return new Secret(value);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path.startsWith("~/") ? join(homedir(), path.slice(2)) : path, "utf8");
  } catch {
    return undefined;
  }
}

/** Words are split at blanks and no shell is involved; neither output nor error text is ever shown. */
function fromCommand(command: string): Promise<Secret | Failure> {
  const [program, ...words] = command.split(/ +/);
  return new Promise((done) => {
    const options = { timeout: commandTimeoutMs, maxBuffer: longest };
    const take = (error: unknown, stdout: string): void => {
      ended(child.pid ?? 0);
      const problem = `the command ${program} did not give a credential`;
      done(fromText(error ? undefined : stdout, problem, `run it by hand and see: ${command}`));
    };
    const child = markedApart(() => execFile(program ?? "", words, options, take));
    // What is not a command of an agent is not ended with one.
    began(child.pid ?? 0);
  });
}
