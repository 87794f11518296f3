// The ad-hoc signature of a macOS executable. Bun leaves that of its own x64 build on what it compiles, and its pages no
// longer match: here it is replaced by one that does, as `codesign --force --sign -` would on a Mac.
import { createHash } from "node:crypto";

const pageBits = 12;
const codeSignature = 0x1d;
const segment64 = 0x19;
const superBlob = 0xfade0cc0;
const codeDirectory = 0xfade0c02;
const headLength = 88;
const adHoc = 2;
const mainBinary = 1n;

interface Layout {
  /** Where the load command of the signature is. */
  readonly command: number;
  readonly signature: number;
  readonly linkedit: number;
  readonly textLength: bigint;
}

function layoutOf(bytes: Buffer): Layout {
  let command = 0;
  let linkedit = 0;
  let textLength = 0n;
  let at = 32;
  if (bytes.readUInt32LE(0) !== 0xfeedfacf) throw new Error("expected a 64-bit Mach-O executable");
  for (let left = bytes.readUInt32LE(16); left > 0; left -= 1) {
    const kind = bytes.readUInt32LE(at);
    const name = bytes.toString("latin1", at + 8, at + 24);
    if (kind === codeSignature) command = at;
    if (kind === segment64 && name.startsWith("__LINKEDIT\0")) linkedit = at;
    if (kind === segment64 && name.startsWith("__TEXT\0")) textLength = bytes.readBigUInt64LE(at + 48);
    at += bytes.readUInt32LE(at + 4);
  }
  if (command === 0 || linkedit === 0) throw new Error("the Mach-O executable has no place for a signature");
  return { command, signature: bytes.readUInt32LE(command + 8), linkedit, textLength };
}

function pageHashes(bytes: Uint8Array, limit: number): readonly Buffer[] {
  return Array.from({ length: Math.ceil(limit / 2 ** pageBits) }, (_, page) => {
    const end = Math.min((page + 1) << pageBits, limit);
    return createHash("sha256")
      .update(bytes.subarray(page << pageBits, end))
      .digest();
  });
}

/** How many pages differ from what the signature says; 0 for one that holds. */
export function stalePages(bytes: Buffer): number {
  const { signature } = layoutOf(bytes);
  for (let slot = 0; slot < bytes.readUInt32BE(signature + 8); slot += 1) {
    const at = signature + bytes.readUInt32BE(signature + 16 + 8 * slot);
    if (bytes.readUInt32BE(at) !== codeDirectory) continue;
    const hashes = at + bytes.readUInt32BE(at + 16);
    const limit = bytes.readUInt32BE(at + 32);
    const differ = pageHashes(bytes, limit).filter(
      (hash, page) => !hash.equals(bytes.subarray(hashes + 32 * page, hashes + 32 * page + 32)),
    );
    return differ.length + (limit === signature ? 0 : 1);
  }
  throw new Error("the signature has no code directory");
}

export function signAdHoc(executable: Buffer, identifier: string): Buffer {
  const { command, signature: limit, linkedit, textLength } = layoutOf(executable);
  const name = Buffer.from(`${identifier}\0`, "latin1");
  const pages = Math.ceil(limit / 2 ** pageBits);
  const directoryLength = headLength + name.length + 32 * pages;
  const length = 20 + directoryLength;
  const padded = Math.ceil(length / 16) * 16;

  const bytes = Buffer.alloc(limit + padded);
  executable.copy(bytes, 0, 0, limit);
  bytes.writeUInt32LE(padded, command + 12);
  const linkeditLength = BigInt(limit + padded) - bytes.readBigUInt64LE(linkedit + 40);
  bytes.writeBigUInt64LE(linkeditLength, linkedit + 48);
  const memory = (linkeditLength + 0x3fffn) & ~0x3fffn;
  bytes.writeBigUInt64LE(memory, linkedit + 32);

  const words = (at: number, ...values: number[]): void => {
    values.forEach((value, index) => {
      bytes.writeUInt32BE(value, at + 4 * index);
    });
  };
  words(limit, superBlob, length, 1, 0, 20);
  const at = limit + 20;
  words(at, codeDirectory, directoryLength, 0x20400, adHoc, headLength + name.length, headLength, 0);
  words(at + 28, pages, limit, 0x20020000 | pageBits);
  bytes.writeBigUInt64BE(textLength, at + 72);
  bytes.writeBigUInt64BE(mainBinary, at + 80);
  name.copy(bytes, at + headLength);
  // Last: the load commands above are in the first page.
  pageHashes(bytes, limit).forEach((hash, page) => {
    hash.copy(bytes, at + headLength + name.length + 32 * page);
  });
  return bytes;
}
