import type { Failure } from "../engine/failure.ts";
import type { Talk } from "./command.ts";
import { exitCode } from "./exit-code.ts";

/** A failure on stderr in words, or with `--json` on stdout as the same object that HTTP shows. */
export function fail(failure: Failure, talk: Talk): number {
  const { code, message, rule, next, at } = failure;
  if (talk.json) {
    talk.printJson({ error: { code, message, rule, next, at } });
  } else {
    const place = at ? `${at.file}:${at.line}:${at.column}: ` : "";
    talk.say(`janee: ${place}${message}${rule === undefined ? "" : ` (${rule})`}`);
    if (next !== undefined) talk.say(`  → ${next}`);
  }
  return exitCode(code);
}
