// The `auth:` block of a scheme that says its own fields.
import type { BaseUrl } from "./config.ts";
import type { Fields, Place } from "./config-place.ts";
import type { AuthField, MadeScheme, StoredSecret } from "./credential/scheme.ts";

/** The fields as they stand; what is wrong with them is told to the reading. */
export function madeFields(
  fields: Fields,
  scheme: MadeScheme,
  base: BaseUrl | undefined,
  storedSecret: (place: Place, field: AuthField) => StoredSecret | undefined,
): { readonly open: ReadonlyMap<string, string>; readonly secret: ReadonlyMap<string, StoredSecret> } {
  const open = new Map<string, string>();
  const secret = new Map<string, StoredSecret>();
  for (const field of scheme.fields) {
    const place = field.required ? fields.need(field.name, field.expected) : fields.get(field.name);
    if (!place) continue;
    if (isSecret(field)) {
      const stored = storedSecret(place, field);
      if (stored) secret.set(field.name, stored);
    } else {
      const text = openText(place, field);
      if (text !== undefined) open.set(field.name, text);
    }
  }
  const problem = scheme.problemIn?.(open, new Set(secret.keys()), base);
  if (problem) fields.place.refuse(problem);
  return { open, secret };
}

export function isSecret({ kind }: AuthField): boolean {
  return kind === "secret" || kind === "pem";
}

/** One string for what an agent's own words never reach: lists and maps in a form that has one spelling. */
function openText(place: Place, field: AuthField): string | undefined {
  if (field.kind === "list") {
    const texts = place.strings(`a list: ${field.expected}`);
    return texts && joined(place, field, texts);
  }
  if (field.kind === "map") {
    const entries = [...(place.entries() ?? [])];
    const pairs = entries.flatMap(([name, at]) => {
      const value = at.text(field.expected);
      return value === undefined ? [] : [`${name}=${value}`];
    });
    return joined(place, field, pairs);
  }
  const text = place.text(field.expected);
  return text === undefined ? undefined : joined(place, field, [text]);
}

function joined(place: Place, field: AuthField, texts: readonly string[]): string | undefined {
  const many = field.kind === "list" || field.kind === "map";
  if (texts.length === 0) return place.refuse(`expected ${field.expected}, found nothing`);
  for (const text of texts) {
    const problem = problemInOpen(text, field, many);
    if (problem) return place.refuse(problem);
  }
  return (many ? [...texts].sort() : texts).join(",");
}

/** The same for the config and for flags. */
export function problemInOpen(text: string, field: AuthField, member: boolean): string | undefined {
  if (text === "") return `expected ${field.expected}, found nothing`;
  if (/[\x00-\x1f\x7f-\x9f]/.test(text)) return "a control character";
  if (member && text.includes(",")) return `a comma: expected ${field.expected}`;
  if (field.kind === "url" && !isWebUrl(text))
    return "expected a whole URL, such as https://auth.example.com/token";
  return field.problem?.(text);
}

function isWebUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) && url.username === "" && url.hash === "";
}
