// The tables of state.db, and how a file of an older janee gets them.
import { closeSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { Failure, FailureError } from "../engine/failure.ts";

/** Of the tables below. One that changes them counts it up, and brings older files along in `prepareTables`. */
const layout = 1;
const tables = `
CREATE TABLE IF NOT EXISTS session (
  id TEXT PRIMARY KEY, token_hash TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, capability TEXT NOT NULL,
  live INTEGER NOT NULL, until INTEGER NOT NULL, row TEXT NOT NULL, mac TEXT NOT NULL) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS session_live ON session (owner, capability) WHERE live = 1;
CREATE INDEX IF NOT EXISTS session_by_owner ON session (owner, capability);
CREATE INDEX IF NOT EXISTS session_by_end ON session (live, until);
CREATE TABLE IF NOT EXISTS hold (
  owner TEXT NOT NULL, capability TEXT NOT NULL, row TEXT NOT NULL, mac TEXT NOT NULL,
  PRIMARY KEY (owner, capability)) STRICT;
CREATE TABLE IF NOT EXISTS approval (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, digest TEXT NOT NULL,
  owner TEXT NOT NULL, capability TEXT NOT NULL,
  pending INTEGER NOT NULL, until INTEGER NOT NULL, row TEXT NOT NULL, mac TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS approval_by_digest ON approval (digest, number);
CREATE INDEX IF NOT EXISTS approval_by_owner ON approval (owner, capability, number);
CREATE TABLE IF NOT EXISTS agent (
  name TEXT PRIMARY KEY, token_hash TEXT NOT NULL UNIQUE, row TEXT NOT NULL, mac TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS head (
  writer TEXT PRIMARY KEY, seq INTEGER NOT NULL, hash TEXT NOT NULL, mac TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS use (
  capability TEXT NOT NULL, period INTEGER NOT NULL, count INTEGER NOT NULL,
  PRIMARY KEY (capability, period)) STRICT;
CREATE TABLE IF NOT EXISTS latest (id INTEGER PRIMARY KEY CHECK (id = 1), wall INTEGER NOT NULL) STRICT;
`;

const busyTimeoutMs = 10_000;
const openTries = 50;

/** Made when it is new. Throws when the file is no database, or not one for this janee. */
export function openDatabase(path: string): DatabaseSync {
  createPrivately(path);
  for (let tried = 1; ; tried++) {
    const database = new DatabaseSync(path);
    try {
      database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
      const known = layoutOf(database);
      database.exec("PRAGMA journal_mode = WAL");
      database.exec("PRAGMA synchronous = NORMAL");
      if (known < layout) prepareTables(database);
      return database;
    } catch (error) {
      database.close();
      // Several processes that open a new database at once meet "database is locked" in spite of the timeout.
      if (tried === openTries || !/locked|busy/i.test(String(error))) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5 + tried);
    }
  }
}

/** 0: a new file, or one of a janee that did not count yet; its tables are those of 1. A newer one is not touched. */
function layoutOf(database: DatabaseSync): number {
  const { user_version: found } = database.prepare("PRAGMA user_version").get() as { user_version: number };
  if (found <= layout) return found;
  const message = `state.db was made by a newer janee: its layout is ${found}, this one knows up to ${layout}`;
  throw new FailureError(
    new Failure("store_refused", message, { next: "use the newer janee here: which -a janee lists them" }),
  );
}

function prepareTables(database: DatabaseSync): void {
  database.exec("BEGIN IMMEDIATE");
  if (layoutOf(database) < layout) {
    dropOldApprovals(database);
    database.exec(`${tables}PRAGMA user_version = ${layout}`);
  }
  database.exec("COMMIT");
}

/** Questions of a janee that did not note whose they were: they wait ten minutes at most, and are asked again. */
function dropOldApprovals(database: DatabaseSync): void {
  const columns = database.prepare("SELECT name FROM pragma_table_info('approval')").all() as {
    name: string;
  }[];
  const isOld = columns.length > 0 && !columns.some(({ name }) => name === "owner");
  if (isOld) database.exec("DROP TABLE approval");
}

/** SQLite gives the WAL and shared-memory files the mode of the database. */
function createPrivately(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
