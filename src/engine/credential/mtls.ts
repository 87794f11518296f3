// The service knows janee by a client certificate, shown in the TLS handshake (RFC 8446 section 4.4.2); beside it some
// want a token as well.
import { Failure } from "../failure.ts";
import type { MadeScheme } from "./scheme.ts";

export const mtls: MadeScheme = {
  type: "mtls",
  title: "client certificate (mutual TLS)",
  page: "https://www.rfc-editor.org/rfc/rfc8446#section-4.4.2",
  fields: [
    {
      name: "certificate",
      kind: "pem",
      required: true,
      expected: "the client certificate in PEM, its chain behind it",
    },
    { name: "privateKey", kind: "pem", required: true, expected: "the certificate's private key in PEM" },
    { name: "passphrase", kind: "secret", required: false, expected: "the passphrase of the private key" },
    {
      name: "key",
      kind: "secret",
      required: false,
      expected: "a token that is sent as Bearer beside the certificate",
    },
  ],
  async unfit(opened, keys) {
    const [certificate, privateKey] = [opened.get("certificate"), opened.get("privateKey")];
    if (!certificate || !privateKey) return undefined;
    const identity = await keys.identity(certificate, privateKey, opened.get("passphrase"));
    return identity instanceof Failure ? identity : undefined;
  },
  yieldsToken: false,
  place: ({ secret }) => (secret.has("key") ? "tls, header:authorization" : "tls"),
  headerNames: () => ["authorization"],
  queryNames: () => [],
  async make(service, opened, tools) {
    if (service.base?.scheme !== "https") {
      return new Failure("credential_failed", "a client certificate is shown over https:// only");
    }
    const [certificate, privateKey] = [opened.get("certificate"), opened.get("privateKey")];
    if (!certificate || !privateKey) throw new Error("the certificate or its key was not opened");
    const identity = await tools.keys.identity(certificate, privateKey, opened.get("passphrase"));
    if (identity instanceof Failure) return identity;
    const token = opened.get("key")?.reveal();
    const headers = token === undefined ? [] : [["Authorization", `Bearer ${token}`] as const];
    const placed = { headers, query: [] };
    return { identity, redact: [identity.key.reveal()], sign: () => placed };
  },
};
