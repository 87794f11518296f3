// Frames of one direction on their way: messages are put together, scrubbed whole, and go on as one frame each.
import type { Scrubber } from "../scrub.ts";
import { type Broken, type Frame, FrameReader, frameBytes, isControl } from "./frames.ts";

/** A message is held until it is whole: this bounds what one connection can make janee hold. */
export const longestMessage = 16 * 1024 * 1024;

export interface Direction {
  /** From the agent: masked as it comes, and masked anew as it goes. */
  readonly fromClient: boolean;
  readonly scrubber: () => Scrubber;
  readonly mask: () => Uint8Array;
}

export class Messages {
  readonly #direction: Direction;
  readonly #reader: FrameReader;
  #opcode = 0;
  #pieces: Buffer[] = [];
  #length = 0;
  redactions = 0;

  constructor(direction: Direction) {
    this.#direction = direction;
    this.#reader = new FrameReader(direction.fromClient, longestMessage);
  }

  /** What goes on of it, which is nothing as long as no message is whole. */
  push(bytes: Buffer): readonly Buffer[] | Broken {
    const frames = this.#reader.push(bytes);
    if (typeof frames === "number") return frames;
    const out: Buffer[] = [];
    for (const frame of frames) {
      const passed = isControl(frame.opcode) ? this.#control(frame) : this.#message(frame);
      if (typeof passed === "number") return passed;
      if (passed) out.push(passed);
    }
    return out;
  }

  #control({ opcode, payload }: Frame): Buffer {
    const { bytes, redactions } = this.#direction.scrubber().whole(payload);
    this.redactions += redactions;
    // What a redaction made too long is left out; a close keeps its status.
    const kept = redactions === 0 ? payload : opcode === 8 ? bytes.subarray(0, 2) : Buffer.alloc(0);
    return this.#framed(opcode, kept);
  }

  #message({ opcode, isFinal, payload }: Frame): Buffer | Broken | undefined {
    const begins = opcode !== 0;
    if (begins === this.#pieces.length > 0) return 1002;
    if (begins) this.#opcode = opcode;
    this.#length += payload.length;
    if (this.#length > longestMessage) return 1009;
    this.#pieces.push(payload);
    if (!isFinal) return undefined;
    const [only] = this.#pieces;
    const whole = only && this.#pieces.length === 1 ? only : Buffer.concat(this.#pieces, this.#length);
    this.#pieces = [];
    this.#length = 0;
    const { bytes, redactions } = this.#direction.scrubber().whole(whole);
    this.redactions += redactions;
    return this.#framed(this.#opcode, bytes);
  }

  #framed(opcode: number, payload: Buffer): Buffer {
    const { fromClient, mask } = this.#direction;
    return fromClient ? frameBytes(opcode, payload, mask()) : frameBytes(opcode, payload);
  }
}
