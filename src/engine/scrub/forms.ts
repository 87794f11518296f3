// What one secret can look like on the wire, reduced to the few needles that a scan needs.

/** How the bytes of a needle compare with the text: without case, as base64 digits, or only to open a window. */
export type NeedleKind = "text" | "base64" | "anchor";

export interface Needle {
  readonly kind: NeedleKind;
  readonly bytes: Uint8Array;
  /** The base64 digit before and after the needle is partly secret: these of its bits must agree. */
  readonly headMask: number;
  readonly headBits: number;
  readonly tailMask: number;
  readonly tailBits: number;
}

/** ASCII lower case, and the URL-safe base64 digits onto the standard ones: one table hashes every needle. */
export const FOLD = table((byte) => {
  if (byte >= 0x41 && byte <= 0x5a) return byte + 32;
  return byte === 0x2d ? 0x2b : byte === 0x5f ? 0x2f : byte;
});
export const LOWER = table((byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte));
export const STANDARD = table((byte) => (byte === 0x2d ? 0x2b : byte === 0x5f ? 0x2f : byte));

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/** Value of a base64 digit in either alphabet, 255 for any other byte. */
export const SIXBITS = table((byte) => {
  const value = DIGITS.indexOf(String.fromCharCode(STANDARD[byte] as number));
  return value < 0 ? 255 : value;
});

// Encodings of a short secret are too common in honest text to redact.
const SHORTEST_ENCODED = 8;
const ANCHOR_LENGTH = 40;
const HEX_SEPARATORS = [
  " ",
  ":",
  "-",
  ",",
  ", ",
  ": ",
  ".",
  "_",
  "0x",
  ",0x",
  ", 0x",
  " 0x",
  "\\x",
  "\\\\x",
  '","',
  '", "',
  "','",
  "', '",
];

export function table(value: (byte: number) => number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => value(byte));
}

/** The needles that are the secret itself: each hit is a redaction. */
export function coreNeedles(secret: string, decoded: (bytes: Uint8Array) => Uint8Array): Needle[] {
  const raw = Buffer.from(secret, "utf8");
  const needles: Needle[] = [];
  const written = secret.includes(" ") ? [raw, Buffer.from(secret.replaceAll(" ", "+"), "utf8")] : [raw];
  for (const bytes of written) {
    needles.push(plain("text", bytes));
    // A secret that itself reads like an escape comes out of a decoded view changed.
    const unescaped = decoded(bytes);
    if (unescaped !== bytes) needles.push(plain("text", unescaped));
  }
  if (raw.length !== secret.length) {
    const little = Buffer.from(secret, "utf16le");
    needles.push(plain("text", little), plain("text", Buffer.from(little).swap16()));
    if (Array.from(secret).every((letter) => letter.charCodeAt(0) < 256)) {
      needles.push(plain("text", Buffer.from(secret, "latin1")));
    }
  }
  const hex = raw.toString("hex");
  if (hex.length >= SHORTEST_ENCODED) needles.push(plain("text", Buffer.from(hex)));
  for (let offset = 0; offset < 3; offset += 1) {
    const needle = base64Needle(raw, offset);
    if (needle.bytes.length >= SHORTEST_ENCODED) needles.push(needle);
  }
  return needles.filter((needle) => needle.bytes.length > 0);
}

function plain(kind: NeedleKind, bytes: Uint8Array): Needle {
  const stored = kind === "base64" ? bytes : bytes.map((byte) => LOWER[byte] as number);
  return { kind, bytes: stored, headMask: 0, headBits: 0, tailMask: 0, tailBits: 0 };
}

function base64Needle(raw: Buffer, offset: number): Needle {
  const text = Buffer.concat([Buffer.alloc(offset), raw])
    .toString("base64")
    .replaceAll("=", "");
  const start = Math.ceil((8 * offset) / 6);
  const end = Math.floor((8 * (offset + raw.length)) / 6);
  const headMask = [0, 0x0f, 0x03][offset] as number;
  const tailMask = [0, 0x30, 0x3c][(offset + raw.length) % 3] as number;
  const sixBits = (index: number) => SIXBITS[text.charCodeAt(index)] as number;
  return {
    kind: "base64",
    bytes: Buffer.from(text.slice(start, end)),
    headMask,
    headBits: headMask === 0 ? 0 : sixBits(start - 1) & headMask,
    tailMask,
    tailBits: tailMask === 0 ? 0 : sixBits(end) & tailMask,
  };
}

/** Beginnings of forms that only a view can match whole: UTF-16, and hex with separators. */
export function anchorNeedles(secret: string, core: readonly Needle[]): Needle[] {
  const anchors = core.map((needle) => anchor(spaced(needle.bytes, "\0")));
  const hex = Buffer.from(secret.slice(0, ANCHOR_LENGTH), "utf8").toString("hex");
  const pairs = hex.match(/../g) ?? [];
  if (Buffer.byteLength(secret) * 2 < SHORTEST_ENCODED) return anchors;
  for (const separator of HEX_SEPARATORS) anchors.push(anchor(Buffer.from(pairs.join(separator))));
  for (const separator of [" ", ":"]) {
    for (const [group, phase] of [
      [2, 0],
      [2, 1],
      [4, 0],
      [4, 1],
      [4, 2],
      [4, 3],
    ] as const) {
      const grouped = pairs.map(
        (pair, index) => (index > 0 && (index + phase) % group === 0 ? separator : "") + pair,
      );
      anchors.push(anchor(Buffer.from(grouped.join(""))));
    }
  }
  return anchors;
}

function anchor(form: Uint8Array): Needle {
  return plain("anchor", form.subarray(0, ANCHOR_LENGTH));
}

function spaced(bytes: Uint8Array, separator: string): Buffer {
  return Buffer.from(
    Array.from(bytes.subarray(0, ANCHOR_LENGTH), (byte) => String.fromCharCode(byte)).join(separator),
    "latin1",
  );
}
