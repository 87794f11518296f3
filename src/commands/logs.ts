import { Failure } from "../engine/failure.ts";
import { didYouMean } from "../engine/nearest.ts";
import type { LogReport } from "../engine/verify-log.ts";
import { visible } from "../engine/visible.ts";
import { checkPrivate } from "../host/files.ts";
import { homePath } from "../host/home-path.ts";
import { openVault } from "../host/keyring.ts";
import { openTrail, TrailFile, trailPath } from "./audit-files.ts";
import type { Arguments, Command, Talk } from "./command.ts";
import { durationMs } from "./duration.ts";
import { exitCode } from "./exit-code.ts";
import {
  describeEntry,
  type EntryState,
  isAdmitted,
  isRefusal,
  type LogEntry,
  parseEntry,
} from "./log-line.ts";
import { verifyTrail } from "./verify-trail.ts";

const lookEveryMs = 250;
const mostTold = 10;
const printAtOnce = 64 * 1024;
const viewFlags = ["follow", "capability", "since", "denied", "all"];

export const command: Command = {
  usage: "[-f] [--capability NAME] [--since 1h | DATE] [--denied] [--all] | verify",
  flags: {
    follow: { type: "boolean", short: "f", help: "go on and show what comes, until stopped" },
    capability: { type: "string", value: "NAME", help: "only this capability" },
    since: {
      type: "string",
      value: "1h",
      help: "a time ago (30m, 1h, 7d), or a date: 2026-01-15, 2026-01-15T10:30Z",
    },
    denied: { type: "boolean", help: "only what was refused" },
    all: { type: "boolean", help: "every line: also the first of each request, and starts of janee" },
  },
  positionals: { least: 0, most: 1 },
  notes: [
    "With --json the lines are printed as they are written: one JSON object a line.",
    "janee logs verify names the first line that was changed, removed or cut off; exit status 0: intact.",
  ],
  async run(args, talk) {
    const path = homePath(talk.environment);
    if (path instanceof Failure) return path;
    const [action] = args.positionals;
    if (action !== undefined && action !== "verify") {
      return usage(`unknown argument ${action.slice(0, 40)}${didYouMean(action, ["verify"])}`);
    }
    const missing = checkPrivate(path, "folder");
    if (missing) return missing.code === "not_found" ? noHome(path) : missing;
    if (action === undefined) return view(path, args, talk);
    const misplaced = viewFlags.find((flag) => args.flag(flag));
    return misplaced === undefined ? verify(path, talk) : usage(`--${misplaced} does not go with verify`);
  },
};

function usage(message: string): Failure {
  return new Failure("usage", message, { next: "janee logs --help" });
}

function noHome(path: string): Failure {
  return new Failure("config_missing", `there is no home at ${path}`, { next: "make one with: janee init" });
}

interface View {
  readonly capability: string | undefined;
  /** As in the lines: ISO texts compare as times do. */
  readonly since: string;
  readonly denied: boolean;
  readonly all: boolean;
}

async function view(home: string, args: Arguments, talk: Talk): Promise<number | Failure> {
  const since = sinceOf(args.text("since"));
  if (since instanceof Failure) return since;
  const files = openTrail(home);
  if (files instanceof Failure) return files;
  const wanted: View = {
    capability: args.text("capability"),
    since: since === undefined ? "" : new Date(since).toISOString(),
    denied: args.flag("denied"),
    all: args.flag("all"),
  };
  const printer = new Printer(talk, wanted);
  const newest = files.at(-1);
  for (const file of files) {
    // A file that was last written before that time holds nothing after it.
    if (since === undefined || file.modifiedAt >= since || file === newest)
      printer.take(file, file !== newest);
    if (file !== newest) file.close();
  }
  if (args.flag("follow")) return follow(home, newest, printer, talk);
  if (newest) printer.takeRest(newest);
  printer.end();
  if (printer.shown === 0) talk.say("nothing is written down that fits");
  return 0;
}

function sinceOf(text: string | undefined): number | undefined | Failure {
  if (text === undefined) return undefined;
  if (/^\d{4}-\d\d-\d\d/.test(text)) {
    const time = Date.parse(text);
    if (!Number.isNaN(time)) return time;
  } else {
    const ago = durationMs("--since", text);
    if (!(ago instanceof Failure)) return Math.max(0, Date.now() - ago);
  }
  return usage(
    "--since wants a time ago such as 30m, 1h or 7d, or a date such as 2026-01-15 or 2026-01-15T10:30Z",
  );
}

/** Shows what passes the view, in writes of bounded size. */
class Printer {
  readonly #talk: Talk;
  readonly #view: View;
  /** Admitted requests whose response has not come by yet. */
  readonly #open = new Map<string, { readonly text: string; told: boolean }>();
  #pending = "";
  #unreadable = 0;
  shown = 0;

  constructor(talk: Talk, view: View) {
    this.#talk = talk;
    this.#view = view;
  }

  take(file: TrailFile, whole: boolean): void {
    for (const { text } of file.lines()) this.#takeLine(text);
    if (whole) this.takeRest(file);
  }

  takeRest(file: TrailFile): void {
    const rest = file.rest();
    if (rest) this.#takeLine(rest.text);
  }

  /** Ends a look at the trail: what is still open is shown as it stands, once. */
  end(): void {
    for (const request of this.#open.values()) {
      if (request.told) continue;
      request.told = true;
      const entry = parseEntry(request.text);
      if (entry) this.#print(entry, request.text, "unanswered");
    }
    this.#flush();
    if (this.#unreadable > 0) {
      const lines = this.#unreadable === 1 ? "1 line was" : `${this.#unreadable} lines were`;
      this.#talk.say(`janee: ${lines} skipped, torn or not janee's (janee logs verify says more)`);
    }
    this.#unreadable = 0;
  }

  #takeLine(text: string): void {
    if (text === "") return;
    const entry = parseEntry(text);
    if (!entry) {
      this.#unreadable += 1;
      return;
    }
    if (!this.#fits(entry)) return;
    const id = typeof entry.id === "string" ? entry.id : "";
    if (this.#view.all) {
      this.#print(entry, text, isAdmitted(entry) ? "admitted" : "ended");
    } else if (isAdmitted(entry)) {
      this.#open.set(id, { text, told: false });
    } else {
      if (entry.event === "response") this.#open.delete(id);
      this.#print(entry, text, "ended");
    }
  }

  #fits(entry: LogEntry): boolean {
    const { capability, since, denied, all } = this.#view;
    if (capability !== undefined && entry.capability !== capability) return false;
    if (since !== "" && !(typeof entry.timestamp === "string" && entry.timestamp >= since)) return false;
    if (denied) return isRefusal(entry);
    return all || entry.event !== "start";
  }

  #print(entry: LogEntry, text: string, state: EntryState): void {
    const line = this.#talk.json ? text : describeEntry(entry, state);
    this.shown += 1;
    this.#pending += this.#pending === "" ? line : `\n${line}`;
    if (this.#pending.length >= printAtOnce) this.#flush();
  }

  #flush(): void {
    if (this.#pending !== "") this.#talk.print(this.#pending);
    this.#pending = "";
  }
}

async function follow(
  home: string,
  newest: TrailFile | undefined,
  printer: Printer,
  talk: Talk,
): Promise<number> {
  const path = trailPath(home);
  let stopped = false;
  let wake = (): void => {};
  const stop = (): void => {
    stopped = true;
    wake();
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  let current = newest;
  while (!stopped) {
    printer.end();
    await new Promise<void>((done) => {
      wake = done;
      setTimeout(done, lookEveryMs);
    });
    const state = current?.compare(path) ?? "elsewhere";
    if (state === "shorter") {
      talk.say("janee: audit.log has become shorter: showing it from its beginning");
      current?.rewind();
    }
    // What was written before a rotation is read from the file that is still held.
    if (current) printer.take(current, state === "elsewhere");
    if (state !== "elsewhere") continue;
    const next = TrailFile.open(path);
    if (!next || next instanceof Failure) {
      // Told once, when the file in hand is given up: its rest has been shown, only a new one is worth a look.
      if (next && current) talk.say(`janee: ${next.message}`);
      current?.close();
      current = undefined;
      continue;
    }
    current?.close();
    current = next;
    printer.take(current, false);
  }
  printer.end();
  current?.close();
  return 0;
}

async function verify(home: string, talk: Talk): Promise<number | Failure> {
  const vault = await openVault(home, talk.environment);
  if (vault instanceof Failure) return vault;
  const report = verifyTrail(home, vault.auditKey);
  if (report instanceof Failure) return report;
  const broken = report.intact ? undefined : brokenTrail(report);
  if (talk.json) {
    const { code, message, next } = broken ?? {};
    talk.printJson({ ...report, ...(broken === undefined ? {} : { error: { code, message, next } }) });
    return broken ? exitCode(broken.code) : 0;
  }
  for (const { message, count, first } of report.notes) {
    talk.say(
      `note: ${count} ${message} (${first.map(visible).join(", ")}${count > first.length ? ", …" : ""})`,
    );
  }
  if (!broken) {
    talk.print(`intact: ${report.lines} lines of ${report.writers} writers`);
    return 0;
  }
  for (const { message } of report.problems.slice(1, mostTold)) talk.say(`then: ${visible(message)}`);
  const untold = report.problemCount - Math.min(report.problems.length, mostTold);
  if (untold > 0) talk.say(`… and ${untold} more (--json tells the first 100)`);
  return broken;
}

export function brokenTrail({ problems, problemCount }: LogReport): Failure {
  const more = problemCount > 1 ? ` (the first of ${problemCount} problems)` : "";
  return new Failure(
    "audit_broken",
    `the audit trail is not intact: ${visible(problems[0]?.message ?? "")}${more}`,
    {
      next: "compare with a backup of the trail; do not trust the lines around this place",
    },
  );
}
