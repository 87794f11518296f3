// WebSocket frames (RFC 6455 section 5), read strictly and bounded, and written whole.

export interface Frame {
  /** 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong. */
  readonly opcode: number;
  readonly isFinal: boolean;
  readonly payload: Buffer;
}

/** Why a peer's frames are read no further, as a close status (RFC 6455 section 7.4.1). */
export type Broken = 1002 | 1009;

const opcodes = new Set([0, 1, 2, 8, 9, 10]);
const longestControl = 125;

export function isControl(opcode: number): boolean {
  return opcode >= 8;
}

export class FrameReader {
  readonly #masked: boolean;
  readonly #longest: number;
  #pieces: Buffer[] = [];
  #held = 0;
  /** Bytes without which nothing more can be said. */
  #wanted = 2;

  /** `masked`: as frames of a client must be, and those of a server must not. */
  constructor(masked: boolean, longest: number) {
    this.#masked = masked;
    this.#longest = longest;
  }

  /** The frames that are whole now. */
  push(bytes: Buffer): readonly Frame[] | Broken {
    this.#pieces.push(bytes);
    this.#held += bytes.length;
    if (this.#held < this.#wanted) return [];
    const received = this.#pieces.length === 1 ? bytes : Buffer.concat(this.#pieces, this.#held);
    const frames: Frame[] = [];
    let at = 0;
    for (;;) {
      const read = this.#read(received, at);
      if (typeof read === "number") return read;
      if ("wanted" in read) {
        this.#wanted = read.wanted;
        break;
      }
      frames.push(read.frame);
      at = read.end;
    }
    const rest = received.subarray(at);
    // A copy, where little is left: a slice would keep all of it alive.
    this.#pieces = rest.length === 0 ? [] : [rest.length * 2 < received.length ? Buffer.from(rest) : rest];
    this.#held = rest.length;
    return frames;
  }

  /** One frame and where it ends, or how many bytes it takes from here to go on. */
  #read(
    bytes: Buffer,
    at: number,
  ): { readonly frame: Frame; readonly end: number } | { readonly wanted: number } | Broken {
    const left = bytes.length - at;
    if (left < 2) return { wanted: 2 };
    const [first = 0, second = 0] = [bytes[at], bytes[at + 1]];
    const opcode = first & 0x0f;
    const isFinal = (first & 0x80) !== 0;
    // Reserved bits belong to extensions, of which none was negotiated.
    if ((first & 0x70) !== 0 || !opcodes.has(opcode)) return 1002;
    if (((second & 0x80) !== 0) !== this.#masked) return 1002;
    const short = second & 0x7f;
    if (isControl(opcode) && (!isFinal || short > longestControl)) return 1002;
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
    const head = 2 + lengthBytes + (this.#masked ? 4 : 0);
    if (left < head) return { wanted: head };
    const length = readLength(bytes, at + 2, short);
    if (length === undefined) return 1002;
    if (length > this.#longest) return 1009;
    if (left < head + length) return { wanted: head + length };
    const start = at + head;
    const payload = Buffer.from(bytes.subarray(start, start + length));
    if (this.#masked) unmask(payload, bytes, start - 4);
    return { frame: { opcode, isFinal, payload }, end: start + length };
  }
}

/** undefined: written longer than it is, or beyond what fits a number. */
function readLength(bytes: Buffer, at: number, short: number): number | undefined {
  if (short < 126) return short;
  if (short === 126) {
    const length = bytes.readUInt16BE(at);
    return length < 126 ? undefined : length;
  }
  const [high, low] = [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)];
  const length = high * 2 ** 32 + low;
  return high > 0x1fffff || length < 65_536 ? undefined : length;
}

function unmask(payload: Buffer, bytes: Buffer, key: number): void {
  const mask = [bytes[key] ?? 0, bytes[key + 1] ?? 0, bytes[key + 2] ?? 0, bytes[key + 3] ?? 0];
  for (let at = 0; at < payload.length; at += 1) payload[at] = (payload[at] ?? 0) ^ (mask[at & 3] ?? 0);
}

/** One whole frame; with a mask of four bytes as a client sends it. */
export function frameBytes(opcode: number, payload: Buffer, mask?: Uint8Array): Buffer {
  const { length } = payload;
  const lengthBytes = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const bytes = Buffer.alloc(2 + lengthBytes + (mask ? 4 : 0) + length);
  bytes[0] = 0x80 | opcode;
  bytes[1] = (mask ? 0x80 : 0) | (lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127);
  if (lengthBytes === 2) bytes.writeUInt16BE(length, 2);
  if (lengthBytes === 8) bytes.writeBigUInt64BE(BigInt(length), 2);
  const start = bytes.length - length;
  payload.copy(bytes, start);
  if (mask) {
    bytes.set(mask.subarray(0, 4), start - 4);
    for (let at = 0; at < length; at += 1) bytes[start + at] = (bytes[start + at] ?? 0) ^ (mask[at & 3] ?? 0);
  }
  return bytes;
}

export function closeFrame(status: number, mask?: Uint8Array): Buffer {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(status, 0);
  return frameBytes(8, payload, mask);
}
