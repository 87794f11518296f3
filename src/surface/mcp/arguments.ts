// What each tool takes: checked before anything is done, and told to clients as JSON Schema.
import * as v from "valibot";

const longestReason = 2000;

const capability = v.pipe(
  v.string(),
  v.maxLength(64),
  v.description("Name of a capability, as list_capabilities gives it"),
);
const reason = v.optional(
  v.pipe(
    v.string(),
    v.maxLength(longestReason),
    v.description("Why, in a sentence: a person may read it, and it is written down"),
  ),
);
const method = v.pipe(
  v.string(),
  v.maxLength(20),
  v.description("HTTP method: GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS"),
);
const path = v.pipe(
  v.string(),
  v.maxLength(16_384),
  v.description('Path below the service\'s base URL, such as "/v1/balance"; may carry a query'),
);
const scalar = v.union([v.string(), v.number(), v.boolean()]);

export const inputs = {
  list_capabilities: v.strictObject({}),
  request_access: v.strictObject({
    capability,
    reason,
    proxy: v.optional(
      v.pipe(
        v.boolean(),
        v.description("Also give a base URL and a session token for HTTP clients, if janee serve runs"),
      ),
    ),
  }),
  execute: v.strictObject({
    capability,
    method,
    path,
    query: v.optional(
      v.pipe(
        v.record(v.string(), v.union([scalar, v.array(scalar)])),
        v.description("Query parameters, encoded by janee; a list repeats the parameter"),
      ),
    ),
    headers: v.optional(
      v.pipe(
        v.record(v.string(), v.string()),
        v.description("Further request headers. Credentials are added by janee and must not be given"),
      ),
    ),
    body: v.optional(
      v.pipe(v.unknown(), v.description("Request body: a string is sent as it is, anything else as JSON")),
    ),
    encoding: v.optional(
      v.pipe(v.literal("base64"), v.description("The body is a string of base64 that stands for bytes")),
    ),
    reason,
  }),
  exec: v.strictObject({
    capability,
    command: v.pipe(
      v.array(v.string()),
      v.description('A command and its arguments, such as ["gh", "issue", "list"]; no shell reads them'),
    ),
    cwd: v.optional(
      v.pipe(v.string(), v.maxLength(4096), v.description("A folder inside the capability's own")),
    ),
    stdin: v.optional(v.pipe(v.string(), v.description("What the command reads from its standard input"))),
    reason,
  }),
  explain: v.strictObject({ capability, method, path }),
  end_session: v.strictObject({
    session: v.pipe(
      v.string(),
      v.maxLength(64),
      v.description("Short id of a session, as request_access gives it"),
    ),
  }),
} as const;

export type ToolName = keyof typeof inputs;
export type Input<Name extends ToolName> = v.InferOutput<(typeof inputs)[Name]>;

export function isToolName(name: string): name is ToolName {
  return Object.hasOwn(inputs, name);
}

/** The arguments, or what is wrong with them; never with a value in it, for that may be a secret. */
export function readArguments<Name extends ToolName>(
  name: Name,
  given: unknown,
): Input<Name> | { readonly problem: string } {
  const read = v.safeParse(inputs[name], given ?? {});
  if (read.success) return read.output as Input<Name>;
  const [issue] = read.issues;
  const place = issue.path?.map(({ key }) => String(key).slice(0, 40)).join(".") ?? "";
  const expected = issue.expected === "never" ? "nothing of this name" : (issue.expected ?? "something else");
  return { problem: `${place === "" ? "arguments" : `"${place}"`}: expected ${String(expected)}` };
}
