// state.db of a home: who may open it, and what a person is told when it does not open.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Failure, FailureError } from "../engine/failure.ts";
import { checkPrivate } from "./files.ts";
import { openStore, type SqliteStore } from "./store-sqlite.ts";

/** Makes it when there is none. */
export function openState(home: string): SqliteStore | Failure {
  const path = statePath(home);
  const refused = checkPrivate(path, "file");
  return refused && refused.code !== "not_found" ? refused : open(path);
}

/** undefined: there is none, and looking for one must not make it. */
export function openExistingState(home: string): SqliteStore | Failure | undefined {
  const path = statePath(home);
  const refused = checkPrivate(path, "file");
  if (refused) return refused.code === "not_found" ? undefined : refused;
  return open(path);
}

/** The same for the kill switch, which must work whoever else can read the file. */
export function openStateToStop(home: string): SqliteStore | Failure | undefined {
  const path = statePath(home);
  return existsSync(path) ? open(path) : undefined;
}

function statePath(home: string): string {
  return join(home, "state.db");
}

function open(path: string): SqliteStore | Failure {
  try {
    return openStore(path);
  } catch (error) {
    if (error instanceof FailureError) return error.failure;
    const why = error instanceof Error ? error.message : "unknown error";
    return new Failure("store_refused", `state.db does not open: ${why}`, {
      next: `restore it from a backup, or put it aside: mv ${path} ${path}.broken (all sessions end)`,
    });
  }
}
