// The table that is printed in the end.

export type Verdict = "met" | "NOT MET" | "VOID" | "not measured" | "-";

export interface Line {
  readonly name: string;
  readonly figure: string;
  readonly condition: string;
  readonly verdict: Verdict;
}

export class Table {
  readonly #lines: Line[] = [];

  add(name: string, figure: string, condition = "", verdict: Verdict = "-"): void {
    this.#lines.push({ name, figure, condition, verdict });
    process.stderr.write(`  ${name}: ${figure}${condition === "" ? "" : ` (${condition}: ${verdict})`}\n`);
  }

  /** A figure with a bound that it keeps or not. */
  judge(name: string, figure: string, condition: string, met: boolean): void {
    this.add(name, figure, condition, met ? "met" : "NOT MET");
  }

  missing(name: string, how: string): void {
    this.add(name, `not measured: ${how}`, "", "not measured");
  }

  count(verdict: Verdict): number {
    return this.#lines.filter((line) => line.verdict === verdict).length;
  }

  print(): void {
    const rows = [["what", "figure", "condition", "verdict"], ...this.#lines.map(cells)];
    const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
    for (const row of rows) {
      const text = row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ");
      process.stdout.write(`${text.trimEnd()}\n`);
    }
  }
}

function cells(line: Line): string[] {
  return [line.name, line.figure, line.condition, line.verdict];
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}

/** `0.71 (0.66–0.75)`: the median and the spread. */
export function spread(values: readonly number[], digits = 2): string {
  const shown = (value: number): string => value.toFixed(digits);
  return `${shown(median(values))} (${shown(Math.min(...values))}–${shown(Math.max(...values))})`;
}

/** `18.2 k` */
export function thousands(value: number): string {
  return value >= 1000 ? `${(value / 1000).toFixed(1)} k` : value.toFixed(0);
}

export function megabytes(bytes: number | undefined): string {
  return bytes === undefined ? "unknown" : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}
