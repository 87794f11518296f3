// SQLite's write-ahead log, brought into the database file without holding up requests. SQLite by itself does it
// within a commit, every 1000 pages, and waits for the disk: 8–17 ms for whoever is served at that time. Here the
// disk is waited for beside the event loop, and the checkpoint that follows finds next to nothing to wait for.
import { open } from "node:fs/promises";
import type { DatabaseSync } from "node:sqlite";

const everyCommits = 2_000;
/** Where this one does not come: so many pages in the log, and SQLite does it after all. */
const pagesAtMost = 8_000;

export class Checkpoint {
  readonly #database: DatabaseSync;
  readonly #log: string;
  #commits = 0;
  #running = false;
  #stopped = false;

  constructor(database: DatabaseSync, path: string) {
    this.#database = database;
    this.#log = `${path}-wal`;
    database.exec(`PRAGMA wal_autocheckpoint = ${pagesAtMost}`);
  }

  noteCommit(): void {
    this.#commits += 1;
    if (this.#commits < everyCommits || this.#running) return;
    this.#running = true;
    void this.#run().finally(() => {
      this.#commits = 0;
      this.#running = false;
    });
  }

  stop(): void {
    this.#stopped = true;
  }

  async #run(): Promise<void> {
    try {
      await flush(this.#log);
      // What was written meanwhile: a twentieth, and the shorter wait.
      await flush(this.#log);
      // PASSIVE waits for no one; what others are reading is left for the next time.
      if (!this.#stopped) this.#database.exec("PRAGMA wal_checkpoint(PASSIVE)");
    } catch {
      // Then the log is longer until SQLite's own turn.
    }
  }
}

/** On a descriptor of its own: SQLite's locks lie on the other two files, so that closing it drops none. */
async function flush(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
}
