import { need, type Scheme } from "./scheme.ts";

/** `Authorization: Basic <base64 of user:password>` (RFC 7617 section 2). */
export const basic: Scheme = {
  type: "basic",
  place: () => "header:authorization",
  headerNames: () => ["authorization"],
  queryNames: () => [],
  inject(auth, opened) {
    const username = auth.open.get("username") ?? "";
    const password = need(opened, "password");
    const pair = `${username}:${password}`;
    const encoded = Buffer.from(pair, "utf8").toString("base64");
    const redact = password === "" ? [encoded, username] : [encoded, pair, password];
    return { headers: [["Authorization", `Basic ${encoded}`]], query: [], redact };
  },
};
