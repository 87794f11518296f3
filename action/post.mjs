// Ends the sessions, and tells what was done with them.
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { proxyNames } from "./exports.mjs";
import { entry, flag, Problem, put, show } from "./runner.mjs";

const endsWithinMs = 20_000;
const lookEveryMs = 100;

/** janee writes it when its sessions have ended. */
async function summaryIn(folder) {
  const path = join(folder, "summary.md");
  for (let waited = 0; waited < endsWithinMs; waited += lookEveryMs) {
    const text = existsSync(path) ? readFileSync(path, "utf8") : "";
    if (text.startsWith("### janee\n") && text.endsWith("\n\n")) return text;
    await pause(lookEveryMs);
  }
  throw new Problem("janee did not end as it should: what it allowed and denied is not known");
}

await entry(async () => {
  const folder = process.env.STATE_folder;
  if (!folder || process.env.STATE_started !== "true") return;
  // Steps that come after this one reach the world as they did before.
  for (const name of proxyNames) put("GITHUB_ENV", name, "");
  writeFileSync(join(folder, "stop"), "");
  try {
    const summary = await summaryIn(folder);
    if (flag("summary") && process.env.GITHUB_STEP_SUMMARY) {
      appendFileSync(process.env.GITHUB_STEP_SUMMARY, summary);
    }
    const [, denied] = /^\d+ allowed, (\d+) denied/m.exec(summary) ?? [];
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
