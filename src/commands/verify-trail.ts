import { Failure } from "../engine/failure.ts";
import { LogCheck, type LogReport, type StoredHead } from "../engine/verify-log.ts";
import { digest } from "../host/digest.ts";
import { openExistingState } from "../host/state.ts";
import { openTrail } from "./audit-files.ts";

/** Checks every file of the trail against the heads in state.db. */
export function verifyTrail(home: string, auditKey: Uint8Array): LogReport | Failure {
  const store = openExistingState(home);
  if (store instanceof Failure) return store;
  try {
    const heads = (): readonly StoredHead[] => store?.heads() ?? [];
    // Before the files are opened: whatever a head names is in them by then.
    const check = new LogCheck(digest, auditKey, heads());
    const files = openTrail(home);
    if (files instanceof Failure) return files;
    for (const file of files) {
      for (const { number, text } of file.lines()) check.take(file.name, number, text);
      const rest = file.rest();
      if (rest) check.take(file.name, rest.number, rest.text);
      file.close();
    }
    return check.report(heads());
  } finally {
    store?.close();
  }
}
