// What the runner gives an action, and what it takes from one.
import { randomBytes } from "node:crypto";
import { appendFileSync, readFileSync, statSync } from "node:fs";

export class Problem extends Error {}

export function input(name) {
  return (process.env[`INPUT_${name.toUpperCase()}`] ?? "").trim();
}

export function lines(text) {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

export function flag(name) {
  const text = input(name);
  if (text === "true" || text === "false" || text === "") return text === "true";
  throw new Problem(`${name}: expected true or false`);
}

/** Into GITHUB_ENV, GITHUB_STATE or GITHUB_OUTPUT. The end of a value cannot be guessed by who wrote the value. */
export function put(file, name, value) {
  const path = process.env[file];
  // Such a name would be read as the beginning of another variable.
  if (/[\r\n=]|<</.test(name))
    throw new Problem(`a variable has a name that no later step can have: ${name}`);
  if (!path) throw new Problem(`${file} is not set: this runs as an action of a workflow`);
  const end = `end_${randomBytes(16).toString("hex")}`;
  appendFileSync(path, `${name}<<${end}\n${value}\n${end}\n`);
}

/** A file that an input names. */
export function bytesOf(name, path, largest) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isFile()) throw new Problem(`${name}: ${path} is no file`);
  if (stat.size > largest) throw new Problem(`${name}: ${path} is larger than ${largest} bytes`);
  return readFileSync(path);
}

/** For programs that need no secret: what an earlier step may have told git to run gets none either. */
export function bareEnvironment() {
  const needed = ["PATH", "HOME", "USERPROFILE", "SystemRoot", "TEMP", "TMP", "TMPDIR", "LANG"];
  return Object.fromEntries(needed.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}

function escaped(text) {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

export function notice(text) {
  process.stdout.write(`::notice title=janee::${escaped(text)}\n`);
}

/** Shown as it is: nothing in it is a command to the runner. */
export function show(text) {
  const word = randomBytes(16).toString("hex");
  process.stdout.write(`::stop-commands::${word}\n${text.trimEnd()}\n::${word}::\n`);
}

/** Runs an entry of the action: what is expected to go wrong is one line in the log, and the step fails. */
export async function entry(work) {
  try {
    await work();
  } catch (error) {
    const text = error instanceof Problem ? error.message : (error.stack ?? String(error));
    process.stdout.write(`::error title=janee::${escaped(text)}\n`);
    process.exitCode = 1;
  }
}
