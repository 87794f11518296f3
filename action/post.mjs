// Ends the sessions, and tells what was done with them.
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { proxyNames } from "./exports.mjs";
import { entry, flag, Problem, put, show } from "./runner.mjs";

const endsWithinMs = 20_000;
const lookEveryMs = 100;

function isAlive(pid) {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const stat = `/proc/${pid}/stat`;
  // Where nobody asks for the status of an orphan, as in many containers, it stays as a zombie.
  return !existsSync(stat) || !/\) Z /.test(readFileSync(stat, "utf8"));
}

/** What janee writes last, when its sessions have ended. */
async function summaryOf(pid, folder) {
  for (let waited = 0; isAlive(pid); waited += lookEveryMs) {
    if (waited > endsWithinMs) throw new Problem("janee did not end in time");
    await pause(lookEveryMs);
  }
  const path = join(folder, "summary.md");
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  const from = text.lastIndexOf("### janee\n\n");
  if (from < 0) throw new Problem("janee ended before its time: what it allowed and denied is not known");
  return text.slice(from);
}

await entry(async () => {
  const { STATE_folder: folder, STATE_pid: pid } = process.env;
  if (!folder || !pid) return;
  // Steps that come after this one reach the world as they did before.
  for (const name of proxyNames) put("GITHUB_ENV", name, "");
  writeFileSync(join(folder, "stop"), "");
  try {
    const summary = await summaryOf(Number(pid), folder);
    if (flag("summary") && process.env.GITHUB_STEP_SUMMARY) {
      appendFileSync(process.env.GITHUB_STEP_SUMMARY, summary);
    }
    const [, denied] = /^### janee\n\n\d+ allowed, (\d+) denied/.exec(summary) ?? [];
    if (flag("fail-on-deny") && denied !== "0") {
      throw new Problem(`${denied} requests were denied, which fails this job (fail-on-deny)`);
    }
  } finally {
    const log = join(folder, "janee.log");
    if (existsSync(log)) show(readFileSync(log, "utf8"));
    for (const name of ["janee", "janee.exe", "policy.yaml", "janee.log", "summary.md"]) {
      rmSync(join(folder, name), { force: true });
    }
  }
});
