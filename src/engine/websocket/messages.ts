// Frames of one direction on their way: messages are put together, scrubbed whole, and go on as one frame each.
import type { Scrubber } from "../scrub.ts";
import { type Broken, type Frame, FrameReader, frameBytes, isControl } from "./frames.ts";

/** A message is held until it is whole: this bounds what one connection can make janee hold. */
export const longestMessage = 16 * 1024 * 1024;

const none = Buffer.alloc(0);

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
  #begun = false;
  /** One buffer that grows: held as pieces, fragments of a byte or none would take a hundred times what was sent. */
  #held: Buffer = none;
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
    if (begins === this.#begun) return 1002;
    if (begins) this.#opcode = opcode;
    if (this.#length + payload.length > longestMessage) return 1009;
    this.#begun = !isFinal;
    if (!isFinal) {
      this.#hold(payload);
      return undefined;
    }
    const whole = begins ? payload : this.#taken(payload);
    const { bytes, redactions } = this.#direction.scrubber().whole(whole);
    this.redactions += redactions;
    return this.#framed(this.#opcode, bytes);
  }

  #hold(payload: Buffer): void {
    const length = this.#length + payload.length;
    if (length > this.#held.length) {
      const larger = Buffer.alloc(Math.min(Math.max(length, 2 * this.#held.length), longestMessage));
      this.#held.copy(larger, 0, 0, this.#length);
      this.#held = larger;
    }
    payload.copy(this.#held, this.#length);
    this.#length = length;
  }

  /** All of a message, whose last fragment this is. */
  #taken(last: Buffer): Buffer {
    this.#hold(last);
    const whole = this.#held.subarray(0, this.#length);
    this.#held = none;
    this.#length = 0;
    return whole;
  }

  #framed(opcode: number, payload: Buffer): Buffer {
    const { fromClient, mask } = this.#direction;
    return fromClient ? frameBytes(opcode, payload, mask()) : frameBytes(opcode, payload);
  }
}
