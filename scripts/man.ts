// Manual pages from the table of commands: `bun scripts/man.ts <folder>` writes janee.1 and one page a command.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { commonFlags } from "../src/commands/arguments.ts";
import type { Command, Flag } from "../src/commands/command.ts";
import { everyCommand } from "../src/commands/index.ts";
import { version } from "../src/commands/version.ts";

export interface ManualPage {
  readonly file: string;
  readonly text: string;
}

/** `date`: of the release, as 2026-01-31. */
export async function manualPages(date: string): Promise<readonly ManualPage[]> {
  const commands = await everyCommand();
  const names = commands.map(({ name }) => `janee-${name}`);
  const pages = commands.map(({ name, summary, command }) => ({
    file: `janee-${name}.1`,
    text: page(`janee-${name}`, summary, date, [
      section("SYNOPSIS", [`.B janee ${name}`, escaped(command.usage)]),
      section("OPTIONS", Object.entries({ ...command.flags, ...commonFlags }).flatMap(flagLines)),
      ...notes(command),
      section("SEE ALSO", [".BR janee (1)"]),
    ]),
  }));
  return [
    {
      file: "janee.1",
      text: page("janee", "keeps API keys away from AI agents", date, [
        section("SYNOPSIS", [".B janee", ".I command", "[flags]"]),
        section("DESCRIPTION", [
          "An agent says what it wants done. janee checks it against a policy and a live session, puts the real credential",
          "on the request, sends it, scrubs the answer, and writes it down. The agent never holds a key.",
        ]),
        section(
          "COMMANDS",
          commands.flatMap(({ name, summary }) => [".TP", `.B ${name}`, escaped(summary)]),
        ),
        section("EXIT STATUS", ["0 ok, 1 a bug in janee, 2 usage, 3 config, 4 denied, 5 vault, 6 upstream"]),
        section("FILES", [
          ".TP",
          ".I ~/.janee",
          "config.yaml, state.db and audit.log; JANEE_HOME names another folder",
        ]),
        section("SEE ALSO", [names.map((one) => `.BR ${escaped(one)} (1)`).join(",\n")]),
      ]),
    },
    ...pages,
  ];
}

function page(title: string, summary: string, date: string, sections: readonly string[]): string {
  const head = `.TH ${title.toUpperCase().replaceAll("-", "\\-")} 1 "${date}" "janee ${version}" "janee manual"`;
  return `${[head, section("NAME", [`${escaped(title)} \\- ${escaped(summary)}`]), ...sections].join("\n")}\n`;
}

function section(name: string, lines: readonly string[]): string {
  return [`.SH ${name}`, ...lines].join("\n");
}

function flagLines([name, flag]: [string, Flag]): string[] {
  const short = flag.short ? `\\-${flag.short}, ` : "";
  const value = flag.type === "string" ? ` \\fI${escaped(flag.value ?? "VALUE")}\\fR` : "";
  const more = flag.multiple ? "; may be given more than once" : "";
  return [".TP", `\\fB${short}\\-\\-${escaped(name)}\\fR${value}`, `${escaped(flag.help)}${more}`];
}

function notes({ notes: lines }: Command): string[] {
  return lines
    ? [
        section(
          "NOTES",
          lines.flatMap((line) => [".PP", escaped(line)]),
        ),
      ]
    : [];
}

/** What is no ASCII is named by its code point; a backslash is roff's own, and so is a dot or an apostrophe at the begin of a line. */
function escaped(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^([.'])/gm, "\\&$1")
    .replace(/[^\0-\x7f]/gu, (letter) => {
      return `\\[u${(letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}]`;
    });
}

if (import.meta.main) {
  const folder = process.argv[2];
  if (folder === undefined) throw new Error("expected a folder: bun scripts/man.ts dist/man");
  mkdirSync(folder, { recursive: true });
  const date = process.argv[3] ?? new Date().toISOString().slice(0, 10);
  for (const { file, text } of await manualPages(date)) writeFileSync(join(folder, file), text);
}
