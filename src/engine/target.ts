// One string. The target is made canonical once; what is matched is what is sent, signed and audited.
// What two parsers could read differently is refused, never quietly repaired.
import { Failure } from "./failure.ts";

export interface TargetOptions {
  /** `//` stands for a real, empty name (some object stores); from the service's `allowEmptySegments`. */
  readonly allowEmptySegments?: boolean;
}

/** A canonical origin-form target (RFC 9112 section 3.2.1): ASCII, fixed point of URL parsing. */
export interface Target {
  /** Begins with "/"; escapes in upper case; unreserved characters never escaped. */
  readonly path: string;
  /** Without the "?"; undefined when there is none, "" when there is a bare "?". Passed on byte for byte. */
  readonly query: string | undefined;
}

const longestTarget = 16 * 1024;
const deepestEncoding = 5;

export function readTarget(raw: string, options: TargetOptions = {}): Target | Failure {
  if (raw.length > longestTarget)
    return new Failure("path_too_long", `the target is over ${longestTarget} characters`);
  if (hasControl(raw)) {
    return new Failure("path_control", "the target has a space or a control character: percent-encode it");
  }
  if (!raw.startsWith("/")) {
    return new Failure("path_not_origin_form", 'the path must begin with "/" and name no scheme or host');
  }
  if (raw.includes("#"))
    return new Failure("path_fragment", 'a fragment is never sent: write "%23" for a literal "#"');
  if (raw.includes("\\")) return ambiguous("a backslash");

  const mark = raw.indexOf("?");
  const path = readPath(mark < 0 ? raw : raw.slice(0, mark), options);
  if (path instanceof Failure) return path;
  if (mark < 0) return { path, query: undefined };
  const query = readQuery(raw.slice(mark + 1));
  return query instanceof Failure ? query : { path, query };
}

/** The target as it goes on the wire. */
export function targetText(target: Target): string {
  return target.query === undefined ? target.path : `${target.path}?${target.query}`;
}

/** The target with parameters behind its own: as the upstream sees it, and as it is signed. */
export function withParameters(
  target: Target,
  parameters: readonly (readonly [name: string, value: string])[],
): Target {
  if (parameters.length === 0) return target;
  const parts = target.query ? [target.query] : [];
  for (const [name, value] of parameters) {
    parts.push(`${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  }
  return { path: target.path, query: parts.join("&") };
}

const plainPath = /^(?:\/[A-Za-z0-9_~!$&'()*+,=:@-][A-Za-z0-9._~!$&'()*+,=:@-]*)+\/?$/;

function readPath(raw: string, options: TargetOptions): string | Failure {
  // Most paths hold nothing that could be read in two ways: no escape, no `;`, no segment that begins with a dot.
  if (plainPath.test(raw)) return raw;

  const encoded = encodeNonAscii(raw);
  if (encoded === undefined) return new Failure("path_bad_utf8", "the path is not valid UTF-8");
  if (badEscape.test(encoded))
    return new Failure("path_bad_escape", 'a "%" must be followed by two hex digits');
  if (overencoded.test(encoded)) {
    return new Failure("path_overencoded", "a letter or digit is percent-encoded: write it as it is");
  }
  const path = encoded.replace(anyEscape, canonicalEscape);
  const strange = /[^A-Za-z0-9._~!$&'()*+,;=:@/%[\]-]/.exec(path);
  if (strange) {
    return new Failure("path_bad_character", `percent-encode "${strange[0]}" in the path`);
  }
  return refuseAmbiguous(path, options) ?? path;
}

/** Each form that an upstream might decode the path to must have the same segments as the path itself. */
function refuseAmbiguous(path: string, options: TargetOptions): Failure | undefined {
  const views = [path];
  let view = decodeUtf8(path);
  if (view === undefined) return new Failure("path_bad_utf8", "the path does not decode to valid UTF-8");
  for (let depth = 0; view !== views.at(-1); depth++) {
    if (depth === deepestEncoding) return ambiguous("an escape nested too deeply");
    views.push(view);
    view = decodeLoosely(view);
  }
  if (views.some((one) => /[\x00-\x1f\x7f-\x9f\u2028\u2029]/.test(one))) {
    return new Failure("path_control", "the path decodes to a control character");
  }
  if (views.some((one) => one.includes("\\"))) return ambiguous("a backslash");
  if (views.some((one) => carelessEscape.test(one))) return ambiguous("an escape inside an escape");
  if (views.some(hasLookAlike)) return ambiguous("a look-alike of a character that has a meaning in paths");
  if (views.some(hasDotSegment)) return ambiguous("a dot segment");
  if (!options.allowEmptySegments && views.some(hasEmptySegment)) return ambiguous("an empty segment");
  return undefined;
}

/** What some server takes for a slash: Windows maps the others to one in some code page ("best fit"). */
const separator = /[/\u00a5\u20a9\u2044\u2215\u2216\u29f5\u29f8\u29f9]/;
/** Also with what is trimmed or shows nothing around the dots. */
const dotsAlone = /^[\s\p{DI}]*\.\p{DI}*\.?[\s\p{DI}]*$/u;

function hasDotSegment(view: string): boolean {
  // A decoded "?" or "#" ends the path for a server that parses it a second time.
  return view.split(separator).some((segment) => dotsAlone.test(segment.replace(/[;?#].*$/s, "")));
}

/** An empty name between two slashes; `;parameters` alone count as empty, as servers strip them. */
function hasEmptySegment(view: string): boolean {
  const inner = view.split("/").slice(1, -1);
  return inner.some((segment) => withoutParameters(segment).trim() === "");
}

function ambiguous(what: string): Failure {
  return new Failure("path_ambiguous", `the path has ${what}, which servers read in different ways`, {
    next: "send the plain path you mean",
  });
}

/** Over-long UTF-8 and IIS's `%u002e`: only careless decoders read them, and they read dots and slashes there. */
const carelessEscape = /%(?:u[0-9a-f]{4}|c[01]%|e0%[89]|f0%8|f8%8|fc%8)/i;
const badEscape = /%(?![0-9A-Fa-f]{2})/;
const anyEscape = /%[0-9A-Fa-f]{2}/g;
/** %30-%39, %41-%5A, %61-%7A: no real client encodes these (RFC 3986 section 2.3). */
const overencoded = /%(?:3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa])/;

function canonicalEscape(text: string): string {
  const upper = text.toUpperCase();
  if (upper === "%2D") return "-";
  if (upper === "%2E") return ".";
  if (upper === "%5F") return "_";
  if (upper === "%7E") return "~";
  return upper;
}

function hasControl(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code <= 0x20 || (code >= 0x7f && code <= 0x9f) || code === 0x2028 || code === 0x2029) return true;
  }
  return false;
}

/** Characters beyond ASCII become UTF-8 escapes (RFC 3987 section 3.1); undefined for a lone surrogate. */
function encodeNonAscii(text: string): string | undefined {
  if (/^[\x00-\x7f]*$/.test(text)) return text;
  if (!text.isWellFormed()) return undefined;
  return text.replace(/[^\x00-\x7f]+/g, (run) => encodeURIComponent(run));
}

function decodeUtf8(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Decodes what can be decoded and leaves the rest, as a careless second decoder would. */
export function decodeLoosely(text: string): string {
  return text.replace(/(?:%[0-9A-Fa-f]{2})+/g, (run) => {
    try {
      return decodeURIComponent(run);
    } catch {
      return run.replace(/%[0-7][0-9A-Fa-f]/g, (one) =>
        String.fromCharCode(Number.parseInt(one.slice(1), 16)),
      );
    }
  });
}

function withoutParameters(segment: string): string {
  const mark = segment.indexOf(";");
  return mark < 0 ? segment : segment.slice(0, mark);
}

/** A character beyond ASCII whose NFKC form is, or holds, ASCII that has a meaning in paths. */
function hasLookAlike(view: string): boolean {
  if (/^[\x00-\x7f]*$/.test(view)) return false;
  for (const character of view) {
    if (character <= "\x7f") continue;
    if (isFullWidth(character) || /[./\\;%?#:@]/.test(character.normalize("NFKC"))) return true;
  }
  return false;
}

/** Fullwidth forms of ASCII, U+FF01 to U+FF5E. */
function isFullWidth(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  return code >= 0xff01 && code <= 0xff5e;
}

function readQuery(raw: string): string | Failure {
  const encoded = encodeNonAscii(raw);
  if (encoded === undefined) return new Failure("path_bad_utf8", "the query is not valid UTF-8");
  if (badEscape.test(encoded)) {
    return new Failure("path_bad_escape", 'a "%" in the query must be followed by two hex digits');
  }
  const strange = /["<>]/.exec(encoded);
  if (strange) return new Failure("path_bad_character", `percent-encode ${strange[0]} in the query`);
  return encoded;
}

/**
 * The forms of a canonical path that a `deny` or `ask` also matches, so that spelling dodges neither: decoded once
 * and twice, without `;parameters`, cut where a decoded `?` or `#` would end it, without the dots and spaces that
 * Windows trims from names, case-folded, with and without a slash at the end.
 */
export function spellings(path: string): readonly string[] {
  if (/^[A-Za-z0-9_/-]*$/.test(path)) return withAndWithoutSlash(path.toLowerCase());
  const forms = new Set<string>();
  const once = decodeLoosely(path);
  for (const form of [path, once, decodeLoosely(once)]) {
    for (const text of [form, form.normalize("NFKC")]) {
      const bare = text.split("/").map(withoutParameters).join("/");
      const trimmed = (bare.split(/[?#]/, 1)[0] ?? "").split("/").map(withoutPadding).join("/");
      for (const view of [text, bare, trimmed]) {
        for (const folded of caseForms(view)) {
          for (const one of withAndWithoutSlash(folded)) forms.add(one);
        }
      }
    }
  }
  return [...forms];
}

/** Servers compare in lower case, or in upper case, where a dotless i is an I and a sharp s two of them. */
export function caseForms(text: string): readonly string[] {
  const lower = text.toLowerCase();
  const upper = text.toUpperCase().toLowerCase();
  return lower === upper ? [lower] : [lower, upper];
}

function withAndWithoutSlash(path: string): string[] {
  return [path, path.endsWith("/") ? withoutEnd(path, "/") || "/" : `${path}/`];
}

function withoutPadding(segment: string): string {
  return withoutEnd(segment, ". ");
}

/** By hand: a pattern that looks for the end from each place takes a quadratic time. */
function withoutEnd(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text[end - 1] ?? "")) end -= 1;
  return text.slice(0, end);
}
