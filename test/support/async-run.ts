// A program, run while this process goes on serving.
import { spawn } from "node:child_process";
import { within } from "./wait.ts";

const withinMs = 20_000;

export function asyncRun(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ readonly status: number | null; readonly stdout: string; readonly stderr: string }> {
  const child = spawn(program, [...args], { env: { ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (bytes: Buffer) => {
    stdout += bytes.toString();
  });
  child.stderr.on("data", (bytes: Buffer) => {
    stderr += bytes.toString();
  });
  const ended = new Promise<number | null>((done, failed) => {
    child.once("error", failed);
    child.once("close", (status) => done(status));
  });
  return within(withinMs, ended, program).then((status) => ({ status, stdout, stderr }));
}
