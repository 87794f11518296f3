// The JSON of a message, piece by piece: a large answer is not in memory a third and a fourth time while it goes out.
const longestPiece = 32 * 1024;

/** The length of its texts that are worth the trouble. */
export function largeLength(value: unknown): number {
  if (typeof value === "string") return value.length > longestPiece ? value.length : 0;
  if (typeof value !== "object" || value === null) return 0;
  let length = 0;
  for (const key in value) length += largeLength((value as Record<string, unknown>)[key]);
  return length;
}

/** Together the same as JSON.stringify makes of plain objects, lists and scalars. */
export function* jsonPieces(value: unknown): Generator<string> {
  if (largeLength(value) === 0) yield JSON.stringify(value) ?? "null";
  else if (typeof value === "string") yield* textPieces(value);
  else if (Array.isArray(value))
    yield* enclosed(
      "[",
      value.map((one) => ["", one] as const),
      "]",
    );
  else yield* enclosed("{", fields(value as object), "}");
}

function fields(value: object): (readonly [string, unknown])[] {
  return Object.entries(value)
    .filter(([, one]) => one !== undefined)
    .map(([key, one]) => [`${JSON.stringify(key)}:`, one]);
}

function* enclosed(
  open: string,
  entries: readonly (readonly [string, unknown])[],
  close: string,
): Generator<string> {
  let before = open;
  for (const [key, one] of entries) {
    yield before + key;
    yield* jsonPieces(one);
    before = ",";
  }
  yield entries.length === 0 ? open + close : close;
}

function* textPieces(text: string): Generator<string> {
  yield '"';
  for (let at = 0; at < text.length; ) {
    let end = Math.min(text.length, at + longestPiece);
    // Not between the two halves of a character, each of which alone would be written as an escape.
    if (/^[\ud800-\udbff][\udc00-\udfff]/.test(text.slice(end - 1, end + 1))) end -= 1;
    yield JSON.stringify(text.slice(at, end)).slice(1, -1);
    at = end;
  }
  yield '"';
}
