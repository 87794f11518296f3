// What every long-running command looks after: revocations for what is in flight, keys that were rotated, refusals that
// were counted, and a config that changed.
import { visible } from "../engine/visible.ts";
import { changes as changesOf } from "../engine/widening.ts";
import type { ConfigChange } from "../host/home.ts";
import type { Talk } from "./command.ts";
import { endDeadRuns } from "./dead-runs.ts";
import type { Janee } from "./wire-up.ts";

const recheckEveryMs = 50;
const countRefusalsEveryMs = 1_000;
const tidyEveryMs = 3_600_000;
const clearEveryMs = 10_000;

export function watchOver(janee: Janee, talk: Talk): { readonly stop: () => void } {
  janee.home.onChange((change) => void tellChange(janee, talk, change));
  const rechecking = setInterval(() => {
    void janee.home.refreshVault();
    janee.broker.recheckInFlight();
  }, recheckEveryMs);
  const counting = setInterval(() => void janee.broker.writeRefusalCounts(), countRefusalsEveryMs);
  janee.sessions.tidy();
  const tidying = setInterval(() => janee.sessions.tidy(), tidyEveryMs);
  const clearing = setInterval(() => void endDeadRuns(janee), clearEveryMs);
  return {
    stop: () => {
      clearInterval(rechecking);
      clearInterval(counting);
      clearInterval(tidying);
      clearInterval(clearing);
    },
  };
}

async function tellChange(janee: Janee, talk: Talk, change: ConfigChange): Promise<void> {
  if (change.kind === "kept") {
    const at = change.problem.at;
    const place = at ? `${at.line}:${at.column}: ` : "";
    talk.say(
      `janee: the config on disk is not in force, the last good one is: ${place}${change.problem.message}`,
    );
    await janee.note({
      event: "policy",
      outcome: "kept",
      code: change.problem.code,
      message: change.problem.message,
    });
    return;
  }
  const { widened, other } = changesOf(change.before, change.after);
  if (widened.length + other.length === 0) return;
  talk.say("janee: the config has changed and is in force");
  for (const line of widened) talk.say(`  wider: ${visible(line)}`);
  const message = widened.length > 0 ? "policy widened" : "policy changed";
  const changes = [...widened.map((line) => `wider: ${line}`), ...other];
  await janee.note({ event: "policy", outcome: "changed", message, changes });
}
