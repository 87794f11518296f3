import { moveBulk } from "../../bench/bulk.ts";
import { megabytes } from "../../bench/figures.ts";
import { loadCore, proxyCore } from "../../bench/load.ts";
import { type Part, scaled } from "./part.ts";

const gigabyte = 1024 ** 3;
const growthLimit = 64 * 1024 * 1024;

export const bulkParts: Part = async (box, table, scale) => {
  const bytes = scaled(gigabyte, scale);
  for (const moved of await moveBulk(box, "bulk", bytes, proxyCore, loadCore)) {
    const { direction, megabytesPerSecond, complete, before, highest } = moved;
    const figure = `${megabytesPerSecond.toFixed(0)} MB/s, RSS ${megabytes(before)} → ${megabytes(highest)}`;
    const met = complete && (highest ?? 0) - (before ?? 0) < growthLimit;
    table.judge(`${megabytes(bytes)} ${direction}`, figure, "complete, no growth (< 64 MB)", met);
  }
};
