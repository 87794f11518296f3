// Installs janee, starts it around a command that only waits, and gives later steps that command's environment.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, openSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { isAbsolute, join, relative, sep } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { install, sha256 } from "./binary.mjs";
import { exportAll } from "./exports.mjs";
import { policy } from "./policy.mjs";
import { entry, flag, input, lines, Problem, put, show } from "./runner.mjs";

const startsWithinMs = 60_000;

/** Wherever links lead. */
function isInWorkspace(path) {
  const real = (one) => (existsSync(one) ? realpathSync(one) : one);
  const inside = relative(real(process.env.GITHUB_WORKSPACE ?? process.cwd()), real(path));
  return !(inside.split(sep)[0] === ".." || isAbsolute(inside));
}

function flagsOf(folder, config) {
  const flags = ["run", "--mask", "--config", config, "--summary", join(folder, "summary.md")];
  for (const binding of lines(input("bind"))) flags.push(`--bind=${binding}`);
  for (const name of ["capability", "unmatched"])
    if (input(name) !== "") flags.push(`--${name}=${input(name)}`);
  const caFile = input("ca-file");
  if (caFile !== "") {
    // A pull request can change every file of the workspace.
    if (!isAbsolute(caFile) || isInWorkspace(caFile)) {
      throw new Problem("ca-file: expected an absolute path outside the workspace");
    }
    flags.push(`--ca-file=${caFile}`);
  }
  return flags;
}

/** The environment that janee made, once its command runs. */
function started(child, log) {
  return new Promise((done, failed) => {
    const overdue = setTimeout(() => failed(new Problem("janee did not start in time")), startsWithinMs);
    child.once("error", (error) => failed(new Problem(`janee cannot be started: ${error.code}`)));
    child.once("close", (status) => {
      clearTimeout(overdue);
      show(readFileSync(log, "utf8"));
      failed(new Problem(`janee ended with status ${status}: its last words are above`));
    });
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line.startsWith("::add-mask::")) return process.stdout.write(`${line}\n`);
      clearTimeout(overdue);
      done(JSON.parse(line));
    });
  });
}

await entry(async () => {
  flag("fail-on-deny");
  flag("summary");
  const folder = mkdtempSync(join(process.env.RUNNER_TEMP ?? tmpdir(), "janee-action-"));
  put("GITHUB_STATE", "folder", folder);
  const program = await install(folder);
  const text = policy();
  const config = join(folder, "policy.yaml");
  writeFileSync(config, text, { mode: 0o600 });
  put("GITHUB_OUTPUT", "policy-sha256", sha256(text));

  const hold = fileURLToPath(new URL("hold.mjs", import.meta.url));
  const log = join(folder, "janee.log");
  const flags = flagsOf(folder, config);
  const child = spawn(program, [...flags, "--", process.execPath, hold, join(folder, "stop")], {
    detached: true,
    stdio: ["ignore", "pipe", openSync(log, "a", 0o600)],
  });
  try {
    const given = await started(child, log);
    put("GITHUB_STATE", "pid", String(child.pid));
    show(readFileSync(log, "utf8"));
    exportAll(given, process.env, folder);
  } catch (error) {
    child.kill();
    throw error;
  } finally {
    // It goes on; nothing of it keeps this process.
    child.stdout.destroy();
    child.unref();
  }
});
