const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes as text; undefined: not text. A character that the cut went through is left out. */
export function textOf(bytes: Buffer, truncated: boolean): string | undefined {
  for (let dropped = 0; dropped <= (truncated ? 3 : 0); dropped++) {
    try {
      const text = strict.decode(bytes.subarray(0, bytes.length - dropped));
      return text.includes("\0") ? undefined : text;
    } catch {
      // One byte less may end on a whole character.
    }
  }
  return undefined;
}
