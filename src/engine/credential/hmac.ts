// A keyed hash (RFC 2104) over parts of the request: how exchanges and many others sign, each in its own order. The
// time and the nonce are janee's own, so that no agent can have something signed for another moment.
import { Failure } from "../failure.ts";
import type { HashName } from "../ports.ts";
import { targetText, withParameters } from "../target.ts";
import { withoutFormFields } from "./form.ts";
import { presets } from "./hmac-presets.ts";
import {
  algorithms,
  encodings,
  everyPiece,
  filled,
  pairsOf,
  partsOf,
  piecesOf,
  problemInHeader,
  problemInParam,
  problemInPieces,
  secretEncodings,
  signPieces,
  type Template,
  timestamps,
} from "./hmac-template.ts";
import {
  type Auth,
  type AuthField,
  type CredentialTools,
  type MadeScheme,
  need,
  type OpenedSecrets,
  type Placed,
  type Unsigned,
} from "./scheme.ts";

const oneOf = (name: string, known: readonly string[], expected: string): AuthField => ({
  ...{ name, kind: "text", required: false },
  expected: `${expected}: ${known.join(", ")}`,
  problem: (text) => (known.includes(text) ? undefined : `expected one of ${known.join(", ")}`),
});

/** What a preset says and a template has to. */
const ofTemplate = [
  "sign",
  "algorithm",
  "encoding",
  "secretEncoding",
  "timestamp",
  "sendHeaders",
  "sendParams",
];

export const hmac: MadeScheme = {
  type: "hmac",
  title: "HMAC over each request",
  page: "https://www.rfc-editor.org/rfc/rfc2104",
  fields: [
    oneOf("preset", Object.keys(presets), "a known way of signing"),
    {
      name: "apiKey",
      kind: "secret",
      required: false,
      expected: "the API key that is sent with the signature",
    },
    { name: "secret", kind: "secret", required: true, expected: "the secret that signs" },
    { name: "passphrase", kind: "secret", required: false, expected: "the passphrase of the API key" },
    {
      ...{ name: "sign", kind: "text", required: false },
      expected: 'without a preset: what is signed, such as "{timestamp}{method}{target}{body}"',
      problem: (text) => problemInPieces(text, signPieces),
    },
    oneOf("algorithm", algorithms, "without a preset"),
    oneOf("encoding", encodings, "without a preset, of the signature"),
    oneOf("secretEncoding", secretEncodings, "without a preset, how the secret is written"),
    oneOf("timestamp", timestamps, "without a preset, of {timestamp}"),
    {
      ...{ name: "recvWindow", kind: "text", required: false },
      expected: "milliseconds for which the service takes a signature",
      problem: (text) => (/^[1-9][0-9]{0,5}$/.test(text) ? undefined : "expected a number of milliseconds"),
    },
    {
      ...{ name: "sendHeaders", kind: "map", required: false, problem: problemInHeader },
      expected: 'without a preset: headers, such as X-Signature: "{signature}"',
    },
    {
      ...{ name: "sendParams", kind: "map", required: false, problem: problemInParam },
      expected: 'without a preset: query parameters, such as timestamp: "{timestamp}"',
    },
  ],
  problemIn(open, secrets) {
    const beside = ofTemplate.find((field) => open.has(field));
    const preset = open.get("preset");
    if (preset !== undefined && beside !== undefined) return `"${beside}" does not go with a preset`;
    if (preset === undefined && !open.has("sign")) return 'expected "preset", or "sign" and where it goes';
    const template = templateOf(open);
    const used = everyPiece(template);
    if (!used.has("signature")) return 'no header and no parameter has "{signature}"';
    if (!used.has("timestamp") && !used.has("nonce")) {
      return 'expected "{timestamp}" or "{nonce}": a signature without one is good for ever';
    }
    for (const [piece, field] of [
      ["key", "apiKey"],
      ["passphrase", "passphrase"],
    ] as const) {
      if (used.has(piece) && !secrets.has(field)) return `"${field}" is missing`;
      if (!used.has(piece) && secrets.has(field)) return `"${field}" is sent nowhere`;
    }
    if (used.has("recvWindow") === (template.recvWindow !== undefined)) return undefined;
    return used.has("recvWindow") ? '"recvWindow" is missing' : '"recvWindow" is sent nowhere';
  },
  yieldsToken: false,
  /** All that says where key and signature go, and what is signed. */
  place: ({ open }) =>
    ["preset", ...ofTemplate]
      .flatMap((field) => (open.has(field) ? [`${field}=${open.get(field)}`] : []))
      .join(" "),
  headerNames: ({ open }) => templateOf(open).headers.map(([name]) => name.toLowerCase()),
  queryNames: ({ open }) => templateOf(open).params.map(([name]) => name),
  readsBody({ auth }) {
    const pieces = piecesOf(templateOf(auth.open).sign);
    return pieces.includes("body") || pieces.includes("bodyHash");
  },
  unwrap(wrapped) {
    const names = templateOf(wrapped.auth.open).params.map(([name]) => name);
    return names.length === 0 ? undefined : withoutFormFields(wrapped, names);
  },
  make({ auth }, opened, tools) {
    const template = templateOf(auth.open);
    const key = keyOf(template, need(opened, "secret"));
    if (key instanceof Failure) return key;
    return { redact: [], sign: (request) => signed(template, key, opened, request, tools) };
  },
};

function templateOf(open: Auth["open"]): Template {
  const preset = presets[open.get("preset") ?? ""];
  const recvWindow = open.get("recvWindow");
  if (preset) return recvWindow === undefined ? preset : { ...preset, recvWindow };
  return {
    sign: open.get("sign") ?? "",
    algorithm: (open.get("algorithm") ?? "sha256") as HashName,
    encoding: open.get("encoding") ?? "hex",
    secretEncoding: open.get("secretEncoding") ?? "text",
    timestamp: open.get("timestamp") ?? "ms",
    recvWindow,
    headers: pairsOf(open.get("sendHeaders")),
    params: pairsOf(open.get("sendParams")),
  };
}

function keyOf({ secretEncoding }: Template, secret: string): Buffer | Failure {
  if (secretEncoding === "text") return Buffer.from(secret, "utf8");
  const isBase64 = secretEncoding === "base64";
  const pattern = isBase64 ? /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2,3}={0,2})?$/ : /^(?:[0-9A-Fa-f]{2})+$/;
  if (pattern.test(secret)) return Buffer.from(secret, isBase64 ? "base64" : "hex");
  return new Failure("credential_failed", `the secret is not written in ${secretEncoding}`, {
    next: "give it again as the service shows it: janee set",
  });
}

function signed(
  template: Template,
  key: Buffer,
  opened: OpenedSecrets,
  request: Unsigned,
  { digest, entropy }: CredentialTools,
): Placed {
  const values = new Map([
    ["timestamp", timeText(request.now, template.timestamp)],
    ["nonce", Buffer.from(entropy.bytes(16)).toString("hex")],
    ["recvWindow", template.recvWindow ?? ""],
    ["key", opened.get("apiKey")?.reveal() ?? ""],
    ["passphrase", opened.get("passphrase")?.reveal() ?? ""],
    ["method", request.method],
    ["host", request.base.authority],
    ["path", request.target.path],
  ]);
  const fill = ([name, text]: readonly [string, string]): [string, string] => [name, filled(text, values)];
  const isSignature = ([, text]: readonly [string, string]): boolean => piecesOf(text).includes("signature");
  const before = template.params.filter((pair) => !isSignature(pair)).map(fill);
  const target = withParameters(request.target, before);
  values.set("query", target.query ?? "").set("target", targetText(target));
  if (request.body.kind === "stream" && piecesOf(template.sign).some((name) => name.startsWith("body"))) {
    throw new Error("a body that has to be signed was not read");
  }
  const body = request.body.kind === "whole" ? request.body.bytes : Buffer.alloc(0);
  const bytes = partsOf(template.sign).map((part) => {
    if ("text" in part) return Buffer.from(part.text, "utf8");
    if (part.piece === "body") return body;
    if (part.piece === "bodyHash") return Buffer.from(digest.hash(template.algorithm, body).toString("hex"));
    return Buffer.from(values.get(part.piece) ?? "", "latin1");
  });
  const mac = digest.mac(template.algorithm, key, Buffer.concat(bytes));
  values.set("signature", mac.toString(template.encoding === "base64" ? "base64" : "hex"));
  const behind = template.params.filter(isSignature).map(fill);
  return { headers: template.headers.map(fill), query: [...before, ...behind] };
}

function timeText(milliseconds: number, unit: string): string {
  if (unit === "iso") return new Date(milliseconds).toISOString();
  return `${unit === "s" ? Math.floor(milliseconds / 1000) : milliseconds}`;
}
