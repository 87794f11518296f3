// Sessions that live on without anyone who could use them.
import type { Config } from "../engine/config.ts";
import type { Session } from "../engine/session.ts";
import { deadRuns } from "../host/run/folder.ts";
import { ownerOf } from "./dead-runs.ts";
import type { Found } from "./doctor-checks.ts";

const check = "sessions";

/** `live`: those that the store takes for live. None is ended here. */
export async function checkSessions(
  home: string,
  live: readonly Session[],
  config: Config | undefined,
): Promise<Found[]> {
  if (live.length === 0) return [];
  const dead = new Set((await deadRuns(home)).map(ownerOf));
  const stale = live.flatMap(({ id, owner, capability }): Found[] => {
    const about = `session ${id} of "${capability}"`;
    const remedy = `janee revoke ${id}`;
    if (dead.has(owner)) {
      const message = `${about} was left by a janee run that was killed: its token is good until the session ends`;
      return [{ level: "warn", check, message, remedy: `${remedy}; the next janee run ends it, too` }];
    }
    if (!config || config.capabilities.has(capability)) return [];
    const message = `${about} is live, and the config has no such capability any more`;
    return [{ level: "warn", check, message, remedy }];
  });
  if (stale.length > 0) return stale;
  return [{ level: "ok", check, message: `${live.length} live, none stale` }];
}
