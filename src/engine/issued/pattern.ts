// Which fields of an answer hold a credential that the service has just issued: `access_token` at any depth, or a path
// from the root, `data.key.secret`, with `*` for any one name or place in a list.

export interface FieldPattern {
  readonly text: string;
  /** From the root; undefined: the name at any depth. */
  readonly path: readonly string[] | undefined;
}

/** `capture: true`: what token endpoints answer with (RFC 6749 section 5.1, RFC 7591 section 3.2.1, OpenID Connect). */
export const usualFields: readonly string[] = [
  ...["access_token", "refresh_token", "id_token", "client_secret", "registration_access_token"],
];

export function fieldPattern(text: string): FieldPattern | undefined {
  const names = text.split(".");
  if (names.some((name) => name === "" || /[\x00-\x20\x7f]/.test(name))) return undefined;
  if (names.length === 1) return names[0] === "*" ? undefined : { text, path: undefined };
  return { text, path: names };
}

/** Whether the value at this path, or one that it lies in, is meant. */
export function isMeant(patterns: readonly FieldPattern[], path: readonly string[]): boolean {
  return patterns.some((pattern) => {
    if (pattern.path === undefined) return path.includes(pattern.text);
    return (
      pattern.path.length <= path.length &&
      pattern.path.every((name, at) => name === "*" || name === path[at])
    );
  });
}
