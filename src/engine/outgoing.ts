// The request as it goes to the service: the prefix, the canonical target, the agent's own fields, and the credential.
import type { Admission } from "./admit.ts";
import { schemeOf } from "./credential/index.ts";
import { isMade, type Placed, type Unsigned } from "./credential/scheme.ts";
import { Failure } from "./failure.ts";
import type { Body, HeaderField, UpstreamRequest } from "./ports.ts";
import type { Prepared } from "./prepared.ts";
import { typedFields } from "./read-first.ts";
import type { Target } from "./target.ts";

/** What the agent sent: its fields as they came, some of which never go out, and its body. */
export interface Sent {
  readonly fields: readonly HeaderField[];
  readonly body: Body;
}

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
  now: number,
): Outgoing | Failure {
  const { service, method, target } = admission;
  const prefix = service.base?.prefix ?? "";
  const { credential } = prepared;
  if ("fixed" in credential) {
    const { query, fields } = credential.fixed;
    const request = {
      ...{ method, target: upstreamTarget(prefix, target, query), body: sent.body },
      fields: typedFields(admission.fields, sent.body).concat(fields),
    };
    return { request, signed: undefined };
  }
  const unsigned = unsignedRequest(admission, sent, now);
  if (unsigned instanceof Failure) return unsigned;
  const placed = credential.made.sign(unsigned);
  if (placed instanceof Failure) return placed;
  const request = {
    ...{ method, target: upstreamTarget(prefix, target, placed.query), body: unsigned.body },
    fields: unsigned.fields.concat(fieldsOf(placed)),
  };
  return { request, signed: unsigned };
}

function unsignedRequest(admission: Admission, sent: Sent, now: number): Unsigned | Failure {
  const { service, method, target, fields: admitted } = admission;
  const { base } = service;
  if (!base) throw new Error("a service without a base URL takes no request");
  const scheme = schemeOf(service.auth.type);
  const bare = isMade(scheme)
    ? scheme.unwrap?.({ asked: sent.fields, fields: admitted, body: sent.body })
    : undefined;
  if (bare instanceof Failure) return bare;
  const { fields, body } = bare ?? { fields: admitted, body: sent.body };
  const whole = { path: `${base.prefix}${target.path}`, query: target.query };
  return { method, base, target: whole, fields: typedFields(fields, body), body, now };
}

function fieldsOf({ headers }: Placed): readonly HeaderField[] {
  return headers.map(([name, value]) => ({ name, key: name.toLowerCase(), value }));
}

/** The target as the upstream sees it: the service's prefix, the canonical target, the injected parameters. */
export function upstreamTarget(prefix: string, target: Target, query: Placed["query"]): string {
  const path = `${prefix}${target.path}`;
  const parts = target.query === undefined ? [] : [target.query];
  for (const [name, value] of query) {
    parts.push(`${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  }
  return parts.length === 0 ? path : `${path}?${parts.join("&")}`;
}
