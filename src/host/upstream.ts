// Connections to services, kept for the next request to the same one.
import type { Socket } from "node:net";
import type { Config, Service } from "../engine/config.ts";
import { Failure } from "../engine/failure.ts";
import type { ClientIdentity, Lifeline, Upstream, UpstreamConnection } from "../engine/ports.ts";
import { dial } from "./dial.ts";
import { PooledConnection } from "./upstream-connection.ts";

const mostPooled = 256;
const sweepEveryMs = 1_000;

export class UpstreamPool implements Upstream {
  readonly #idle = new Map<string, PooledConnection[]>();
  readonly #keys = new WeakMap<Service, { network: Config["network"]; key: string }>();
  readonly #identities = new WeakMap<ClientIdentity, number>();
  #identityCount = 0;
  readonly #all = new Set<PooledConnection>();
  readonly #sweep: ReturnType<typeof setInterval>;

  constructor() {
    this.#sweep = setInterval(() => this.#endOverdue(), sweepEveryMs);
    this.#sweep.unref();
  }

  pooled(
    service: Service,
    network: Config["network"],
    identity?: ClientIdentity,
  ): UpstreamConnection | undefined {
    const idle = this.#idle.get(this.#keyOf(service, network, identity));
    for (let connection = idle?.pop(); connection; connection = idle?.pop()) {
      if (connection.reusable) return connection;
    }
    return undefined;
  }

  async connect(
    service: Service,
    network: Config["network"],
    lifeline: Lifeline,
    identity?: ClientIdentity,
  ): Promise<UpstreamConnection | Failure> {
    const key = this.#keyOf(service, network, identity);
    const dialled = await unlessCut(dial(service, network, identity), lifeline);
    if (dialled instanceof Failure) return dialled;
    const connection = new PooledConnection(dialled, service, (again) => this.#takeBack(key, again));
    this.#all.add(connection);
    return connection;
  }

  /** A changed config has new objects, so that a key is made once for each. */
  #keyOf(service: Service, network: Config["network"], identity: ClientIdentity | undefined): string {
    if (identity) return `${this.#numberOf(identity)} ${keyOf(service, network)}`;
    const known = this.#keys.get(service);
    if (known?.network === network) return known.key;
    const key = keyOf(service, network);
    this.#keys.set(service, { network, key });
    return key;
  }

  /** A connection is as good as who opened it: it serves no other identity, and none that was replaced. */
  #numberOf(identity: ClientIdentity): number {
    const known = this.#identities.get(identity);
    if (known !== undefined) return known;
    this.#identityCount += 1;
    this.#identities.set(identity, this.#identityCount);
    return this.#identityCount;
  }

  close(): void {
    clearInterval(this.#sweep);
    for (const connection of this.#all) connection.destroy();
  }

  #takeBack(key: string, connection: PooledConnection): void {
    if (!connection.reusable) {
      this.#all.delete(connection);
      return;
    }
    const idle = this.#idle.get(key) ?? [];
    this.#idle.set(key, idle);
    if (idle.length >= mostPooled) connection.destroy();
    else idle.push(connection);
  }

  #endOverdue(): void {
    const now = performance.now();
    for (const connection of this.#all) {
      connection.endIfOverdue(now);
      if (connection.closed) this.#all.delete(connection);
    }
    for (const [key, idle] of this.#idle) {
      const alive = idle.filter((connection) => connection.reusable);
      if (alive.length === 0) this.#idle.delete(key);
      else this.#idle.set(key, alive);
    }
  }
}

/** A connection that comes after its call was cut is closed again. */
async function unlessCut(dialling: Promise<Socket | Failure>, lifeline: Lifeline): Promise<Socket | Failure> {
  const cut = new Promise<Failure>((done) => lifeline.onCut(done));
  const first = await Promise.race([dialling, cut]);
  lifeline.onCut(undefined);
  if (lifeline.cutBy) {
    void dialling.then((late) => late instanceof Failure || late.destroy());
    return lifeline.cutBy;
  }
  return first;
}

/** Connections are shared only where everything that decides about them is the same. */
function keyOf(service: Service, network: Config["network"]): string {
  const { base, caFile, allowCleartext, allowLinkLocal } = service;
  const proxy = network.proxy ? `${network.proxy.host}:${network.proxy.port}` : "";
  return JSON.stringify([
    ...[base?.scheme, base?.authority, base?.port, caFile, allowCleartext, allowLinkLocal],
    ...[network.caFile, proxy, network.noProxy],
  ]);
}
