import { Failure } from "../../engine/failure.ts";
import { Lifeline } from "../../engine/ports.ts";

/** A lifeline that a cancelled call cuts. */
export function lifelineOf(signal: AbortSignal): {
  readonly lifeline: Lifeline;
  readonly release: () => void;
} {
  const lifeline = new Lifeline();
  const cut = (): void => lifeline.cut(new Failure("client_closed", "the call was cancelled"));
  if (signal.aborted) cut();
  signal.addEventListener("abort", cut, { once: true });
  return { lifeline, release: () => signal.removeEventListener("abort", cut) };
}
