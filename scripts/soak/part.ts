import type { Box } from "../../bench/box.ts";
import type { Table } from "../../bench/figures.ts";

/** `scale` is 1 for the figures of the issue; a smaller one is for trying a part out. */
export type Part = (box: Box, table: Table, scale: number) => Promise<void>;

export function scaled(count: number, scale: number): number {
  return Math.max(1, Math.round(count * scale));
}
