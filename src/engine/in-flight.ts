// Calls that were let through and have not ended: a revocation ends them as well.
import type { Config } from "./config.ts";
import { Failure } from "./failure.ts";
import type { Lifeline, Policy, Store } from "./ports.ts";
import { judge, type Session } from "./session.ts";
import type { Asking } from "./standing.ts";

/** A call of any kind, as far as a revocation concerns it. */
export type FlyingCall = Asking & { readonly lifeline: Lifeline };

export interface Flight {
  readonly call: FlyingCall;
  readonly capability: string;
  session: Session | undefined;
}

export class InFlight {
  readonly #flights = new Set<Flight>();
  readonly #waiting: (() => void)[] = [];
  #version = 0;
  #generation = 0;

  begin(flight: Flight): void {
    this.#flights.add(flight);
  }

  end(flight: Flight): void {
    this.#flights.delete(flight);
    if (this.#flights.size > 0) return;
    for (const done of this.#waiting.splice(0)) done();
  }

  /** When nothing is in flight. */
  async idle(): Promise<void> {
    if (this.#flights.size === 0) return;
    await new Promise<void>((done) => this.#waiting.push(done));
  }

  /** Ends the flight when its last byte was passed on, or nobody wants it any more. */
  async *untilEnd(chunks: AsyncIterable<Buffer>, flight: Flight): AsyncGenerator<Buffer> {
    try {
      yield* chunks;
    } finally {
      this.end(flight);
    }
  }

  /** Cuts the calls whose session or capability is gone. Sessions are read anew only when something was written. */
  recheck(parts: {
    readonly policy: Policy;
    readonly store: Store;
    readonly now: number;
    readonly sessionOf: (call: FlyingCall) => Session | undefined;
  }): void {
    if (this.#flights.size === 0) return;
    const { config, generation } = parts.policy.current();
    const version = parts.store.version();
    const unchanged = version === this.#version && generation === this.#generation;
    this.#version = version;
    this.#generation = generation;
    for (const flight of this.#flights) {
      if (flight.call.by === "person") continue;
      if (!unchanged) flight.session = parts.sessionOf(flight.call);
      const problem = gone(flight, config) ?? (flight.session && judge(flight.session, parts.now));
      if (problem) flight.call.lifeline.cut(problem);
    }
  }
}

function gone(flight: Flight, config: Config): Failure | undefined {
  if (flight.session && config.capabilities.has(flight.capability)) return undefined;
  return new Failure("session_ended", "the session or its capability is gone");
}
