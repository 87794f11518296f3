import type { Capability, RateLimit } from "./config.ts";
import { Failure } from "./failure.ts";
import type { Store } from "./ports.ts";

/**
 * A sliding window out of two counters: the share of the last window that still lies within reach, plus this one.
 * The counters stand in the store, so that every process counts together.
 */
export function refuseOverLimit(store: Store, capability: Capability, now: number): Failure | undefined {
  const limit = capability.limit;
  if (!limit) return undefined;
  const { current, previous } = store.readUse(capability.name, windowOf(limit, now));
  if (current + previous * remainingShare(limit, now) + 1 <= limit.count) return undefined;
  const retryAfter = Math.max(1, Math.ceil((limit.windowMs * remainingShare(limit, now)) / 1000));
  return new Failure("limit_reached", `"${capability.name}" allows ${limit.text}`, {
    next: `try again in ${retryAfter} s`,
    retryAfter,
  });
}

export function countUse(store: Store, capability: Capability, now: number): void {
  if (capability.limit) store.countUse(capability.name, windowOf(capability.limit, now));
}

function windowOf(limit: RateLimit, now: number): number {
  return Math.floor(now / limit.windowMs);
}

function remainingShare(limit: RateLimit, now: number): number {
  return 1 - (now % limit.windowMs) / limit.windowMs;
}
