// The request as it goes to the service: the prefix, the canonical target, the agent's own fields, and the credential.
import type { Admission } from "./admit.ts";
import { schemeOf } from "./credential/index.ts";
import { type Credential, isMade, type Unsigned } from "./credential/scheme.ts";
import { Failure } from "./failure.ts";
import { type Resolve, type Sent, type Substituted, substitute } from "./issued/substitute.ts";
import type { UpstreamRequest } from "./ports.ts";
import type { Fixed, Prepared } from "./prepared.ts";
import { typedFields } from "./read-first.ts";
import { targetText, withParameters } from "./target.ts";

export interface Outgoing {
  readonly request: UpstreamRequest;
  /** What was signed; undefined where nothing is. */
  readonly signed: Unsigned | undefined;
}

/** Made anew each time it is sent: a signature holds its time. `now`: milliseconds since 1970. */
export function outgoing(
  admission: Admission,
  sent: Sent,
  prepared: Prepared,
  resolve: Resolve,
  now: number,
): Outgoing | Failure {
  const substituted = substitute(admission, sent, resolve);
  if (substituted instanceof Failure) return substituted;
  const { target, fields } = substituted ?? admission;
  const { body, authorization } = substituted ?? { body: sent.body, authorization: undefined };
  const unsigned = unsignedRequest(admission, sent, { target, fields, body }, now);
  if (unsigned instanceof Failure) return unsigned;
  const { credential } = prepared;
  const placed = "fixed" in credential ? credential.fixed : signed(credential.made, unsigned);
  if (placed instanceof Failure) return placed;
  const own = authorization
    ? [...placed.fields.filter(({ key }) => key !== "authorization"), authorization]
    : placed.fields;
  const request = {
    ...{
      method: admission.method,
      target: targetText(withParameters(unsigned.target, placed.query)),
      body: unsigned.body,
    },
    fields: unsigned.fields.concat(own),
  };
  return { request, signed: "made" in credential ? unsigned : undefined };
}

function signed(credential: Credential, unsigned: Unsigned): Fixed | Failure {
  const placed = credential.sign(unsigned);
  if (placed instanceof Failure) return placed;
  const fields = placed.headers.map(([name, value]) => ({ name, key: name.toLowerCase(), value }));
  return { fields, query: placed.query };
}

function unsignedRequest(
  { service, method }: Admission,
  sent: Sent,
  own: Pick<Substituted, "target" | "fields" | "body">,
  now: number,
): Unsigned | Failure {
  const { base } = service;
  if (!base) throw new Error("a service without a base URL takes no request");
  const scheme = schemeOf(service.auth.type);
  const bare = isMade(scheme)
    ? scheme.unwrap?.({ auth: service.auth, asked: sent.fields, fields: own.fields, body: own.body })
    : undefined;
  if (bare instanceof Failure) return bare;
  const { fields, body } = bare ?? own;
  const target = { path: `${base.prefix}${own.target.path}`, query: own.target.query };
  return { method, base, target, fields: typedFields(fields, body), body, now };
}
