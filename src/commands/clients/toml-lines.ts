// Where tables begin and end in the lines of a TOML file.
import { same } from "./same.ts";

export interface Span {
  /** The line behind the header. */
  readonly from: number;
  readonly to: number;
}

/** The lines of a table, to the next header. */
export function tableLines(lines: readonly string[], path: readonly string[]): Span | undefined {
  const open = continued(lines);
  const headers = lines.map((line, index) => (open[index] ? undefined : headerOf(line)));
  const header = headers.findIndex((found) => same(found, path));
  if (header < 0) return undefined;
  const next = headers.findIndex((found, index) => index > header && found !== undefined);
  let to = next < 0 ? lines.length : next;
  // Blank lines and comments above the next header belong to it.
  while (to > header + 1 && /^\s*(?:#.*)?$/.test(trimmed(lines[to - 1]))) to -= 1;
  return { from: header + 1, to };
}

function headerOf(line: string): string[] | undefined {
  const inside = /^\s*\[\[?((?:[^\]"']|"[^"]*"|'[^']*')+)\]\]?\s*(?:#.*)?$/.exec(trimmed(line))?.[1];
  if (inside === undefined) return undefined;
  return [...inside.matchAll(/"([^"]*)"|'([^']*)'|([\w-]+)/g)].map(
    ([, double, single, bare]) => double ?? single ?? bare ?? "",
  );
}

/** Which lines begin within a string or a list of the line before. */
function continued(lines: readonly string[]): boolean[] {
  const token = /"""|'''|"(?:[^"\\]|\\.)*"|'[^']*'|#.*|[[\]{}]|\\./g;
  let quote: string | undefined;
  let depth = 0;
  return lines.map((line) => {
    const begins = quote !== undefined || depth > 0;
    for (const [found] of line.matchAll(quote ? /"""|'''|\\./g : token)) {
      if (quote !== undefined) quote = found === quote ? undefined : quote;
      else if (found === '"""' || found === "'''") quote = found;
      else if (found === "[" || found === "{") depth += 1;
      else if (found === "]" || found === "}") depth -= 1;
    }
    return begins;
  });
}

function trimmed(line = ""): string {
  return line.replace(/\r$/, "");
}
