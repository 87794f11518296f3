// An answer in which each credential that was just issued has its placeholder, and all else is byte for byte the same.

import { jsonTexts } from "./json-texts.ts";
import { type FieldPattern, isMeant } from "./pattern.ts";

export interface Masked {
  readonly text: string;
  readonly count: number;
}

/** `placeholderFor`: what stands for this value from now on. */
type PlaceholderFor = (value: string) => string;

/** undefined: the text is no JSON. */
export function maskJson(
  text: string,
  patterns: readonly FieldPattern[],
  placeholderFor: PlaceholderFor,
): Masked | undefined {
  const texts = jsonTexts(text);
  if (!texts) return undefined;
  const meant = texts.filter(({ path, value }) => value !== "" && isMeant(patterns, path));
  let masked = "";
  let at = 0;
  for (const { value, start, end } of meant) {
    masked += `${text.slice(at, start)}"${placeholderFor(value)}"`;
    at = end;
  }
  return { text: masked + text.slice(at), count: meant.length };
}

/** The other form in which token endpoints answer: `access_token=…&scope=…`. */
export function maskForm(
  text: string,
  patterns: readonly FieldPattern[],
  placeholderFor: PlaceholderFor,
): Masked | undefined {
  let count = 0;
  const parts: string[] = [];
  for (const part of text.split("&")) {
    const equals = part.indexOf("=");
    const name = decoded(equals < 0 ? part : part.slice(0, equals));
    const value = decoded(equals < 0 ? "" : part.slice(equals + 1));
    if (name === undefined || value === undefined) return undefined;
    const isIt = value !== "" && isMeant(patterns, [name]);
    if (isIt) count += 1;
    parts.push(isIt ? `${part.slice(0, equals)}=${placeholderFor(value)}` : part);
  }
  return { text: parts.join("&"), count };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}
