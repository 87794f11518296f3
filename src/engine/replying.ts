// From the service's answer to what the agent gets: captured, scrubbed, and written down.
import { bodyLength } from "./bodies.ts";
import type { Judged, Progress, Reply } from "./call.ts";
import type { Story } from "./entry.ts";
import { Failure } from "./failure.ts";
import type { IssuedCredentials } from "./issued/issued.ts";
import { maskReply } from "./issued/mask-reply.ts";
import { noticeOf } from "./notice.ts";
import type { Decoder, Entropy, UpstreamReply, UpstreamSocket } from "./ports.ts";
import type { Prepared } from "./prepared.ts";
import type { Scrubber } from "./scrub.ts";
import { boundaryOf, scrubReply, scrubStream } from "./scrub-reply.ts";
import type { Trail } from "./trail.ts";
import { isAgreed } from "./websocket/handshake.ts";
import { relay } from "./websocket/relay.ts";

export interface ReplyingParts {
  readonly decoder: Decoder;
  readonly entropy: Entropy;
}

export class Replying {
  readonly #parts: ReplyingParts;
  readonly #trail: Trail;
  readonly #issued: IssuedCredentials;

  constructor(parts: ReplyingParts, trail: Trail, issued: IssuedCredentials) {
    this.#parts = parts;
    this.#trail = trail;
    this.#issued = issued;
  }

  async answer(
    progress: Progress,
    story: Story,
    judged: Judged,
    prepared: Prepared,
    answer: UpstreamReply,
  ): Promise<Reply | Failure> {
    const { decoder } = this.#parts;
    const { service } = judged.admission;
    const { status } = answer;
    const { capture } = service;
    if (answer.socket) return this.#upgraded(progress, story, judged, prepared, answer, answer.socket);
    const session = judged.session?.id ?? "";
    const reply =
      capture.length === 0
        ? answer
        : await maskReply(answer, capture, decoder, (value) => this.#issued.keep(value, session, service));
    if (reply instanceof Failure) return this.conclude(progress, story, reply);
    const scrubber = this.#issued.scrubber(prepared.scrubber, service);
    const scrubbed = scrubReply(reply, judged.admission, scrubber, decoder);
    if (scrubbed instanceof Failure) return this.conclude(progress, story, scrubbed);
    const { fields, body, redactions } = scrubbed;
    const notice = noticeOf(status, judged.admission.service);
    if (body.kind !== "stream") {
      const ending = { status, bytesOut: bodyLength(body), redactions };
      const unwritten = await this.#trail.end(progress, story, ending);
      return unwritten ?? { status, fields, body, notice };
    }
    const stream = scrubber.stream(boundaryOf(reply.fields));
    const chunks = scrubStream(body.chunks, stream, (ending) =>
      this.#trail.end(progress, story, { ...ending, status, redactions: redactions + ending.redactions }),
    );
    return { status, fields, body: { kind: "stream", length: undefined, chunks }, notice };
  }

  /** Its story ends when the socket does. */
  #upgraded(
    progress: Progress,
    story: Story,
    { admission }: Judged,
    prepared: Prepared,
    answer: UpstreamReply,
    socket: UpstreamSocket,
  ): Promise<Reply | Failure> | Reply {
    const { status, fields } = answer;
    const { service } = admission;
    const { decoder, entropy } = this.#parts;
    const scrubber = (): Scrubber => this.#issued.scrubber(prepared.scrubber, service);
    const clean = isAgreed(fields) && scrubReply(answer, admission, scrubber(), decoder);
    if (!clean || clean instanceof Failure) {
      socket.end();
      const why = "the service agreed to another protocol than was asked for";
      return this.conclude(progress, story, clean || new Failure("upstream_nonsense", why));
    }
    const agent = relay(socket, {
      scrubber,
      mask: () => entropy.bytes(4),
      ended: ({ redactions, ...ending }) =>
        this.#trail.end(progress, story, { ...ending, status, redactions: redactions + clean.redactions }),
    });
    return { status, fields: clean.fields, body: { kind: "empty" }, socket: agent };
  }

  /** An admitted request that got no answer: its story ends with the failure. */
  async conclude(progress: Progress, story: Story, failure: Failure): Promise<Failure> {
    await this.#trail.end(progress, story, { bytesOut: 0, redactions: 0, failure: failure.code });
    return failure;
  }
}
