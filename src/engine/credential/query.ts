import { type FixedScheme, need } from "./scheme.ts";

const prefix = "params.";

/** One or more query parameters with a secret value each, such as `api_key`. */
export const query: FixedScheme = {
  type: "query",
  title: "parameters in the query",
  page: "https://www.rfc-editor.org/rfc/rfc3986#section-3.4",
  forms: ["params: {name: value}", "param, key"],
  place: (auth) =>
    namesOf(auth.secret)
      .map((name) => `query:${name}`)
      .sort()
      .join(","),
  headerNames: () => [],
  queryNames: (auth) => namesOf(auth.secret),
  inject(auth, opened) {
    const pairs = namesOf(auth.secret).map((name) => [name, need(opened, `${prefix}${name}`)] as const);
    return { headers: [], query: pairs, redact: pairs.map(([, value]) => value) };
  },
};

function namesOf(secret: ReadonlyMap<string, unknown>): string[] {
  return [...secret.keys()].map((field) => field.slice(prefix.length));
}
