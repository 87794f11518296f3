import { type FixedScheme, need } from "./scheme.ts";

const prefix = "headers.";

/** One or more headers with a secret value each, such as `X-Api-Key`. */
export const headers: FixedScheme = {
  type: "headers",
  title: "headers of any name",
  page: "https://www.rfc-editor.org/rfc/rfc9110#section-5",
  forms: ["headers: {Name: value}", "header, key"],
  place: (auth) =>
    namesOf(auth.secret)
      .map((name) => `header:${name.toLowerCase()}`)
      .sort()
      .join(","),
  headerNames: (auth) => namesOf(auth.secret).map((name) => name.toLowerCase()),
  queryNames: () => [],
  inject(auth, opened) {
    const pairs = namesOf(auth.secret).map((name) => [name, need(opened, `${prefix}${name}`)] as const);
    return { headers: pairs, query: [], redact: pairs.flatMap(([, value]) => [value, afterScheme(value)]) };
  },
};

function namesOf(secret: ReadonlyMap<string, unknown>): string[] {
  return [...secret.keys()].map((field) => field.slice(prefix.length));
}

/** In `token abc…` the part behind the scheme's name is the credential itself. */
function afterScheme(value: string): string {
  const space = value.lastIndexOf(" ");
  return space < 0 ? value : value.slice(space + 1);
}
