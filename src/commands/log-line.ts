// One line of the trail as a person reads it. Whatever stands in the file, nothing in it steers the terminal.
import { shownCommand } from "../engine/describe-question.ts";
import { visible } from "../engine/visible.ts";

export type LogEntry = Readonly<Record<string, unknown>>;

const longestTarget = 300;

export function parseEntry(text: string): LogEntry | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject && "event" in value ? (value as LogEntry) : undefined;
  } catch {
    return undefined;
  }
}

export function textOf(entry: LogEntry, name: string): string {
  const value = entry[name];
  return typeof value === "string" ? visible(value) : "";
}

function numberOf(entry: LogEntry, name: string): string {
  const value = entry[name];
  return typeof value === "number" ? String(value) : "";
}

export function isRefusal(entry: LogEntry): boolean {
  if (entry.event === "refusals") return true;
  if (entry.event === "approval") return entry.outcome === "declined";
  return entry.decision === "deny" || entry.decision === "pending" || entry.outcome === "refused";
}

/** A request that was let through: its story ends in a `response` line of the same id. */
export function isAdmitted(entry: LogEntry): boolean {
  return entry.event === "request" && !isRefusal(entry);
}

/** `admitted`: the first line of two. `unanswered`: its second has not been seen. */
export type EntryState = "ended" | "admitted" | "unanswered";

export function describeEntry(entry: LogEntry, state: EntryState): string {
  const time = `${textOf(entry, "timestamp").slice(0, 19)}Z`;
  const isRequest = entry.event === "request" || entry.event === "response";
  const parts = isRequest ? requestParts(entry, state) : eventParts(entry);
  return [time, ...parts.filter((part) => part !== "")].join("  ");
}

function requestParts(entry: LogEntry, state: EntryState): string[] {
  const query = textOf(entry, "query");
  const command = Array.isArray(entry.argv)
    ? shownCommand(entry.argv.map((word) => visible(String(word))))
    : "";
  const target = `${textOf(entry, "path")}${query === "" ? "" : `?${query}`}`;
  const shown = target.length > longestTarget ? `${target.slice(0, longestTarget)}…` : target;
  const duration = numberOf(entry, "durationMs");
  return [
    textOf(entry, "capability") || "-",
    command || `${textOf(entry, "method")} ${shown}`.trim(),
    state === "ended" ? outcomeOf(entry) : state === "admitted" ? "admitted" : "no response",
    duration === "" ? "" : `${duration}ms`,
    textOf(entry, "agent") || textOf(entry, "owner"),
  ];
}

function outcomeOf(entry: LogEntry): string {
  const code = textOf(entry, "code");
  const rule = textOf(entry, "rule");
  if (isRefusal(entry)) return `refused ${code}${rule === "" ? "" : ` (${rule})`}`;
  const redactions = Number(numberOf(entry, "redactions"));
  const scrubbed = redactions > 0 ? ` (${redactions} redacted)` : "";
  const exit = numberOf(entry, "exitCode");
  if (exit !== "" && code === "") return `exit ${exit}${scrubbed}`;
  if (entry.status === 401) return `401 credential refused${scrubbed}`;
  return `${numberOf(entry, "status") || code || textOf(entry, "outcome") || "-"}${scrubbed}`;
}

function eventParts(entry: LogEntry): string[] {
  const count = numberOf(entry, "count");
  const method = textOf(entry, "method");
  const changes = Array.isArray(entry.changes) ? entry.changes.length : 0;
  return [
    textOf(entry, "capability") || "-",
    [textOf(entry, "event"), textOf(entry, "outcome"), textOf(entry, "session"), textOf(entry, "approval")]
      .filter((part) => part !== "")
      .join(" "),
    count === "" ? "" : `${count} more from ${textOf(entry, "peer")}`,
    method === "" ? "" : `${method} ${textOf(entry, "path").slice(0, longestTarget)}`,
    textOf(entry, "code"),
    textOf(entry, "message"),
    changes === 0 ? "" : `${changes} ${changes === 1 ? "detail" : "details"}`,
    textOf(entry, "agent") || textOf(entry, "owner"),
  ];
}
