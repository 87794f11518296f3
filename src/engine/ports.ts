// What the engine needs from the world. Few ports, named for what they give; `src/host` has them for real.
import type { Capability, Config, Service } from "./config.ts";
import type { Failure } from "./failure.ts";
import type { Secret } from "./secret.ts";

export interface Entropy {
  bytes(count: number): Uint8Array;
}

export interface Clock {
  /** Milliseconds since 1970 by the wall clock, which people can set. */
  wall(): number;
  /** Milliseconds of a clock that only goes forward. */
  elapsed(): number;
}

/** Hashes that run on each request; the host has them native. */
export interface Digest {
  /** SHA-256, base64url; a text counts as its UTF-8. */
  sha256(text: string | Uint8Array): string;
  /** HMAC-SHA256, base64url. The bytes of a key that was used once do not change. */
  hmac(key: Uint8Array, text: string | Uint8Array): string;
  /** For signatures that services ask for. */
  hash(algorithm: HashName, text: string | Uint8Array): Buffer;
  mac(algorithm: HashName, key: string | Uint8Array, text: string | Uint8Array): Buffer;
}

export type HashName = "md5" | "sha1" | "sha256" | "sha512" | "sha512-256";

/** Reads private keys of others. */
export interface PrivateKeys {
  /** An RSA key in PKCS#1 or PKCS#8 that signs RS256 (RFC 7518 section 3.3), or why the text is none. */
  rsa(pem: Secret): Promise<CryptoKey | Failure>;
  /** A certificate (its chain behind it) with the key that it is for, or why they are none. */
  identity(
    certificate: Secret,
    key: Secret,
    passphrase: Secret | undefined,
  ): Promise<ClientIdentity | Failure>;
}

/** What janee shows a service of itself in the TLS handshake: certificate chain and key, in PEM. */
export interface ClientIdentity {
  readonly certificate: string;
  readonly key: Secret;
}

/** Runs a task once after so many milliseconds, unless it is called off. */
export type Alarm = (milliseconds: number, task: () => void) => () => void;

/** The audit file. Returns when `write(2)` has returned. */
export interface Journal {
  write(lines: Uint8Array): Failure | undefined;
}

/** Runs a task once, soon, after what has already arrived was looked at. */
export type Soon = (task: () => void) => void;

/** The policy in force at this instant. Looks at the file each time it is asked. */
export interface Policy {
  current(): { readonly config: Config; readonly generation: number };
}

export interface Opener {
  /** Opens the sealed, plain or referenced secrets of a service. */
  open(service: Service): Promise<ReadonlyMap<string, Secret> | Failure>;
  /**
   * Runs `work` while no other process does the same for this service, with the secrets as they are stored now. What
   * it returns as `keep` is stored before this returns.
   */
  exchange<T>(
    service: Service,
    work: (current: ReadonlyMap<string, Secret>) => Promise<Exchanged<T> | Failure>,
  ): Promise<T | Failure>;
}

export interface Exchanged<T> {
  readonly keep: ReadonlyMap<string, Secret>;
  readonly result: T;
}

/** A row as it lies in the store: `row` is JSON, `mac` authenticates it together with its key. */
export interface StoredRow {
  readonly row: string;
  readonly mac: string;
}

export interface ChainHead {
  readonly writer: string;
  readonly seq: number;
  readonly hash: string;
}

/** Copies of what the row says, for look-ups. */
export interface ApprovalKey {
  readonly id: string;
  readonly digest: string;
  readonly owner: string;
  readonly capability: string;
  readonly pending: boolean;
  readonly until: number;
}

export interface Store {
  /** Changes whenever any process has committed something that this one has not seen. */
  version(): number;
  /** The same, looked at once for all requests that are judged together. */
  versionOfTick(): number;
  sessionByToken(tokenHash: string): StoredRow | undefined;
  sessionById(id: string): StoredRow | undefined;
  /** Newest first; live ones only unless `ended`. */
  sessions(filter: { readonly ended: boolean }): readonly StoredRow[];
  liveSession(owner: string, capability: string): StoredRow | undefined;
  /** The newest one, whatever became of it. */
  lastSession(owner: string, capability: string): StoredRow | undefined;
  liveSessionsOf(owner: string): readonly StoredRow[];
  /** Live ones whose end has come at this time; some of them, where there are very many. */
  overdueSessions(time: number): readonly StoredRow[];
  /** Inserts or replaces by id. `key` columns are copies for look-ups: the row itself is what counts. */
  putSession(
    key: {
      readonly id: string;
      readonly tokenHash: string;
      readonly owner: string;
      readonly capability: string;
      readonly live: boolean;
      /** When it ended or will have expired. */
      readonly until: number;
    },
    stored: StoredRow,
  ): void;
  holds(): readonly StoredRow[];
  putHold(owner: string, capability: string, stored: StoredRow): void;
  dropHolds(owner: string, capability: string): void;
  dropEveryHold(): void;
  approvalById(id: string): StoredRow | undefined;
  /** The newest approval for what is asked. */
  approvalByDigest(digest: string): StoredRow | undefined;
  approvals(filter: { readonly decided: boolean }): readonly StoredRow[];
  /** The newest few of one owner and capability. */
  approvalsOf(owner: string, capability: string): readonly StoredRow[];
  countPendingApprovals(owner: string, now: number): number;
  putApproval(key: ApprovalKey, stored: StoredRow): void;
  agents(): readonly StoredRow[];
  agentByToken(tokenHash: string): StoredRow | undefined;
  /** Inserts or replaces by name. */
  putAgent(key: { readonly name: string; readonly tokenHash: string }, stored: StoredRow): void;
  dropAgent(name: string): void;
  /** Removes sessions and approvals that ended before this time. */
  forgetBefore(time: number): void;
  /** Counts one use in a window and returns the counts of this window and the one before. */
  countUse(capability: string, window: number): { readonly current: number; readonly previous: number };
  readUse(capability: string, window: number): { readonly current: number; readonly previous: number };
  /** Forgets with it, all or nothing, the heads that a line of this chain keeps now, where they have not moved on. */
  saveHead(head: ChainHead & { readonly mac: string }, takenOver?: readonly ChainHead[]): void;
  /** Oldest first. */
  heads(): readonly (ChainHead & { readonly mac: string })[];
  /** The latest wall time that any process has seen. */
  latestTime(): number;
  setLatestTime(wall: number): void;
  /** Everything inside is committed together, and durable when it returns. */
  transaction<T>(work: () => T): T;
}

/** A header field as it came: `key` is the name in lower case. */
export interface HeaderField {
  readonly name: string;
  readonly key: string;
  readonly value: string;
}

/** A message body. `whole` is complete in memory; `stream` has a known length or none. */
export type Body =
  | { readonly kind: "empty" }
  | { readonly kind: "whole"; readonly bytes: Buffer }
  | { readonly kind: "stream"; readonly length: number | undefined; readonly chunks: AsyncIterable<Buffer> };

export interface UpstreamRequest {
  readonly method: string;
  /** Canonical path and query, the service's prefix included. */
  readonly target: string;
  /** Without Host and framing, which the upstream side writes itself. */
  readonly fields: readonly HeaderField[];
  readonly body: Body;
  /** The connection is to become one of another protocol. */
  readonly upgrade?: "websocket";
}

export interface UpstreamReply {
  readonly status: number;
  readonly fields: readonly HeaderField[];
  readonly body: Body;
  /** With status 101: what the connection has become. */
  readonly socket?: UpstreamSocket;
}

/** Bytes both ways, for as long as the call's lifeline is whole. */
export interface UpstreamSocket {
  /** Throws when it was cut off. */
  readonly incoming: AsyncIterable<Buffer>;
  write(bytes: Buffer): Promise<void>;
  end(): void;
}

export interface UpstreamConnection {
  /** Has carried a request before: the peer may have hung up in the meantime. */
  readonly reused: boolean;
  /** Writes the first byte before it returns its promise. */
  send(request: UpstreamRequest, lifeline: Lifeline): Promise<UpstreamReply | Failure>;
  /** Gives back a connection on which nothing was sent. */
  release(): void;
}

export interface Upstream {
  /** A connection that is open and idle, and was made under the same identity. */
  pooled(
    service: Service,
    network: Config["network"],
    identity?: ClientIdentity,
  ): UpstreamConnection | undefined;
  /** A new one. */
  connect(
    service: Service,
    network: Config["network"],
    lifeline: Lifeline,
    identity?: ClientIdentity,
  ): Promise<UpstreamConnection | Failure>;
}

/** A command that may run, as it was found. */
export interface Program {
  /** As the config names it. */
  readonly name: string;
  /** Absolute, links resolved. */
  readonly path: string;
}

export interface SpawnOrder {
  readonly program: Program;
  readonly args: readonly string[];
  /** Variables beside those that every child gets: PATH, HOME, LANG, TZ, TERM. */
  readonly environment: ReadonlyMap<string, string>;
  /** Absolute, links resolved; undefined: the child's own private folder. */
  readonly cwd: string | undefined;
  readonly stdin: Uint8Array;
  readonly timeoutMs: number;
  /** Called in the tick in which the child is started: a failure, and it is not. */
  readonly lastLook: () => Failure | undefined;
  /** What the child writes, as it comes. */
  readonly output: (stream: "stdout" | "stderr", bytes: Buffer) => void;
  /** Answers a prompt of git or ssh (GIT_ASKPASS); undefined: this prompt gets no answer. */
  readonly askpass?: (prompt: string) => string | undefined;
}

export interface SpawnEnd {
  /** null where a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  readonly durationMs: number;
}

export interface Spawner {
  /**
   * The program of an allowed command (a name, or an absolute path), or why it does not run: it is not there, it lies
   * where others or the child itself could write, it changed since it was first found, or it is not the pinned one.
   */
  find(
    command: string,
    bounds: { readonly outside: readonly string[]; readonly sha256?: string },
  ): Program | Failure;
  /** A folder inside `workDir`, links resolved, or why it is refused. `~` is the person's home. */
  folder(workDir: string, cwd: string | undefined): string | Failure;
  /** Runs to the end, the deadline, or the cut of the lifeline; then nothing that it started is left. */
  run(order: SpawnOrder, lifeline: Lifeline): Promise<SpawnEnd | Failure>;
}

/** The thread by which one call hangs: cut it, and everything done for the call ends. */
export class Lifeline {
  #failure: Failure | undefined;
  #listener: ((failure: Failure) => void) | undefined;

  get cutBy(): Failure | undefined {
    return this.#failure;
  }

  cut(failure: Failure): void {
    if (this.#failure) return;
    this.#failure = failure;
    this.#listener?.(failure);
  }

  /** One listener at a time: whoever holds the call's fate now. */
  onCut(listener: ((failure: Failure) => void) | undefined): void {
    this.#listener = listener;
    if (listener && this.#failure) listener(this.#failure);
  }
}

/** Undoes a content coding (RFC 9110 section 8.4.1) while it streams, bounded against decompression bombs. */
export interface Decoder {
  /** undefined: a coding that cannot be undone here. */
  decode(coding: string, chunks: AsyncIterable<Buffer>): AsyncIterable<Buffer> | undefined;
}

export type { Capability, Config, Service };
