import { growthLimit, moveBulk } from "../../bench/bulk.ts";
import { megabytes } from "../../bench/figures.ts";
import { loadCore, proxyCore } from "../../bench/load.ts";
import { type Part, scaled } from "./part.ts";

const gigabyte = 1024 ** 3;

export const bulkParts: Part = async (box, table, scale) => {
  const bytes = scaled(gigabyte, scale);
  for (const moved of await moveBulk(box, "bulk", bytes, proxyCore, loadCore)) {
    const { direction, megabytesPerSecond, complete, before, early, late } = moved;
    const memory = `RSS ${megabytes(before)}, first quarter ${megabytes(early)}, then ${megabytes(late)}`;
    const figure = `${megabytesPerSecond.toFixed(0)} MB/s, ${memory}`;
    table.judge(
      `${megabytes(bytes)} ${direction}`,
      figure,
      "complete, no growth",
      complete && late - early < growthLimit,
    );
  }
};
