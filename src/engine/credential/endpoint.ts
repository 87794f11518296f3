// One request to whoever issues tokens, on the same connections and under the same checks as every other: TLS
// verified, no redirect followed, no credential in the clear to another machine.
import { isLinkLocal, isLoopback, parseBaseUrl } from "../base-url.ts";
import { collect } from "../bodies.ts";
import type { Service } from "../config.ts";
import { Failure } from "../failure.ts";
import { type Alarm, type ClientIdentity, Lifeline, type Policy, type Upstream } from "../ports.ts";

export interface EndpointRequest {
  readonly method: "GET" | "POST" | "DELETE";
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Sent as it is; "" for none. */
  readonly body: string;
  readonly identity?: ClientIdentity;
}

export interface EndpointReply {
  readonly status: number;
  readonly text: string;
  /** An object, or nothing where the answer is something else. */
  readonly json: Readonly<Record<string, unknown>>;
}

const longestAnswer = 1024 * 1024;
const deadlineMs = 30_000;

export class Endpoint {
  readonly #upstream: Upstream;
  readonly #policy: Policy;
  readonly #alarm: Alarm;

  constructor(upstream: Upstream, policy: Policy, alarm: Alarm) {
    this.#upstream = upstream;
    this.#policy = policy;
    this.#alarm = alarm;
  }

  /** `service`: on whose behalf, whose `caFile` and permissions hold here too. */
  async ask(service: Service, request: EndpointRequest): Promise<EndpointReply | Failure> {
    const issuer = issuerOf(service, request.url);
    if (issuer instanceof Failure) return issuer;
    const lifeline = new Lifeline();
    const callOff = this.#alarm(deadlineMs, () => {
      lifeline.cut(new Failure("upstream_timeout", `${issuer.authority} gave no token in time`));
    });
    try {
      const reply = await this.#exchange(issuer.service, issuer.target, request, lifeline);
      return reply instanceof Failure ? unreached(issuer, reply) : reply;
    } finally {
      callOff();
    }
  }

  async #exchange(
    service: Service,
    target: string,
    request: EndpointRequest,
    lifeline: Lifeline,
  ): Promise<EndpointReply | Failure> {
    const { network } = this.#policy.current().config;
    const connection = await this.#upstream.connect(service, network, lifeline, request.identity);
    if (connection instanceof Failure) return connection;
    const bytes = Buffer.from(request.body, "utf8");
    const reply = await connection.send(
      {
        method: request.method,
        target,
        fields: request.headers.map(([name, value]) => ({ name, key: name.toLowerCase(), value })),
        body: bytes.length === 0 ? { kind: "empty" } : { kind: "whole", bytes },
      },
      lifeline,
    );
    if (reply instanceof Failure) return reply;
    const answer = await collect(reply.body, longestAnswer);
    if (answer instanceof Failure) return answer;
    const text = answer.toString("utf8");
    return { status: reply.status, text, json: objectIn(text) };
  }
}

interface Issuer {
  readonly service: Service;
  readonly target: string;
  readonly authority: string;
}

/** For who asked, the service itself was not even tried. */
function unreached({ authority }: Issuer, { message }: Failure): Failure {
  return new Failure("credential_failed", `no token could be fetched: ${message}`, {
    next: `check that ${authority} is the right address, and that this machine reaches it`,
  });
}

function issuerOf(service: Service, text: string): Issuer | Failure {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const base = url && parseBaseUrl(url.origin);
  if (!url || !base || "problem" in base) {
    return new Failure("credential_failed", "the address of the token endpoint is no URL");
  }
  const clear = base.scheme === "http" && !isLoopback(base.host) && !service.allowCleartext;
  if (clear || (isLinkLocal(base.host) && !service.allowLinkLocal)) {
    return new Failure("credential_failed", `no credential is sent to ${base.authority}`, {
      next: "use an https:// address of a machine that is no metadata server",
    });
  }
  const issuer = { ...service, name: `${service.name} (token)`, base };
  return { service: issuer, target: `${url.pathname}${url.search}`, authority: base.authority };
}

function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : {};
  } catch {
    return {};
  }
}
