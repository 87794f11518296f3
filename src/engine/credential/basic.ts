import type { Auth, FixedScheme, OpenedSecrets } from "./scheme.ts";
import { need } from "./scheme.ts";

/** `Authorization: Basic <base64 of user:password>` (RFC 7617 section 2). */
export const basic: FixedScheme = {
  type: "basic",
  title: "user and password (Basic)",
  page: "https://www.rfc-editor.org/rfc/rfc7617#section-2",
  forms: ["username, password", "key (user:password)"],
  place: () => "header:authorization",
  headerNames: () => ["authorization"],
  queryNames: () => [],
  inject(auth, opened) {
    const pair = pairOf(auth, opened);
    const encoded = Buffer.from(pair, "utf8").toString("base64");
    const colon = pair.indexOf(":");
    const password = pair.slice(colon + 1);
    // Some services take a key as the user, with an empty password: then the user is the secret.
    const secret = password === "" ? pair.slice(0, colon) : password;
    return { headers: [["Authorization", `Basic ${encoded}`]], query: [], redact: [encoded, pair, secret] };
  },
};

/** `username` and `password`, or both in `key`; a key without a colon is a user without a password. */
function pairOf(auth: Auth, opened: OpenedSecrets): string {
  if (!auth.secret.has("key")) return `${auth.open.get("username") ?? ""}:${need(opened, "password")}`;
  const key = need(opened, "key");
  return key.includes(":") ? key : `${key}:`;
}
