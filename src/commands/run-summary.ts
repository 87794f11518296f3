// What a run did, as a table in Markdown, for the page that a CI runner shows of a job.
import { closeSync, openSync, writeSync } from "node:fs";
import { Failure } from "../engine/failure.ts";
import { SummaryTable } from "../engine/summary-table.ts";
import { visible } from "../engine/visible.ts";
import { openTrail } from "./audit-files.ts";
import type { Talk } from "./command.ts";
import { parseEntry } from "./log-line.ts";
import type { RunTally } from "./run-tally.ts";
import type { Janee } from "./wire-up.ts";

export interface SummaryFile {
  write(janee: Janee, talk: Talk, tally: RunTally): Promise<void>;
}

/** Opened before the command starts, so that a wrong path is told before any work is done. */
export function openSummary(path: string): SummaryFile | Failure {
  try {
    return summaryInto(openSync(path, "a"), path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    return new Failure("usage", `--summary: ${visible(path)} cannot be written (${code})`);
  }
}

function summaryInto(descriptor: number, path: string): SummaryFile {
  return {
    async write(janee, talk, tally) {
      await janee.broker.writeRefusalCounts();
      janee.audit.flush();
      try {
        const table = tableOf(janee);
        const text = table instanceof Failure ? `janee: ${table.message}\n` : table.render(tally.counts());
        writeSync(descriptor, text);
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
        talk.say(`janee: the summary could not be written to ${visible(path)} (${code})`);
      } finally {
        closeSync(descriptor);
      }
    },
  };
}

/** The lines that this very process has written. */
function tableOf({ home, audit }: Janee): SummaryTable | Failure {
  const files = openTrail(home.path);
  if (files instanceof Failure) return files;
  const table = new SummaryTable();
  const own = `"writer":"${audit.writer.split(".")[0]}`;
  for (const file of files) {
    // What was put aside before this process began holds none of its lines.
    for (const { text } of file.modifiedAt < performance.timeOrigin ? [] : file.lines()) {
      const entry = text.includes(own) ? parseEntry(text) : undefined;
      if (typeof entry?.writer === "string" && `"writer":"${entry.writer.split(".")[0]}` === own)
        table.add(entry);
    }
    file.close();
  }
  return table;
}
