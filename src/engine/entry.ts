// One line of the audit trail, before it is chained: its fields in their order, bounded and made visible.
import { withoutTokens } from "./token.ts";

export type EntryEvent =
  | "request"
  | "response"
  | "session"
  | "approval"
  | "policy"
  | "credential"
  | "command"
  | "refusals"
  | "tunnel"
  | "alarm"
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
  readonly status?: number | undefined;
  readonly decision?: string;
  readonly rule?: string;
  readonly code?: string | undefined;
  readonly reason?: string;
  readonly outcome?: string;
  readonly approval?: string;
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
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

/** Whose request it is: the same for all requests of one session. */
export interface Who {
  readonly surface: string;
  readonly owner: string;
  readonly agent: string | undefined;
  readonly session: string | undefined;
  readonly capability: string;
  readonly service: string;
}

/** What is asked for, and why it is let through. */
export interface What {
  readonly method?: string;
  readonly path?: string;
  readonly query?: string;
  readonly argv?: readonly string[];
  readonly cwd?: string | undefined;
  readonly decision: string;
  readonly rule: string | undefined;
  readonly reason: string | undefined;
}

/** What the two lines of one request share, as it stands in both: before the status, and behind it. */
export interface Story {
  readonly who: string;
  readonly why: string;
}

type Name = keyof Entry;
const who: readonly Name[] = ["surface", "owner", "agent", "session", "capability", "service"];
const what: readonly Name[] = ["method", "path", "query", "argv", "cwd"];
const why: readonly Name[] = ["decision", "rule", "reason"];
const ending: readonly Name[] = [
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
];

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

export function whoText(of: Who): string {
  return members(of, who);
}

/** `whose`: from `whoText`, which a caller can keep. */
export function tell(whose: string, of: What): Story {
  return { who: whose + members(of, what), why: members(of, why) };
}

/** The line as a JSON object without its closing brace. A `story` gives what the entry itself leaves out. */
export function entryText(entry: Entry, story?: Story): string {
  const before = story ? story.who : members(entry, who) + members(entry, what);
  const behind = story ? story.why : members(entry, why);
  const opening = `{"timestamp":${jsonText(entry.timestamp)},"id":${jsonText(entry.id)},"event":"${entry.event}"`;
  const status = entry.status === undefined ? "" : `,"status":${entry.status}`;
  return `${opening}${before}${status}${behind}${members(entry, ending)}`;
}

type Members = { readonly [Key in Name]?: Entry[Key] | undefined };

function members(entry: Members, names: readonly Name[]): string {
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
