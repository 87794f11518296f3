// What can be known of the clock without asking anyone: time does not run backwards. What janee has written, and what it
// was built from, cannot lie ahead of now.
import { timeLeft } from "../engine/time-left.ts";
import type { Found } from "./doctor-checks.ts";

const check = "clock";
/** As far as sessions bear it. */
const tolerableMs = 60_000;
const dayMs = 86_400_000;

export interface Seen {
  readonly now: number;
  /** When the commit was made that this janee was built from; undefined from source. */
  readonly builtAt?: number | undefined;
  /** The latest time that state.db has. */
  readonly stateAt?: number | undefined;
  /** The latest time at the end of the audit trail. */
  readonly trailAt?: number | undefined;
}

export function clockFindings({ now, builtAt, stateAt = 0, trailAt = 0 }: Seen): Found[] {
  const remedy = "set the clock right (timedatectl set-ntp true)";
  const shown = `${new Date(now).toISOString().slice(0, 19)}Z`;
  // A day's grace: whoever made the commit had a clock, too.
  if (builtAt !== undefined && builtAt - now > dayMs) {
    const made = new Date(builtAt).toISOString().slice(0, 10);
    const message = `the clock says ${shown}, and this janee was made on ${made}: sessions, tokens and certificates are judged by a wrong time`;
    return [{ level: "warn", check, message, remedy }];
  }
  if (stateAt - now > tolerableMs) {
    const message = `the clock is ${timeLeft(stateAt - now)} behind what janee has seen: live sessions end at the next command`;
    return [{ level: "warn", check, message, remedy }];
  }
  if (trailAt - now > tolerableMs) {
    const message = `the audit trail ends ${timeLeft(trailAt - now)} ahead of this clock: the clock was ahead then, or is behind now`;
    return [{ level: "warn", check, message, remedy }];
  }
  return [{ level: "ok", check, message: `${shown}, and nothing that janee has written lies ahead of it` }];
}
