import type { Effect } from "../rule.ts";

const mostCells = 1_000_000;

/**
 * Some allows taken out, some denies put in, the order of the rest kept: under "first match wins" that never
 * lets through what was stopped before.
 */
export function narrowsBy<T extends { readonly effect: Effect }>(
  before: readonly T[],
  after: readonly T[],
  same: (one: T, two: T | undefined) => boolean,
): boolean {
  if ((before.length + 1) * (after.length + 1) > mostCells) return false;
  // row[at]: the rest of `before` can become the rest of `after` from `at` on.
  let below: boolean[] = [];
  for (let index = before.length; index >= 0; index--) {
    const rule = before[index];
    const row: boolean[] = [];
    for (let at = after.length; at >= 0; at--) {
      const next = after[at];
      if (!rule && !next) row[at] = true;
      else {
        const kept = rule !== undefined && same(rule, next) && below[at + 1] === true;
        const takenOut = rule?.effect === "allow" && below[at] === true;
        const putIn = next?.effect === "deny" && row[at + 1] === true;
        row[at] = kept || takenOut || putIn;
      }
    }
    below = row;
  }
  return below[0] === true;
}
