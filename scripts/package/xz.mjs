// One file to .xz, or back: node xz.mjs <preset>|back FROM TO
// Run by Node, whatever runs the release: Bun calls the library's buffers detached after some hundred megabytes.
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import lzma from "@napi-rs/lzma";

const [how, from, to] = process.argv.slice(2);
const stream = how === "back" ? new lzma.XzDecompressor() : new lzma.XzCompressor({ preset: Number(how) });
const content = readFileSync(from);
const out = openSync(to, "w");
const step = 1 << 20;
for (let at = 0; at < content.length; at += step)
  writeFileSync(out, stream.update(content.subarray(at, at + step)));
writeFileSync(out, await stream.finish());
closeSync(out);
