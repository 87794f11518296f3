// A small Mach-O executable whose signature is stale, as Bun leaves one behind, and what signing it anew gives.
import assert from "node:assert/strict";
import { test } from "node:test";
import { signAdHoc, stalePages } from "../../scripts/package/mach-o.ts";

const code = 5000;

/** Header, __TEXT, __LINKEDIT and a signature of one page that says nothing true. */
function executable(): Buffer {
  const bytes = Buffer.alloc(code + 200, 7);
  bytes.fill(0, 0, 300);
  bytes.writeUInt32LE(0xfeedfacf, 0);
  bytes.writeUInt32LE(3, 16);
  const segment = (at: number, name: string, offset: number, size: number): void => {
    bytes.writeUInt32LE(0x19, at);
    bytes.writeUInt32LE(72, at + 4);
    bytes.write(name, at + 8, "latin1");
    bytes.writeBigUInt64LE(BigInt(offset), at + 40);
    bytes.writeBigUInt64LE(BigInt(size), at + 48);
  };
  segment(32, "__TEXT", 0, 4096);
  segment(104, "__LINKEDIT", 4096, code + 200 - 4096);
  bytes.writeUInt32LE(0x1d, 176);
  bytes.writeUInt32LE(16, 180);
  bytes.writeUInt32LE(code, 184);
  bytes.writeUInt32LE(200, 188);
  bytes.fill(0, code);
  for (const [at, value] of [
    [0, 0xfade0cc0],
    [8, 1],
    [16, 20],
    [20, 0xfade0c02],
    [36, 100],
    [48, 2],
    [52, code],
  ] as const)
    bytes.writeUInt32BE(value, code + at);
  return bytes;
}

test("a stale signature is seen, and the new one holds for every page", () => {
  assert.equal(stalePages(executable()), 2);
  const signed = signAdHoc(executable(), "janee");
  assert.equal(stalePages(signed), 0);
  assert.ok(signed.subarray(300, code).equals(executable().subarray(300, code)), "the code is as it was");
  const end = signed.readUInt32LE(184) + signed.readUInt32LE(188);
  assert.equal(end, signed.length, "the signature is the end of the file");
  assert.equal(Number(signed.readBigUInt64LE(104 + 40) + signed.readBigUInt64LE(104 + 48)), signed.length);
  assert.ok(signed.includes("janee\0", code, "latin1"));
});

test("a byte that changes after signing is seen, wherever it is", () => {
  for (const at of [200, 4095, 4096, code - 1]) {
    const signed = signAdHoc(executable(), "janee");
    signed[at] = (signed[at] ?? 0) ^ 1;
    assert.equal(stalePages(signed), 1, `byte ${at}`);
  }
});

test("signing twice gives the same bytes", () => {
  const once = signAdHoc(executable(), "janee");
  assert.ok(signAdHoc(Buffer.from(once), "janee").equals(once));
});
