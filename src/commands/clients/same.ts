/** True when two parsed files say the same: key order, prototypes and the parser's own classes do not count. */
export function same(one: unknown, other: unknown): boolean {
  if (one instanceof Date || other instanceof Date) return String(one) === String(other);
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) {
    return Object.is(one, other);
  }
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const [left, right] = [Object.entries(one), new Map<string, unknown>(Object.entries(other))];
  return (
    left.length === right.size && left.every(([key, value]) => right.has(key) && same(value, right.get(key)))
  );
}

/** The same tree with `value` at `path`. */
export function withValue(root: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value;
  const table = typeof root === "object" && root !== null ? (root as Record<string, unknown>) : {};
  const before = Object.hasOwn(table, key) ? table[key] : undefined;
  return { ...table, [key]: withValue(before, rest, value) };
}
