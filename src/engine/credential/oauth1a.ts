// OAuth 1.0a: each request carries a keyed hash over its method, address and parameters.
// https://www.rfc-editor.org/rfc/rfc5849#section-3.4
import type { Digest } from "../ports.ts";
import { decodedPairs, formText, isForm, withoutFormFields } from "./form.ts";
import { type MadeScheme, need, type Unsigned } from "./scheme.ts";

const methods = { "HMAC-SHA1": "sha1", "HMAC-SHA256": "sha256" } as const;
type Method = keyof typeof methods;

/** `oauth_callback` and `oauth_verifier` are the agent's to send, where it goes through the steps of a login. */
const own: readonly string[] = [
  ...["oauth_consumer_key", "oauth_token", "oauth_signature_method", "oauth_signature"],
  ...["oauth_timestamp", "oauth_nonce", "oauth_version"],
];

export const oauth1a: MadeScheme = {
  type: "oauth1a",
  title: "OAuth 1.0a",
  page: "https://www.rfc-editor.org/rfc/rfc5849#section-3",
  fields: [
    {
      name: "consumerKey",
      kind: "secret",
      required: true,
      expected: "the consumer key (API key) of the app",
    },
    { name: "consumerSecret", kind: "secret", required: true, expected: "the consumer secret of the app" },
    { name: "token", kind: "secret", required: false, expected: "the access token of the account" },
    { name: "tokenSecret", kind: "secret", required: false, expected: "the secret of the access token" },
    {
      ...{ name: "signatureMethod", kind: "text", required: false },
      expected: `one of ${Object.keys(methods).join(", ")}; HMAC-SHA1 by default`,
      problem: (text) => (text in methods ? undefined : `expected one of ${Object.keys(methods).join(", ")}`),
    },
    {
      ...{ name: "realm", kind: "text", required: false },
      expected: "the realm, where the service wants one",
      problem: (text) => (/["\\]|[^\x20-\x7e]/.test(text) ? "expected plain text without quotes" : undefined),
    },
  ],
  problemIn(_, secrets) {
    if (secrets.has("token") === secrets.has("tokenSecret")) return undefined;
    return '"token" and "tokenSecret" go together';
  },
  yieldsToken: false,
  place: () => "header:authorization, by OAuth 1.0a",
  headerNames: () => ["authorization"],
  queryNames: () => own,
  readsBody: (_, fields) => isForm(fields),
  unwrap: (wrapped) => withoutFormFields(wrapped, own),
  make({ auth, base, name }, opened, { digest, entropy }) {
    if (!base) throw new Error(`"${name}" has no baseUrl to sign for`);
    const { open } = auth;
    const method = (open.get("signatureMethod") ?? "HMAC-SHA1") as Method;
    const [consumerKey, consumerSecret] = ["consumerKey", "consumerSecret"].map((field) =>
      need(opened, field),
    );
    const token = opened.get("token")?.reveal();
    const key = [consumerSecret, opened.get("tokenSecret")?.reveal()]
      .map((secret) => encoded(utf8(secret ?? "")))
      .join("&");
    const realm = open.get("realm");
    return {
      redact: [],
      sign(request) {
        const parameters: [string, string][] = [
          ["oauth_consumer_key", utf8(consumerKey ?? "")],
          ["oauth_nonce", Buffer.from(entropy.bytes(16)).toString("hex")],
          ["oauth_signature_method", method],
          ["oauth_timestamp", `${Math.floor(request.now / 1000)}`],
          ...(token === undefined ? [] : [["oauth_token", utf8(token)] as [string, string]]),
          ["oauth_version", "1.0"],
        ];
        const signature = signatureOf(methods[method], key, baseString(request, parameters), digest);
        const pairs = [...parameters, ["oauth_signature", signature] as const];
        const shown = pairs.map(([name, value]) => `${name}="${encoded(value)}"`);
        const first = realm === undefined ? [] : [`realm="${realm}"`];
        return { headers: [["Authorization", `OAuth ${[...first, ...shown].join(", ")}`]], query: [] };
      },
    };
  },
};

export function signatureOf(algorithm: "sha1" | "sha256", key: string, text: string, digest: Digest): string {
  return digest.mac(algorithm, key, text).toString("base64");
}

/** https://www.rfc-editor.org/rfc/rfc5849#section-3.4.1 */
export function baseString(
  { method, base, target, fields, body }: Omit<Unsigned, "now">,
  parameters: readonly (readonly [name: string, value: string])[],
): string {
  const all = [...parameters, ...decodedPairs(target.query), ...decodedPairs(formText(fields, body))]
    .map(([name, value]): [string, string] => [encoded(name), encoded(value)])
    .sort(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
  const address = `${base.scheme}://${base.authority}${target.path}`;
  return `${method.toUpperCase()}&${encoded(address)}&${encoded(all)}`;
}

/** Each byte of its UTF-8 as one character. */
function utf8(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** https://www.rfc-editor.org/rfc/rfc5849#section-3.6, of characters that each stand for one byte. */
function encoded(text: string): string {
  return text.replace(
    /[^A-Za-z0-9\-._~]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
