// The shape of config.yaml for editors, as JSON Schema 2020-12. `readConfig` is what decides: it also knows
// which fields go together, and a test holds the two to the same keys.
import { approvals, modes } from "./config-capability.ts";
import { placeholderPlaces } from "./config-service.ts";
import { madeSchemes } from "./credential/index.ts";
import type { AuthField, MadeScheme } from "./credential/scheme.ts";
import { referenceForms } from "./reference.ts";
import { sendableMethods } from "./rule.ts";

type Schema = { readonly [keyword: string]: unknown };

const text = (description: string): Schema => ({ type: "string", minLength: 1, description });
const flag = (description: string): Schema => ({ type: "boolean", default: false, description });
const list = (description: string): Schema => ({
  type: "array",
  items: { type: "string", minLength: 1 },
  description,
});
const duration = (description: string): Schema => ({
  type: "string",
  pattern: "^[0-9]{1,9}[smhd]$",
  description,
});
const closed = (properties: Schema, required: readonly string[] = []): Schema => ({
  type: "object",
  properties,
  required,
  additionalProperties: false,
});
/** A section without content is as good as none. */
const optional = (schema: Schema): Schema => ({ anyOf: [{ type: "null" }, schema] });
const named = (schema: Schema): Schema =>
  optional({
    type: "object",
    propertyNames: { pattern: "^[a-z0-9][a-z0-9_-]{0,63}$", not: { const: "mcp" } },
    additionalProperties: schema,
  });

const credential = text(
  `The credential (sealed in place), or a reference: ${Object.values(referenceForms)
    .map(({ form }) => form)
    .join(", ")}`,
);
const credentials = (description: string): Schema => ({
  type: "object",
  minProperties: 1,
  additionalProperties: credential,
  description,
});

const auth: Schema = {
  oneOf: [
    closed({ type: { const: "bearer" }, key: credential }, ["type", "key"]),
    closed({ type: { const: "basic" }, username: { type: "string" }, password: credential }, [
      "type",
      "password",
    ]),
    closed({ type: { const: "basic" }, key: credential }, ["type", "key"]),
    closed({ type: { const: "headers" }, headers: credentials("Header names and their values") }, [
      "type",
      "headers",
    ]),
    closed({ type: { const: "headers" }, header: text("The header's name"), key: credential }, [
      "type",
      "header",
      "key",
    ]),
    closed({ type: { const: "query" }, params: credentials("Parameter names and their values") }, [
      "type",
      "params",
    ]),
    closed({ type: { const: "query" }, param: text("The parameter's name"), key: credential }, [
      "type",
      "param",
      "key",
    ]),
    closed({ type: { const: "cookie" }, cookies: credentials("Cookie names and their values") }, [
      "type",
      "cookies",
    ]),
    closed({ type: { const: "cookie" }, cookie: text("The cookie's name"), key: credential }, [
      "type",
      "cookie",
      "key",
    ]),
    ...madeSchemes.map(madeAuth),
  ],
};

function madeAuth({ type, fields }: MadeScheme): Schema {
  const properties = fields.map((field) => [field.name, fieldSchema(field)] as const);
  const required = fields.filter((field) => field.required).map(({ name }) => name);
  return closed({ type: { const: type }, ...Object.fromEntries(properties) }, ["type", ...required]);
}

function fieldSchema({ kind, expected }: AuthField): Schema {
  if (kind === "secret" || kind === "pem") return credential;
  if (kind === "list") return list(expected);
  const one = { anyOf: [text(expected), { type: "integer", minimum: 0 }] };
  return kind === "map" ? { type: "object", additionalProperties: one, description: expected } : one;
}

const service = closed(
  {
    baseUrl: {
      type: "string",
      pattern: "^[Hh][Tt][Tt][Pp][Ss]?://[^\\s?#@*{}\\\\]+$",
      description: "http(s), a host, an optional path prefix; needed for mode: http",
    },
    auth,
    allowCleartext: flag("Send the credential over http:// to another machine"),
    allowLinkLocal: flag("Send the credential to link-local and metadata addresses"),
    allowEmptySegments: flag('Let "//" in paths through'),
    allowCookies: flag("Pass Set-Cookie and Cookie on"),
    allowRange: flag("Pass Range on"),
    caFile: text("Certificates of authorities to trust for this service"),
    placeholders: { type: "array", items: { enum: placeholderPlaces } },
    capture: {
      anyOf: [
        { type: "boolean" },
        list("Fields of its answers that hold credentials: access_token, data.*.secret"),
      ],
    },
    maxAge: duration("How old the credential may grow before doctor warns, such as 90d"),
  },
  ["auth"],
);

const ruleText: Schema = {
  type: "string",
  pattern: `^(\\*|(\\*|[A-Za-z]+) (\\*|/[^\\s?#]*))$`,
  description: `"*", or a method (${sendableMethods.slice(0, 7).join(", ")}, …) and a path: GET /v1/*`,
};
const rule: Schema = {
  oneOf: ["allow", "deny", "ask"].map((effect) => closed({ [effect]: ruleText }, [effect])),
};

const argsPattern: Schema = {
  type: "array",
  items: { type: "string" },
  description: 'Arguments; "*" alone is any run of them: ["issue", "list", "*"]',
};
const argsRule: Schema = {
  oneOf: ["allow", "deny", "ask"].map((effect) => closed({ [effect]: argsPattern }, [effect])),
};

const capability = closed(
  {
    service: text("The name of a service"),
    mode: { enum: modes, default: "http" },
    description: { type: "string" },
    ttl: duration("How long a session lives: default 1h, at most 24h"),
    autoApprove: flag("Start sessions without asking a human"),
    approval: { enum: approvals, default: "any" },
    requireReason: flag("Ask the agent for a reason"),
    limit: { type: "string", pattern: "^[0-9]{1,9}/[smhd]$", description: "Requests per time: 100/h" },
    allowedAgents: list("The only agents that may use it"),
    rules: { type: "array", items: rule, description: "The first match wins; no match: denied" },
    allowCommands: list("Exec mode: the only commands that may run"),
    args: {
      type: "object",
      additionalProperties: { type: "array", items: argsRule },
      description: "Exec mode: rules on the arguments of a command; the first match wins; no match: denied",
    },
    sha256: {
      type: "object",
      additionalProperties: { type: "string", pattern: "^[0-9A-Fa-f]{64}$" },
      description: "Exec mode: the digest that a command's file must have",
    },
    dangerous: flag("Exec mode: list shells, interpreters and tools that print or send their environment"),
    envMap: {
      type: "object",
      propertyNames: { pattern: "^[A-Za-z_][A-Za-z0-9_]*$" },
      additionalProperties: { type: "string" },
      description:
        'Variables of a command, such as "{{credential}}"; in http mode a placeholder, for janee run',
    },
    timeout: duration("Exec mode: default 30s, at most 1h"),
    workDir: text("Exec mode: where the command runs"),
  },
  ["service"],
);

const network = closed({
  proxy: { type: "string", pattern: "^http://\\S+:[0-9]{1,5}/?$" },
  noProxy: list("Host names, or suffixes that begin with a dot"),
  caFile: text("Certificates of authorities to trust"),
  unmatched: {
    enum: ["deny", "tunnel"],
    description: "Forward proxy: what no capability is at (default deny)",
  },
});

const vaultName = { type: "string", pattern: "^[A-Za-z0-9_-][A-Za-z0-9_./-]*$" };
const vaultStore = closed(
  {
    address: {
      type: "string",
      pattern: "^[Hh][Tt][Tt][Pp][Ss]?://[^\\s?#@*{}\\\\]+$",
      description: "Where Vault or OpenBao is, such as https://vault.example.com:8200",
    },
    namespace: { ...vaultName, description: "The namespace in it, where there are any" },
    caFile: text("Certificates of authorities to trust for this store"),
    auth: {
      description:
        "How janee logs in: type token with token, approle with roleId, secretId and mount, or jwt with role, jwt and mount; the secret is sealed in place, or a reference to a variable, file, command or keychain",
      oneOf: [
        closed({ type: { const: "token" }, token: credential }, ["type", "token"]),
        closed(
          { type: { const: "approle" }, mount: vaultName, roleId: { type: "string" }, secretId: credential },
          ["type", "roleId", "secretId"],
        ),
        closed({ type: { const: "jwt" }, mount: vaultName, role: { type: "string" }, jwt: credential }, [
          "type",
          "role",
          "jwt",
        ]),
      ],
    },
  },
  ["address", "auth"],
);

export function configSchema(): Schema {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "janee config.yaml",
    ...closed({
      services: named(service),
      capabilities: named(capability),
      network: optional(network),
      audit: optional(closed({ sync: flag("Write each audit line through to the disk") })),
      stores: optional(closed({ vault: vaultStore })),
    }),
  };
}
