// A call that waits for a person: the client is asked to ask, and what comes back decides. Without a client that can
// ask, and where the answer must not come through it, the question waits for `janee approve`.
import {
  createRequestStateCodec,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  type RequestStateCodec,
  type ServerContext,
} from "@modelcontextprotocol/server";
import type { Approval } from "../../engine/approval.ts";
import { Failure } from "../../engine/failure.ts";
import { type Client, canShowForms } from "./client.ts";
import type { Asked, McpFace } from "./face.ts";
import { formOf, verdictOf, wordsOf } from "./question.ts";

/** As long as a question may wait at all. */
const patienceMs = 10 * 60_000;
const lookEveryMs = 250;
/** A question that was handed to a client and not brought back by then may be asked again. */
const othersWaitMs = 60_000;
/** One call can need a session, and then a yes for itself. */
const mostQuestions = 4;

interface State {
  readonly approval: string;
}

export type Era = "legacy" | "modern";

/** The questions of one process: each is put once, however many calls wait for it. */
export class Persons {
  readonly #face: McpFace;
  readonly #codec: RequestStateCodec<State>;
  /** Approval to when it was handed to a client (modern), or to the answer that is awaited (legacy). */
  readonly #handedOut = new Map<string, number>();
  readonly #awaited = new Map<string, Promise<void>>();

  constructor(face: McpFace, ownerOf: (context: ServerContext) => string) {
    this.#face = face;
    this.#codec = createRequestStateCodec<State>({
      key: face.stateKey,
      ttlSeconds: patienceMs / 1000,
      bind: (context) => `${context.mcpReq.method}\0${ownerOf(context)}`,
    });
  }

  get verify(): (state: string, context: ServerContext) => Promise<State> {
    return (state, context) => this.#codec.verify(state, context);
  }

  /** Performs the call, with a person's answers in between where it needs them. */
  async perform<Result extends object>(
    call: () => Promise<Result | Failure>,
    asked: Asked,
    at: Client & { readonly era: Era },
  ): Promise<Result | Failure | InputRequiredResult> {
    await this.#takeAnswer(asked, at.context);
    for (let questions = 0; ; questions++) {
      const result = await call();
      if (!(result instanceof Failure) || result.approval === undefined) return result;
      const approval = this.#face.approvals.byId(result.approval);
      if (!approval || questions === mostQuestions || !this.#canAsk(approval, at)) return result;
      // Decided while this call was on its way back: the next round hears the answer.
      if (approval.state !== "pending") continue;
      if (at.era === "modern") {
        if (await this.#decidedByAnother(approval.id, asked.signal)) continue;
        if (asked.signal.aborted) return result;
        return this.#handOut(approval, at.context);
      }
      await this.#await(approval, asked, at);
      if (asked.signal.aborted) return result;
    }
  }

  #canAsk(approval: Approval, client: Client): boolean {
    const { config } = this.#face.policy.current();
    if (config.capabilities.get(approval.capability)?.approval === "out-of-band") return false;
    return canShowForms(client);
  }

  /** The answer that a retry of the call brings. Nothing, a "no" and what was not offered are all a "no". */
  async #takeAnswer(asked: Asked, context: ServerContext): Promise<void> {
    const state = context.mcpReq.requestState<State>();
    if (!state) return;
    this.#handedOut.delete(state.approval);
    const answer = inputResponse(context.mcpReq.inputResponses, "approval");
    const accepted = answer.kind === "elicit" && answer.action === "accept" ? answer.content : undefined;
    await this.#decide(state.approval, accepted?.decision, asked);
  }

  async #decide(id: string, answer: unknown, asked: Asked): Promise<void> {
    const { broker, approvals } = this.#face;
    if (approvals.byId(id)?.owner !== asked.caller.owner) return;
    await broker.decide(id, verdictOf(answer), { surface: asked.surface, through: "client" });
  }

  async #handOut(approval: Approval, context: ServerContext): Promise<InputRequiredResult> {
    this.#handedOut.set(approval.id, Date.now());
    return inputRequired({
      inputRequests: { approval: inputRequired.elicit(this.#form(approval)) },
      requestState: await this.#codec.mint({ approval: approval.id }, context),
    });
  }

  /** Whether the question that another call put was answered while this one waited. */
  async #decidedByAnother(id: string, signal: AbortSignal): Promise<boolean> {
    for (;;) {
      if (this.#isDecided(id)) {
        this.#handedOut.delete(id);
        return true;
      }
      if (signal.aborted) return false;
      const handedOutAt = this.#handedOut.get(id);
      if (handedOutAt === undefined || Date.now() - handedOutAt > othersWaitMs) {
        // Taken in this very tick: the others of a burst come to this line before it is handed out.
        this.#handedOut.set(id, Date.now());
        return false;
      }
      await pause(lookEveryMs);
    }
  }

  #isDecided(id: string): boolean {
    return this.#face.approvals.byId(id)?.state !== "pending";
  }

  /** Asks through the connection (2025 era), unless another call already does, and waits for the answer. */
  async #await(approval: Approval, asked: Asked, at: Client): Promise<void> {
    let awaited = this.#awaited.get(approval.id);
    if (!awaited) {
      awaited = this.#ask(approval, asked, at).finally(() => this.#awaited.delete(approval.id));
      this.#awaited.set(approval.id, awaited);
    }
    const cancelled = new Promise<void>((done) => {
      asked.signal.addEventListener("abort", () => done(), { once: true });
    });
    await Promise.race([awaited, cancelled]);
  }

  async #ask(approval: Approval, asked: Asked, { context }: Client): Promise<void> {
    const elsewhere = new AbortController();
    const looking = setInterval(() => {
      if (this.#isDecided(approval.id)) elsewhere.abort();
    }, lookEveryMs);
    const signal = AbortSignal.any([asked.signal, elsewhere.signal]);
    let answer: unknown;
    try {
      const given = await context.mcpReq.elicitInput(this.#form(approval), { signal, timeout: patienceMs });
      answer = given.action === "accept" ? given.content?.decision : undefined;
    } catch {
      // Cancelled by the agent, or decided by a person elsewhere: nobody has answered here.
      if (signal.aborted) return;
    } finally {
      clearInterval(looking);
    }
    await this.#decide(approval.id, answer, asked);
  }

  #form(approval: Approval) {
    const { config } = this.#face.policy.current();
    const capability = config.capabilities.get(approval.capability);
    const baseUrl = config.services.get(approval.service)?.base?.text;
    const message = capability ? wordsOf(approval, capability, baseUrl) : "This is no longer in the config.";
    return { mode: "form" as const, message, requestedSchema: formOf(approval) };
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds));
}
