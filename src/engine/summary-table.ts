// Requests by what they were and how they ended, counted, as a table in Markdown. Names and paths were written by agents
// and upstreams: they are bounded, and no letter of theirs is read as Markdown or HTML.
import { visible } from "./visible.ts";

export interface Counts {
  readonly allowed: number;
  readonly denied: number;
  readonly failed: number;
  readonly redactions: number;
  readonly alarms: number;
}

const mostRows = 200;
/** An agent can ask for ever new paths: beyond these they are only counted. */
const mostKept = 5_000;
const longestCell = 160;

interface Row {
  readonly cells: readonly string[];
  count: number;
  redactions: number;
}

type Line = Readonly<Record<string, unknown>>;

export class SummaryTable {
  readonly #rows = new Map<string, Row>();
  #unkept = 0;

  add(line: Line): void {
    const verdict = verdictOf(line);
    if (verdict === undefined) return;
    const code = line.status ?? line.code ?? "";
    const cells = [verdict, line.capability, line.method, line.path, code].map(textOf);
    const key = JSON.stringify(cells);
    const known = this.#rows.get(key);
    const count = typeof line.count === "number" ? line.count : 1;
    const redactions = typeof line.redactions === "number" ? line.redactions : 0;
    if (known) {
      known.count += count;
      known.redactions += redactions;
    } else if (this.#rows.size < mostKept) this.#rows.set(key, { cells, count, redactions });
    else this.#unkept += count;
  }

  render(counts: Counts): string {
    const { allowed, denied, failed, redactions, alarms } = counts;
    const told = [
      ...[`${allowed} allowed`, `${denied} denied`, `${failed} failed`],
      ...[`${redactions} redacted`, `${alarms} ${alarms === 1 ? "alarm" : "alarms"}`],
    ];
    const lines = ["### janee", "", told.join(", "), ""];
    // What was stopped is what people look for.
    const rows = [...this.#rows.values()].sort(
      (one, other) => rank(one) - rank(other) || other.count - one.count,
    );
    if (rows.length > 0) {
      lines.push(
        "| verdict | capability | method | path | status | count | redacted |",
        "| --- | --- | --- | --- | --- | ---: | ---: |",
        ...rows.slice(0, mostRows).map(rendered),
        "",
      );
    }
    const left = rows.slice(mostRows).reduce((sum, { count }) => sum + count, this.#unkept);
    if (left > 0) lines.push(`and ${left} more`, "");
    return `${lines.join("\n")}\n`;
  }
}

/** undefined: it tells of no request, or of the first half of one. */
function verdictOf({ event, outcome, decision }: Line): string | undefined {
  if (event === "alarm") return "alarm";
  if (event === "refusals") return "denied";
  if (event === "tunnel") return outcome === undefined ? undefined : "tunnel";
  if (event === "response") return outcome === "ok" ? "allowed" : "failed";
  if (event !== "request" || outcome !== "refused") return undefined;
  return decision === "pending" ? "waits" : "denied";
}

const order = ["alarm", "denied", "waits", "failed", "tunnel", "allowed"];

function rank({ cells: [verdict = ""] }: Row): number {
  return order.indexOf(verdict);
}

function textOf(value: unknown): string {
  const text = typeof value === "string" || typeof value === "number" ? String(value) : "";
  return text.length > longestCell ? `${text.slice(0, longestCell)}…` : text;
}

function rendered({ cells, count, redactions }: Row): string {
  return `| ${[...cells.map(cell), String(count), String(redactions)].join(" | ")} |`;
}

/** By number: neither Markdown nor HTML has a meaning for a letter that is written so (CommonMark 0.31, section 2.5). */
function cell(text: string): string {
  if (text === "") return "";
  const shown = visible(text).replace(/[^A-Za-z0-9 /-]/gu, (letter) => `&#${letter.codePointAt(0)};`);
  return `<code>${shown}</code>`;
}
