// "Did you mean": the nearest right name for a misspelt one.

/** The name that `written` most likely stands for; undefined when none is near. */
export function nearest(written: string, names: Iterable<string>): string | undefined {
  const folded = fold(written);
  // A whole credential in the place of a name is far from every name, and too long to be worth a look.
  if (folded === "" || folded.length > 64) return undefined;
  let best: string | undefined;
  let least = Math.max(1, Math.floor(folded.length / 3)) + 1;
  for (const name of names) {
    const steps = distance(folded, fold(name));
    if (steps < least) {
      least = steps;
      best = name;
    }
  }
  return best;
}

export function didYouMean(written: string, names: Iterable<string>): string {
  const name = nearest(written, names);
  return name === undefined ? "" : `; did you mean "${name}"?`;
}

/** `auto_approve`, `auto-approve` and `AutoApprove` are no mistake in spelling. */
function fold(name: string): string {
  return name.toLowerCase().replace(/[\s_-]/g, "");
}

/** Insertions, deletions, replacements and swaps of neighbours that lead from one word to the other. */
function distance(from: string, to: string): number {
  let before: number[] = [];
  let above = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let steps = Math.min(
        (above[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (above[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = row > 1 && column > 1;
      if (swapped && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]) {
        steps = Math.min(steps, (before[column - 2] ?? 0) + 1);
      }
      current.push(steps);
    }
    before = above;
    above = current;
  }
  return above[to.length] ?? 0;
}
