// ustar, with nothing in it that depends on the machine or the hour.
import { gunzipSync, gzipSync } from "node:zlib";

export interface Entry {
  /** With `/` between folders; a folder's own entry ends with one. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly mode: number;
}

const block = 512;

export function file(path: string, content: string | Uint8Array, mode = 0o644): Entry {
  return { path, bytes: typeof content === "string" ? Buffer.from(content, "utf8") : content, mode };
}

/** The entries with a folder's own entry before the first file in it; package managers want them. */
export function withFolders(entries: readonly Entry[]): readonly Entry[] {
  const known = new Set<string>();
  return entries.flatMap((entry) => {
    const parts = entry.path.split("/").slice(0, -1);
    const folders = parts.map((_, index) => `${parts.slice(0, index + 1).join("/")}/`);
    const fresh = folders.filter((path) => path !== entry.path && !known.has(path));
    for (const path of fresh) known.add(path);
    return [...fresh.map((path) => file(path, "", 0o755)), entry];
  });
}

export function tar(entries: readonly Entry[], time: number): Buffer {
  const pieces = entries.flatMap(({ path, bytes, mode }) => {
    const head = Buffer.alloc(block);
    if (Buffer.byteLength(path) > 100) throw new Error(`the path ${path} is too long for tar`);
    const octal = (value: number, at: number, width: number): void => {
      head.write(`${value.toString(8).padStart(width - 1, "0")}\0`, at, "latin1");
    };
    head.write(path, 0, "utf8");
    octal(mode, 100, 8);
    octal(0, 108, 8);
    octal(0, 116, 8);
    octal(bytes.length, 124, 12);
    octal(time, 136, 12);
    head.write(path.endsWith("/") ? "5" : "0", 156, "latin1");
    head.write("ustar\u000000root", 257, "latin1");
    head.write("root", 297, "latin1");
    head.fill(" ", 148, 156, "latin1");
    head.write(
      `${head
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, "0")}\0 `,
      148,
      "latin1",
    );
    return [head, bytes, Buffer.alloc(-bytes.length & (block - 1))];
  });
  return Buffer.concat([...pieces, Buffer.alloc(2 * block)]);
}

export function gzip(bytes: Uint8Array, level: number): Buffer {
  const packed = gzipSync(bytes, { level });
  // The byte that names the system which packed it: unknown, wherever it was.
  packed[9] = 255;
  return packed;
}

/** What is in a tar or tar.gz; only what `tar` above can write. */
export function readTar(archive: Uint8Array): readonly Entry[] {
  const bytes = archive[0] === 0x1f ? gunzipSync(archive) : Buffer.from(archive);
  const entries: Entry[] = [];
  for (let at = 0; bytes[at] !== undefined && bytes[at] !== 0; ) {
    const text = (from: number, length: number): string =>
      bytes.toString("utf8", at + from, at + from + length).replace(/\0.*$/s, "");
    const size = Number.parseInt(text(124, 12), 8);
    const begin = at + block;
    const content = bytes.subarray(begin, begin + size);
    entries.push({ path: text(0, 100), bytes: content, mode: Number.parseInt(text(100, 8), 8) });
    at = begin + Math.ceil(size / block) * block;
  }
  return entries;
}
