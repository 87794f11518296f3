// One writer at a time, across processes. The lock is SQLite's own on a file that stays empty: the system
// drops it when its holder dies, however it dies, so that there is no stale lock to judge and to take over
// (a pid file needs both, and both race); and it is the same code on Bun, Deno and every platform.
import { AsyncLocalStorage } from "node:async_hooks";
import { closeSync, constants, lstatSync, openSync, readFileSync, writeSync } from "node:fs";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../engine/failure.ts";
import { broken, checkPrivate } from "./files.ts";

// Fifty writers in a loop were seen to let one of them wait for half a minute.
const patienceMs = 90_000;
const longestPauseMs = 20;
const releasedAt = new Map<string, number>();

interface Held {
  readonly place: string;
  live: boolean;
  readonly outside: Held | undefined;
}

const held = new AsyncLocalStorage<Held>();

/** The one lock of everything in a home. */
export function homeLock(home: string): string {
  return join(home, "lock.db");
}

/**
 * Runs `work` while no other process (and nothing else in this one) holds the lock at `path`.
 * What `work` calls may ask for the same lock again. `waitMs` of 0 is one try.
 */
export async function withLock<T>(
  path: string,
  work: () => T | Promise<T>,
  waitMs: number = patienceMs,
): Promise<T | Failure> {
  const place = resolve(path);
  const outside = held.getStore();
  for (let outer = outside; outer; outer = outer.outside)
    if (outer.live && outer.place === place) return work();

  const connection = await acquire(place, waitMs);
  if (connection instanceof Failure) return connection;
  const mine: Held = { place, live: true, outside };
  try {
    noteHolder(place);
    return await held.run(mine, async () => work());
  } finally {
    mine.live = false;
    // Rolled back, never committed: the file holds nothing that a crash could spoil.
    connection.exec("ROLLBACK");
    connection.close();
    releasedAt.set(place, performance.now());
  }
}

async function acquire(place: string, waitMs: number): Promise<DatabaseSync | Failure> {
  const refused = prepare(place);
  if (refused) return refused;
  // Who has just had it lets those who sleep wake up first; else one process in a loop starves all others.
  const sinceRelease = performance.now() - (releasedAt.get(place) ?? Number.NEGATIVE_INFINITY);
  if (waitMs > 0 && sinceRelease < longestPauseMs) await sleep(longestPauseMs * (0.5 + Math.random()));
  const deadline = Date.now() + waitMs;
  const trying = new LockTry(place);
  for (let pauseMs = 2; ; pauseMs = Math.min(pauseMs * 1.5, longestPauseMs)) {
    const connection = trying.once();
    if (connection) return connection;
    if (Date.now() >= deadline) {
      trying.close();
      return tooBusy(place, waitMs);
    }
    // Jitter keeps many waiters from knocking in step.
    await sleep(pauseMs * (0.5 + Math.random()));
  }
}

/** Keeps its connection from try to try: that is ten times cheaper than a new one. */
class LockTry {
  readonly #place: string;
  #connection: DatabaseSync | undefined;

  constructor(place: string) {
    this.#place = place;
  }

  /** undefined: somebody else holds it. */
  once(): DatabaseSync | Failure | undefined {
    try {
      if (!this.#connection) {
        const connection = new DatabaseSync(this.#place);
        this.#connection = connection;
        // In memory: no journal file comes and goes beside the lock.
        connection.exec("PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY");
      }
      this.#connection.exec("BEGIN EXCLUSIVE");
      return this.#connection;
    } catch (error) {
      const message = error instanceof Error ? error.message : "";
      // Deno gives no error number.
      if (/locked|busy/i.test(message)) return undefined;
      this.close();
      return new Failure("store_refused", `could not lock ${this.#place}: ${message}`, {
        next: `see that the folder is writable and the disk is not full; a damaged lock can go: rm ${this.#place}`,
      });
    }
  }

  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }
}

/**
 * Made by hand for its mode and against a link. Never opened here once it exists: closing any descriptor
 * of a file drops every lock that this process holds on it (fcntl(2)).
 */
function prepare(place: string): Failure | undefined {
  if (lstatSync(place, { throwIfNoEntry: false })) return checkPrivate(place, "file");
  try {
    const { O_CREAT, O_EXCL, O_WRONLY } = constants;
    closeSync(openSync(place, O_CREAT | O_EXCL | O_WRONLY, 0o600));
    return undefined;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST")
      return checkPrivate(place, "file");
    return broken(error, `make the lock ${place}`);
  }
}

function noteFile(place: string): string {
  return `${place}.holder`;
}

/** Only so that who waits in vain can be told for whom; the lock does not depend on it. */
function noteHolder(place: string): void {
  try {
    const { O_CREAT, O_TRUNC, O_WRONLY, O_NOFOLLOW = 0 } = constants;
    const fd = openSync(noteFile(place), O_CREAT | O_TRUNC | O_WRONLY | O_NOFOLLOW, 0o600);
    try {
      writeSync(fd, `${process.pid}\n`);
    } finally {
      closeSync(fd);
    }
  } catch {
    // A full disk, say. The work itself will tell.
  }
}

function tooBusy(place: string, waitMs: number): Failure {
  let holder = "another process";
  try {
    const pid = readFileSync(noteFile(place), "utf8").trim();
    if (/^\d{1,10}$/.test(pid)) holder = `process ${pid}`;
  } catch {
    // No note, no number.
  }
  return new Failure(
    "too_busy",
    `${holder} holds the lock ${place} since ${Math.ceil(waitMs / 1000)} s or more`,
    {
      next: `wait until it is done, or end ${holder}, and try again`,
    },
  );
}
