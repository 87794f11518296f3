// How fast the scrubber reads: one stream, pieces of 64 KB, JSON without and with the key in it.
import { compileScrubber } from "../src/engine/scrub.ts";

const seconds = 1;
const key = "sk_live_51H8xTq0123456789abcdefghijklmnopqrstuvwxyz";

export function scrubMegabytesPerSecond(everyBytes: number | undefined): number {
  const scrubber = compileScrubber([key, `Bearer ${key}`]);
  const piece = Buffer.alloc(64 * 1024, '{"id":"ch_3KxYz","amount":1000,"currency":"usd","ok":true},\n');
  if (everyBytes !== undefined) {
    for (let at = 100; at + key.length < piece.length; at += everyBytes) piece.write(key, at, "latin1");
  }
  const stream = scrubber.stream("none");
  for (let round = 0; round < 200; round++) stream.push(piece);
  const startedAt = performance.now();
  let pieces = 0;
  for (; performance.now() - startedAt < seconds * 1000; pieces++) stream.push(piece);
  return (pieces * piece.length) / 1e6 / ((performance.now() - startedAt) / 1000);
}

if (import.meta.main) {
  const plain = scrubMegabytesPerSecond(undefined);
  const hits = scrubMegabytesPerSecond(4096);
  process.stdout.write(JSON.stringify({ plain, hits }));
}
