// What a `janee run` that was killed has left: its sessions end as if it had ended itself.
import { clearDeadRuns } from "../host/run/folder.ts";
import type { Janee } from "./wire-up.ts";

export function ownerOf(id: string): string {
  return `run:${id}`;
}

export async function endDeadRuns(janee: Janee): Promise<void> {
  for (const dead of await clearDeadRuns(janee.home.path)) {
    await janee.broker.endSessionsOf({ owner: ownerOf(dead) }, "run");
  }
}
