// Who asks, when it is not a session token that says so.

/** One stdio process, or the one agent that holds a token. */
export interface Caller {
  /** What its sessions belong to. Made by janee: never a name that a client gives itself. */
  readonly owner: string;
  /** A name for people to read. */
  readonly agent?: string;
  /** The name comes with a token: only then can `allowedAgents` go by it. */
  readonly agentProven?: boolean;
  /** The capabilities it was started for; undefined: all. */
  readonly only?: ReadonlySet<string>;
  /** Of each of its sessions, where that is shorter than the capability's own. */
  readonly ttlMs?: number;
  /** Sessions that expire are replaced while it lives, as if it had asked. */
  readonly renews?: boolean;
  /** `only` is an order: of several capabilities for one address the first decides. */
  readonly firstMatch?: boolean;
}

export function mayKnow(caller: Caller, capability: string): boolean {
  return caller.only?.has(capability) ?? true;
}
