// Where a credential can stand besides JSON and forms: in an address that an answer points to (RFC 6749 section 4.2.2),
// and in text that a service sends instead of JSON to who asks for it: XML, a script, one JSON a line.
import type { FieldPattern } from "./pattern.ts";

type PlaceholderFor = (value: string) => string;

/** Names that are meant wherever they stand: a path cannot be followed here, so its last name counts. */
function namesOf(patterns: readonly FieldPattern[]): string {
  const names = patterns.flatMap(({ text, path }) => path?.findLast((name) => name !== "*") ?? text);
  return names.map((name) => name.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")).join("|");
}

/** Parameters of queries and fragments. undefined: one of them cannot be read. */
export function maskAddress(
  text: string,
  patterns: readonly FieldPattern[],
  placeholderFor: PlaceholderFor,
): string | undefined {
  let isReadable = true;
  const parameter = new RegExp(`([?&#;](?:${namesOf(patterns)})=)([^&#;<>"\\s]+)`, "gi");
  const masked = text.replace(parameter, (_, name: string, value: string) => {
    try {
      return `${name}${placeholderFor(decodeURIComponent(value.replaceAll("+", " ")))}`;
    } catch {
      isReadable = false;
      return name;
    }
  });
  return isReadable ? masked : undefined;
}

/** In prose the name stands before any word: what is shorter than this is no credential there. */
const shortestInText = 16;

/** `text` is Latin-1 of the bytes, and what comes back too. */
export function maskText(
  text: string,
  patterns: readonly FieldPattern[],
  placeholderFor: PlaceholderFor,
): string {
  const names = namesOf(patterns);
  const value = `[^\\s"'&<>,;()[\\]{}\\\\]{${shortestInText},}`;
  // name=value, name: value, "name": "value", also where the quotes are escaped; <name attributes>value.
  const quote = `(?:\\\\*["']|&quot;|&#34;|%22)?`;
  const assigned = `(?:${names})${quote}[ \\t]*(?:[:=]|%3D|=>)\\s*${quote}`;
  const element = `<(?:[\\w.-]+:)?(?:${names})(?:\\s[^<>]*)?>\\s*(?:<!\\[CDATA\\[)?`;
  return text.replace(
    new RegExp(`((?<![\\w])${assigned}|${element})(${value})`, "gi"),
    (_, before: string, found: string) =>
      `${before}${placeholderFor(Buffer.from(found, "latin1").toString("utf8"))}`,
  );
}
