// From an admitted call to the service's answer: a connection, the credential, the last look, the bytes.
import type { Admission } from "./admit.ts";
import { collect } from "./bodies.ts";
import type { Judged, Progress } from "./call.ts";
import { Failure } from "./failure.ts";
import type { IssuedCredentials } from "./issued/issued.ts";
import type { Stand } from "./issued/substitute.ts";
import type { Judging } from "./judging.ts";
import { type Outgoing, outgoing } from "./outgoing.ts";
import type { Placeholders } from "./placeholder.ts";
import type { Clock, Policy, Upstream, UpstreamReply, UpstreamRequest } from "./ports.ts";
import type { Prepared, PreparedServices } from "./prepared.ts";

/** What is safe to send twice (RFC 9110 section 9.2.2). */
const repeatable = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]);
const longestChallenge = 256 * 1024;

export interface SendingParts {
  readonly policy: Policy;
  readonly services: PreparedServices;
  readonly upstream: Upstream;
  readonly placeholders: Placeholders;
  readonly clock: Clock;
}

export class Sending {
  readonly #parts: SendingParts;
  readonly #judging: Judging;
  readonly #issued: IssuedCredentials;

  constructor(parts: SendingParts, judging: Judging, issued: IssuedCredentials) {
    this.#parts = parts;
    this.#judging = judging;
    this.#issued = issued;
  }

  async send(progress: Progress, before: Judged, prepared: Prepared): Promise<UpstreamReply | Failure> {
    const { upstream, policy, clock } = this.#parts;
    const { lifeline, fields } = progress.call;
    const { service } = before.admission;
    const session = before.session?.id ?? "";
    const resolve = (placeholder: string) => this.#issued.resolve(placeholder, session, service);
    const identity = "made" in prepared.credential ? prepared.credential.made.identity : undefined;
    let how: "pooled" | "fresh" = "pooled";
    let isFirst = true;
    let challenged = false;
    for (;;) {
      if (lifeline.cutBy) return lifeline.cutBy;
      const { network } = policy.current().config;
      const kept = how === "pooled" ? upstream.pooled(service, network, identity) : undefined;
      const connection = kept ?? (await upstream.connect(service, network, lifeline, identity));
      if (connection instanceof Failure) return connection;
      // From here to the first byte nothing else can run: what is signed and checked now is true when it is sent.
      const sent = { fields, body: progress.body, own: () => this.#ownPlaceholder(before, prepared) };
      const made = outgoing(before.admission, sent, prepared, resolve, clock.wall());
      if (made instanceof Failure) {
        connection.release();
        return made;
      }
      // After the making: what cannot be made uses up no yes and no count.
      const refused = this.#judging.lastLook(progress, before, isFirst);
      if (refused) {
        connection.release();
        return refused;
      }
      isFirst = false;
      const wasReused = connection.reused;
      const { upgrade } = progress.call;
      const request = upgrade === undefined ? made.request : { ...made.request, upgrade };
      const reply = await connection.send(request, lifeline);
      if (reply instanceof Failure) {
        const closed = reply.code === "upstream_closed" && wasReused && how === "pooled";
        if (!closed || !mayRepeat(before.admission, made.request)) return reply;
        how = "fresh";
        continue;
      }
      if (challenged || !isChallenge(reply, made, prepared)) {
        if (reply.status === 401) this.#parts.services.refused(service, prepared);
        return reply;
      }
      challenged = true;
      await collect(reply.body, longestChallenge);
    }
  }

  /** What stands for the service's own credential in this session, where that is one value. */
  #ownPlaceholder({ admission, session }: Judged, { secrets }: Prepared): Stand | undefined {
    const [secret, ...others] = secrets.values();
    if (!secret || others.length > 0 || !session) return undefined;
    return { placeholder: this.#parts.placeholders.of(session.owner, admission.service), secret };
  }
}

/** A kept connection can be closed under us. What was approved or counted once is not sent twice. */
function mayRepeat({ capability, decision }: Admission, { method, body }: UpstreamRequest): boolean {
  const once = decision.effect === "ask" || capability.limit !== undefined;
  return !once && repeatable.has(method) && body.kind !== "stream";
}

/** Whether the credential was only asked for, so that the request was not carried out (RFC 9110 section 15.5.2). */
function isChallenge(reply: UpstreamReply, { request, signed }: Outgoing, { credential }: Prepared): boolean {
  if (reply.status !== 401 || !signed || !("made" in credential) || request.body.kind === "stream")
    return false;
  return credential.made.challenged?.(reply.fields, signed) === true;
}
