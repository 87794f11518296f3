// One or more cookies with a secret value each (RFC 6265 section 4.2).
import { type FixedScheme, need } from "./scheme.ts";

const prefix = "cookies.";

export const cookie: FixedScheme = {
  type: "cookie",
  title: "cookies",
  page: "https://www.rfc-editor.org/rfc/rfc6265#section-4.2",
  forms: ["cookies: {name: value}", "cookie, key"],
  place: (auth) =>
    namesOf(auth.secret)
      .map((name) => `cookie:${name}`)
      .sort()
      .join(","),
  headerNames: () => ["cookie"],
  queryNames: () => [],
  inject(auth, opened) {
    const pairs = namesOf(auth.secret).map((name) => [name, need(opened, `${prefix}${name}`)] as const);
    const value = pairs.map(([name, secret]) => `${name}=${secret}`).join("; ");
    return { headers: [["Cookie", value]], query: [], redact: [value, ...pairs.map(([, secret]) => secret)] };
  },
};

function namesOf(secret: ReadonlyMap<string, unknown>): string[] {
  return [...secret.keys()].map((field) => field.slice(prefix.length));
}
