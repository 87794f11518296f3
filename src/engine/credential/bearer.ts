import { type FixedScheme, need } from "./scheme.ts";

/** `Authorization: Bearer <key>` (RFC 6750 section 2.1). */
export const bearer: FixedScheme = {
  type: "bearer",
  title: "bearer token",
  page: "https://www.rfc-editor.org/rfc/rfc6750#section-2.1",
  forms: ["key"],
  place: () => "header:authorization",
  headerNames: () => ["authorization"],
  queryNames: () => [],
  inject(_auth, opened) {
    const key = need(opened, "key");
    return { headers: [["Authorization", `Bearer ${key}`]], query: [], redact: [key] };
  },
};
