// AWS Signature Version 4: each request is signed whole, for one region and service, with a key of the day.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
import { dashed } from "../agent-fields.ts";
import { isLoopback } from "../base-url.ts";
import type { BaseUrl, Service } from "../config.ts";
import { Failure } from "../failure.ts";
import type { Body, Digest } from "../ports.ts";
import { decodeLoosely, type Target } from "../target.ts";
import {
  authorization,
  canonicalPath,
  canonicalQuery,
  isObjectStore,
  type Scope,
  signingKey,
  timeText,
} from "./aws/canonical.ts";
import { unwrapChunks } from "./aws/chunked.ts";
import { scopeOf } from "./aws/endpoint.ts";
import { type MadeScheme, need, type OpenedSecrets, type Unsigned } from "./scheme.ts";

const page = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html";
const word = (text: string): string | undefined =>
  /^[A-Za-z0-9-]{1,64}$/.test(text) ? undefined : "expected letters, digits and dashes";

export const awsSigv4: MadeScheme = {
  type: "aws-sigv4",
  title: "AWS Signature Version 4",
  page,
  fields: [
    {
      name: "accessKeyId",
      kind: "text",
      required: true,
      expected: "the access key id, such as AKIA…",
      problem: (text) => (/^[\w.+-]{3,128}$/.test(text) ? undefined : "expected an access key id"),
    },
    { name: "secretAccessKey", kind: "secret", required: true, expected: "the secret access key" },
    {
      name: "sessionToken",
      kind: "secret",
      required: false,
      expected: "the session token of temporary keys",
    },
    {
      ...{ name: "region", kind: "text", required: false, problem: word },
      expected: "the region, where the host does not tell it",
    },
    {
      ...{ name: "service", kind: "text", required: false, problem: word, flag: "signing-service" },
      expected: "the name that the service signs under, where the host does not tell it",
    },
  ],
  problemIn(open, secrets, base) {
    if (open.get("accessKeyId")?.startsWith("ASIA") && !secrets.has("sessionToken")) {
      return '"sessionToken" is missing: an access key id that begins with ASIA is of temporary keys';
    }
    return base && missingIn(scopeOf(open, base));
  },
  yieldsToken: false,
  place: () => "header:authorization, by AWS Signature Version 4",
  headerNames: () => ["authorization", "date", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"],
  queryNames: () => [],
  refuse: (service, target) => refusePresigned(target, scopeIn(service).service ?? ""),
  readsBody: (service) => !service.base || !mayStream(service.base, scopeIn(service).service ?? ""),
  unwrap: unwrapChunks,
  make(of, opened, { digest }) {
    const { auth, base, name } = of;
    if (!base) return new Failure("credential_failed", `"${name}" has no baseUrl to sign for`);
    const { region, service } = scopeIn(of);
    if (!region || !service) throw new Error("the config should have refused a host that tells no scope");
    const signer = new Signer(auth.open.get("accessKeyId") ?? "", opened, digest, { region, service });
    return { redact: [], sign: (request) => signer.sign(request) };
  },
};

/** A changed config has new services. */
const scopes = new WeakMap<Service, Partial<Scope>>();

function scopeIn(service: Service): Partial<Scope> {
  const known = scopes.get(service);
  if (known) return known;
  const scope = service.base ? scopeOf(service.auth.open, service.base) : {};
  scopes.set(service, scope);
  return scope;
}

function missingIn({ region, service }: Partial<Scope>): string | undefined {
  if (service && region) return undefined;
  const what = [service ? "" : '"service"', region ? "" : '"region"']
    .filter((one) => one !== "")
    .join(" and ");
  return `${what} cannot be told by the host of baseUrl: write it out, such as region: eu-west-1, service: dynamodb`;
}

/** What is not signed can be changed by whoever carries it: only TLS, or no way at all, keeps a stream whole. */
function mayStream(base: BaseUrl, service: string): boolean {
  return isObjectStore(service) && (base.scheme === "https" || isLoopback(base.host));
}

class Signer {
  readonly #accessKeyId: string;
  readonly #secrets: OpenedSecrets;
  readonly #digest: Digest;
  readonly #scope: Scope;
  readonly #emptyHash: string;
  #key: { readonly day: string; readonly key: Buffer } | undefined;

  constructor(accessKeyId: string, secrets: OpenedSecrets, digest: Digest, scope: Scope) {
    this.#accessKeyId = accessKeyId;
    this.#secrets = secrets;
    this.#digest = digest;
    this.#scope = scope;
    this.#emptyHash = digest.hash("sha256", "").toString("hex");
  }

  sign(request: Unsigned): { headers: [name: string, value: string][]; query: [] } {
    const time = timeText(request.now);
    const payload = this.#payloadOf(request.body, request.base);
    const headers: [string, string][] = [
      ["X-Amz-Date", time],
      ["X-Amz-Content-Sha256", payload],
    ];
    const token = this.#secrets.get("sessionToken")?.reveal();
    if (token !== undefined) headers.push(["X-Amz-Security-Token", token]);
    const fields: [string, string][] = [["host", request.base.authority]];
    for (const [name, value] of headers) fields.push([name.toLowerCase(), value]);
    for (const { key, value } of request.fields) {
      if (key === "content-type" || key.startsWith("x-amz-")) fields.push([key, value]);
    }
    const { method, target } = request;
    const path = canonicalPath(target.path, this.#scope.service);
    const canonical = { method, path, query: canonicalQuery(target.query), fields, payload };
    const key = this.#keyOf(time.slice(0, 8));
    headers.push([
      "Authorization",
      authorization(canonical, this.#scope, time, this.#accessKeyId, key, this.#digest),
    ]);
    return { headers, query: [] };
  }

  #payloadOf(body: Body, base: BaseUrl): string {
    if (body.kind === "empty") return this.#emptyHash;
    if (body.kind === "whole") return this.#digest.hash("sha256", body.bytes).toString("hex");
    if (mayStream(base, this.#scope.service)) return "UNSIGNED-PAYLOAD";
    throw new Error("a body that has to be signed was not read");
  }

  #keyOf(day: string): Buffer {
    if (this.#key?.day !== day) {
      const secret = need(this.#secrets, "secretAccessKey");
      this.#key = { day, key: signingKey(secret, day, this.#scope, this.#digest) };
    }
    return this.#key.key;
  }
}

/** A signature in a query is good for others and for as long as it says: it would be handed out, not used. */
const presigned = new Set(
  ["algorithm", "signature", "credential", "expires", "date", "security-token", "signedheaders"].map(
    (name) => `x-amz-${name}`,
  ),
);
const presignedBefore = new Set(["awsaccesskeyid", "signature", "expires"]);
/** What customers build themselves has parameters of such names, and never took that older signature. */
const ofCustomers = ["execute-api", "lambda", "appsync", "vpc-lattice-svcs"];

function refusePresigned({ query }: Target, service: string): Failure | undefined {
  if (query === undefined) return undefined;
  const isOfAws = !ofCustomers.includes(service);
  for (const part of query.split(/[&;]/)) {
    const [name = ""] = part.split("=", 1);
    const spaced = name.replaceAll("+", " ");
    const forms = [spaced, decodeLoosely(spaced), decodeLoosely(decodeLoosely(spaced))];
    const keys = forms.map((form) => dashed(form.trim().toLowerCase()));
    if (!keys.some((key) => presigned.has(key) || (isOfAws && presignedBefore.has(key)))) continue;
    return new Failure("presign_forbidden", "a request with a signature in its query is not signed again", {
      next: "send the plain request: it is signed on its way",
    });
  }
  return undefined;
}
