// Sessions, holds, approvals, counters and chain heads in one SQLite file in WAL mode, shared by all processes.
import type { DatabaseSync } from "node:sqlite";
import type { ApprovalKey, ChainHead, Store, StoredRow } from "../engine/ports.ts";
import { Checkpoint } from "./checkpoint.ts";
import { Glance } from "./clock.ts";
import { openDatabase } from "./store-layout.ts";

const newestApprovals = 20;

type Statement = ReturnType<DatabaseSync["prepare"]>;

/** Opens the state of a home, making it when it is new. Throws as `openDatabase` does. */
export function openStore(path: string): SqliteStore {
  const database = openDatabase(path);
  return new SqliteStore(database, new Checkpoint(database, path));
}

export class SqliteStore implements Store {
  readonly #database: DatabaseSync;
  readonly #checkpoint: Checkpoint;
  readonly #statements = new Map<string, Statement>();
  readonly #glance = new Glance();
  #othersWrites = 0;
  #ownWrites = 0;
  #depth = 0;

  constructor(database: DatabaseSync, checkpoint: Checkpoint) {
    this.#database = database;
    this.#checkpoint = checkpoint;
  }

  close(): void {
    this.#checkpoint.stop();
    this.#database.close();
  }

  lookAgain(): void {
    this.#glance.forget();
  }

  version(): number {
    const { data_version } = this.#prepared("PRAGMA data_version").get() as { data_version: number };
    this.#othersWrites = data_version;
    return this.#seen();
  }

  versionOfTick(): number {
    return this.#glance.isStale() ? this.version() : this.#seen();
  }

  /** Both counts in one exact number: 32 bits of SQLite's above 20 of our own. */
  #seen(): number {
    return this.#othersWrites * 0x10_0000 + (this.#ownWrites % 0x10_0000);
  }

  sessionByToken(tokenHash: string): StoredRow | undefined {
    return this.#one("SELECT row, mac FROM session WHERE token_hash = ?", tokenHash);
  }

  sessionById(id: string): StoredRow | undefined {
    return this.#one("SELECT row, mac FROM session WHERE id = ?", id);
  }

  sessions(filter: { readonly ended: boolean }): readonly StoredRow[] {
    const where = filter.ended ? "" : "WHERE live = 1";
    return this.#all(`SELECT row, mac FROM session ${where} ORDER BY rowid DESC`);
  }

  overdueSessions(time: number): readonly StoredRow[] {
    return this.#prepared("SELECT row, mac FROM session WHERE live = 1 AND until <= ? LIMIT 1000").all(
      Math.floor(time),
    ) as unknown as StoredRow[];
  }

  liveSession(owner: string, capability: string): StoredRow | undefined {
    return this.#one(
      "SELECT row, mac FROM session WHERE owner = ? AND capability = ? AND live = 1",
      owner,
      capability,
    );
  }

  lastSession(owner: string, capability: string): StoredRow | undefined {
    return this.#one(
      "SELECT row, mac FROM session WHERE owner = ? AND capability = ? ORDER BY rowid DESC LIMIT 1",
      owner,
      capability,
    );
  }

  liveSessionsOf(owner: string): readonly StoredRow[] {
    const sql = "SELECT row, mac FROM session WHERE owner = ? AND live = 1";
    return this.#prepared(sql).all(owner) as unknown as StoredRow[];
  }

  putSession(
    key: {
      readonly id: string;
      readonly tokenHash: string;
      readonly owner: string;
      readonly capability: string;
      readonly live: boolean;
      readonly until: number;
    },
    stored: StoredRow,
  ): void {
    this.#ownWrites += 1;
    const { id, tokenHash, owner, capability, live, until } = key;
    this.#prepared(
      `INSERT INTO session (id, token_hash, owner, capability, live, until, row, mac) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET token_hash = excluded.token_hash, live = excluded.live, until = excluded.until,
         row = excluded.row, mac = excluded.mac`,
    ).run(id, tokenHash, owner, capability, live ? 1 : 0, Math.floor(until), stored.row, stored.mac);
  }

  holds(): readonly StoredRow[] {
    return this.#all("SELECT row, mac FROM hold");
  }

  putHold(owner: string, capability: string, stored: StoredRow): void {
    this.#ownWrites += 1;
    this.#prepared("INSERT OR REPLACE INTO hold (owner, capability, row, mac) VALUES (?, ?, ?, ?)").run(
      ...[owner, capability, stored.row, stored.mac],
    );
  }

  dropHolds(owner: string, capability: string): void {
    this.#ownWrites += 1;
    this.#prepared("DELETE FROM hold WHERE owner = ? AND capability = ?").run(owner, capability);
  }

  dropEveryHold(): void {
    this.#ownWrites += 1;
    this.#prepared("DELETE FROM hold").run();
  }

  /** Removes all sessions, and leaves a hold that no key made: it holds everyone until a person grants. */
  endEverything(): void {
    this.transaction(() => {
      this.#prepared("DELETE FROM session").run();
      this.dropEveryHold();
      this.putHold("*", "*", { row: "{}", mac: "" });
    });
  }

  approvalById(id: string): StoredRow | undefined {
    return this.#one("SELECT row, mac FROM approval WHERE id = ?", id);
  }

  approvalByDigest(digest: string): StoredRow | undefined {
    return this.#one("SELECT row, mac FROM approval WHERE digest = ? ORDER BY number DESC LIMIT 1", digest);
  }

  approvals(filter: { readonly decided: boolean }): readonly StoredRow[] {
    const where = filter.decided ? "" : "WHERE pending = 1";
    return this.#all(`SELECT row, mac FROM approval ${where} ORDER BY number DESC`);
  }

  approvalsOf(owner: string, capability: string): readonly StoredRow[] {
    return this.#prepared(
      `SELECT row, mac FROM approval WHERE owner = ? AND capability = ? ORDER BY number DESC LIMIT ${newestApprovals}`,
    ).all(owner, capability) as unknown as StoredRow[];
  }

  countPendingApprovals(owner: string, now: number): number {
    const sql = "SELECT count(*) AS count FROM approval WHERE owner = ? AND pending = 1 AND until > ?";
    return (this.#prepared(sql).get(owner, Math.floor(now)) as { count: number }).count;
  }

  putApproval(key: ApprovalKey, stored: StoredRow): void {
    this.#ownWrites += 1;
    const { id, digest, owner, capability, pending, until } = key;
    this.#prepared(
      `INSERT INTO approval (id, digest, owner, capability, pending, until, row, mac) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET pending = excluded.pending, until = excluded.until, row = excluded.row, mac = excluded.mac`,
    ).run(id, digest, owner, capability, pending ? 1 : 0, Math.floor(until), stored.row, stored.mac);
  }

  agents(): readonly StoredRow[] {
    return this.#all("SELECT row, mac FROM agent ORDER BY name");
  }

  agentByToken(tokenHash: string): StoredRow | undefined {
    return this.#one("SELECT row, mac FROM agent WHERE token_hash = ?", tokenHash);
  }

  putAgent(key: { readonly name: string; readonly tokenHash: string }, stored: StoredRow): void {
    this.#ownWrites += 1;
    this.#prepared("INSERT OR REPLACE INTO agent (name, token_hash, row, mac) VALUES (?, ?, ?, ?)").run(
      ...[key.name, key.tokenHash, stored.row, stored.mac],
    );
  }

  dropAgent(name: string): void {
    this.#ownWrites += 1;
    this.#prepared("DELETE FROM agent WHERE name = ?").run(name);
  }

  forgetBefore(time: number): void {
    this.#prepared("DELETE FROM session WHERE live = 0 AND until < ?").run(Math.floor(time));
    this.#prepared("DELETE FROM approval WHERE until < ?").run(Math.floor(time));
  }

  countUse(capability: string, window: number): { readonly current: number; readonly previous: number } {
    this.#prepared(
      `INSERT INTO use (capability, period, count) VALUES (?, ?, 1)
       ON CONFLICT (capability, period) DO UPDATE SET count = count + 1`,
    ).run(capability, window);
    this.#prepared("DELETE FROM use WHERE capability = ? AND period < ?").run(capability, window - 1);
    return this.readUse(capability, window);
  }

  readUse(capability: string, window: number): { readonly current: number; readonly previous: number } {
    const rows = this.#prepared("SELECT period, count FROM use WHERE capability = ? AND period >= ?").all(
      ...[capability, window - 1],
    ) as { period: number; count: number }[];
    const count = (period: number): number => rows.find((row) => row.period === period)?.count ?? 0;
    return { current: count(window), previous: count(window - 1) };
  }

  saveHead(head: ChainHead & { readonly mac: string }, takenOver: readonly ChainHead[] = []): void {
    if (takenOver.length === 0) return this.#putHead(head);
    this.transaction(() => {
      this.#putHead(head);
      const forget = this.#prepared("DELETE FROM head WHERE writer = ? AND seq = ? AND hash = ?");
      for (const { writer, seq, hash } of takenOver) forget.run(writer, seq, hash);
    });
  }

  #putHead(head: ChainHead & { readonly mac: string }): void {
    // Replacing a row would delete and insert it in two trees: six times the cost of this.
    const { writer, seq, hash, mac } = head;
    this.#checkpoint.noteCommit();
    const known = this.#prepared("UPDATE head SET seq = ?, hash = ?, mac = ? WHERE writer = ?");
    if (known.run(seq, hash, mac, writer).changes > 0) return;
    this.#prepared("INSERT INTO head (writer, seq, hash, mac) VALUES (?, ?, ?, ?)").run(
      writer,
      seq,
      hash,
      mac,
    );
  }

  heads(): readonly (ChainHead & { readonly mac: string })[] {
    return this.#prepared(
      "SELECT writer, seq, hash, mac FROM head ORDER BY rowid",
    ).all() as unknown as (ChainHead & {
      mac: string;
    })[];
  }

  latestTime(): number {
    const row = this.#prepared("SELECT wall FROM latest WHERE id = 1").get() as { wall: number } | undefined;
    return row?.wall ?? 0;
  }

  setLatestTime(wall: number): void {
    this.#prepared("INSERT OR REPLACE INTO latest (id, wall) VALUES (1, ?)").run(Math.floor(wall));
  }

  /** Durable when it returns: a revocation must outlive a power cut, which `synchronous = NORMAL` does not promise. */
  transaction<T>(work: () => T): T {
    if (this.#depth > 0) return work();
    this.#database.exec("PRAGMA synchronous = FULL");
    this.#database.exec("BEGIN IMMEDIATE");
    this.#depth += 1;
    try {
      const result = work();
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      this.#database.exec("ROLLBACK");
      throw error;
    } finally {
      this.#depth -= 1;
      this.#database.exec("PRAGMA synchronous = NORMAL");
    }
  }

  #prepared(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #one(sql: string, ...values: string[]): StoredRow | undefined {
    return this.#prepared(sql).get(...values) as StoredRow | undefined;
  }

  #all(sql: string): readonly StoredRow[] {
    return this.#prepared(sql).all() as unknown as StoredRow[];
  }
}
