// Agents that come over HTTP, each with a token of its own. The store holds only its hash.
import type { RowSeal } from "./authentic.ts";
import type { Caller } from "./caller.ts";
import type { Digest, Entropy, Store, StoredRow } from "./ports.ts";
import { newToken, shortId } from "./token.ts";

export interface Agent {
  readonly name: string;
  /** Whose sessions are its own; another agent of the same name, added later, has another. */
  readonly id: string;
  readonly tokenHash: string;
  readonly createdAt: number;
  /** A person gave it this name, so `allowedAgents` can go by it. */
  readonly byPerson: boolean;
}

const tokenPattern = /^jna_[0-9A-Za-z]{43}$/;

export class Agents {
  readonly #store: Store;
  readonly #rows: RowSeal;
  readonly #entropy: Entropy;
  readonly #digest: Digest;

  constructor(store: Store, rows: RowSeal, entropy: Entropy, digest: Digest) {
    this.#store = store;
    this.#rows = rows;
    this.#entropy = entropy;
    this.#digest = digest;
  }

  /** undefined: there is one of this name. */
  add(name: string, byPerson: boolean, now: number): { agent: Agent; token: string } | undefined {
    const token = newToken(this.#entropy, "jna_");
    const agent: Agent = {
      name,
      id: shortId(this.#entropy, 8),
      tokenHash: this.#digest.sha256(token),
      createdAt: now,
      byPerson,
    };
    return this.#store.transaction(() => {
      if (this.list().some((known) => known.name === name)) return undefined;
      this.#store.putAgent(agent, this.#rows.write("agent", agent));
      return { agent, token };
    });
  }

  list(): Agent[] {
    return this.#store.agents().flatMap((stored) => this.#read(stored) ?? []);
  }

  remove(name: string): Agent | undefined {
    return this.#store.transaction(() => {
      const agent = this.list().find((known) => known.name === name);
      if (agent) this.#store.dropAgent(name);
      return agent;
    });
  }

  /** Whether the caller is what it was: an agent whose token was taken away gets nothing more. */
  stands({ owner }: Caller): boolean {
    return !owner.startsWith("agent:") || this.list().some((agent) => callerOf(agent).owner === owner);
  }

  byToken(token: string): Caller | undefined {
    if (!tokenPattern.test(token)) return undefined;
    const hash = this.#digest.sha256(token);
    const agent = this.#read(this.#store.agentByToken(hash));
    return agent?.tokenHash === hash ? callerOf(agent) : undefined;
  }

  #read(stored: StoredRow | undefined): Agent | undefined {
    return this.#rows.read<Agent>("agent", stored);
  }
}

export function isAgentToken(token: string): boolean {
  return token.startsWith("jna_");
}

export function callerOf({ id, name, byPerson }: Agent): Caller {
  return { owner: `agent:${id}`, agent: name, agentProven: byPerson };
}
