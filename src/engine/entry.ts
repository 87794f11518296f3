// One line of the audit trail, before it is chained: its fields in their order, bounded and made visible.
import { withoutTokens } from "./session.ts";

export type EntryEvent =
  | "request"
  | "response"
  | "session"
  | "approval"
  | "policy"
  | "command"
  | "refusals"
  | "start";

/** What is written down. Absent fields are left out. */
export interface Entry {
  readonly timestamp: string;
  readonly id: string;
  readonly event: EntryEvent;
  readonly surface?: string;
  readonly owner?: string;
  readonly agent?: string;
  readonly session?: string;
  readonly capability?: string;
  readonly service?: string;
  readonly method?: string;
  readonly path?: string;
  readonly query?: string;
  /** Of a command: its name and arguments. */
  readonly argv?: readonly string[];
  readonly cwd?: string;
  readonly status?: number;
  readonly decision?: string;
  readonly rule?: string;
  readonly code?: string;
  readonly reason?: string;
  readonly outcome?: string;
  readonly approval?: string;
  readonly exitCode?: number;
  readonly signal?: string;
  readonly durationMs?: number;
  readonly bytesIn?: number;
  readonly bytesOut?: number;
  readonly redactions?: number;
  /** For events other than requests: what happened, in words. */
  readonly message?: string;
  readonly changes?: readonly string[];
  readonly peer?: string;
  readonly count?: number;
}

/** What two lines of one request share. */
export type Story = Omit<Entry, "timestamp" | "event">;

const whoAndWhat = [
  ...([
    "surface",
    "owner",
    "agent",
    "session",
    "capability",
    "service",
    "method",
    "path",
    "query",
    "argv",
    "cwd",
  ] as const),
] as const;
const why = ["decision", "rule", "reason"] as const;
const ending = [
  ...([
    "code",
    "outcome",
    "approval",
    "exitCode",
    "signal",
    "durationMs",
    "bytesIn",
    "bytesOut",
    "redactions",
  ] as const),
  ...(["message", "changes", "peer", "count"] as const),
] as const;

const longest: Partial<Record<keyof Entry, number>> = {
  path: 16_384,
  query: 16_384,
  reason: 500,
  argv: 2000,
  cwd: 4096,
  agent: 100,
  message: 2000,
  changes: 2000,
};
const longestOther = 300;
const mostChanges = 100;

/** The shared parts of a line as JSON, kept with the story: they stand in both of its lines. */
const told = new WeakMap<object, { readonly who: string; readonly why: string }>();

function tell(story: Story): { readonly who: string; readonly why: string } {
  const known = told.get(story);
  if (known) return known;
  const parts = { who: members(story, whoAndWhat), why: members(story, why) };
  told.set(story, parts);
  return parts;
}

/** The line as a JSON object without its closing brace. A `story` gives what the entry itself leaves out. */
export function entryText(entry: Entry, story: Story = entry): string {
  const shared = tell(story);
  const opening = `{"timestamp":${jsonText(entry.timestamp)},"id":${jsonText(entry.id)},"event":"${entry.event}"`;
  const status = entry.status === undefined ? "" : `,"status":${entry.status}`;
  return `${opening}${shared.who}${status}${shared.why}${members(entry, ending)}`;
}

function members(entry: Partial<Entry>, names: readonly (keyof Entry)[]): string {
  let text = "";
  for (const name of names) {
    const value = entry[name];
    if (value === undefined) continue;
    const limit = longest[name] ?? longestOther;
    if (typeof value === "number") text += `,"${name}":${value}`;
    else if (typeof value === "string") text += `,"${name}":${boundedText(value, limit)}`;
    else text += `,"${name}":[${value.slice(0, mostChanges).map((line) => boundedText(line, limit))}]`;
  }
  return text;
}

function boundedText(value: string, limit: number): string {
  const clean = withoutTokens(value);
  return jsonText(clean.length > limit ? `${clean.slice(0, limit)}…` : clean);
}

const plain = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** A JSON string; characters that would reorder or hide text in a terminal stand as escapes. */
function jsonText(value: string): string {
  if (plain.test(value)) return `"${value}"`;
  const json = JSON.stringify(value.isWellFormed() ? value : value.toWellFormed());
  return /[^\x20-\x7e]/.test(json) ? json.replace(hidden, escapeUnit) : json;
}

/** The same characters that `visible` shows, as JSON escapes: a pair of surrogates becomes two. */
const hidden = /[\x7f-\x9f\p{Cf}\u2028\u2029\u115f\u1160\u180e\u3164\uffa0]/gu;

function escapeUnit(character: string): string {
  let escaped = "";
  for (let index = 0; index < character.length; index++) {
    escaped += `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`;
  }
  return escaped;
}
