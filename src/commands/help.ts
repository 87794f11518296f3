// What `--help` prints. Flags of single schemes would bury the others: they are shown for the scheme that is named.
import { commonFlags } from "./arguments.ts";
import type { Arguments, Command, Flag } from "./command.ts";

type Line = readonly [left: string, help: string];

/** `args`: with a scheme among the flags, those of that scheme are shown as well. */
export function helpOf(name: string, summary: string, command: Command, args?: Arguments): string {
  const schemes = schemesOf(command);
  if (schemes.length === 0) return page(name, summary, command, [linesOf(command.flags)]);
  const chosen = schemes.find((scheme) => args?.flag(scheme) || args?.text("auth-type") === scheme);
  const general = linesOf(command.flags, ({ schemes: only }) => only === undefined);
  if (chosen !== undefined) {
    const own = linesOf(command.flags, ({ schemes: only }) => only?.includes(chosen) ?? false);
    return page(name, summary, command, [general, [`with --auth-type ${chosen}`, ...own]]);
  }
  const index: readonly Line[] = schemes.map((scheme) => [
    `--${scheme}`,
    (command.flags[scheme]?.help ?? "").replace(/^authenticate by (.*): the same as .*$/, "$1"),
  ]);
  const how = `schemes with flags of their own: janee ${name} --help --auth-type SCHEME shows them`;
  return page(name, summary, command, [general, [how, ...index]]);
}

/** With every flag, one group a scheme: for pages. */
export function wholeHelpOf(name: string, summary: string, command: Command): string {
  const groups = schemesOf(command).flatMap((scheme) => {
    const own = linesOf(command.flags, ({ schemes }) => schemes?.length === 1 && schemes[0] === scheme);
    return own.length === 0 ? [] : [[`with --auth-type ${scheme}`, ...own]];
  });
  const shared = linesOf(command.flags, ({ schemes }) => (schemes?.length ?? 0) > 1);
  const general = linesOf(command.flags, ({ schemes }) => schemes === undefined);
  const several = shared.length === 0 ? [] : [["of several schemes", ...shared]];
  return page(name, summary, command, [general, ...several, ...groups]);
}

type Group = readonly (string | Line)[];

function page(name: string, summary: string, command: Command, groups: readonly Group[]): string {
  const [first = [], ...others] = groups;
  const all = [[...first, ...linesOf(commonFlags)], ...others];
  const width = Math.max(...all.flat().map((line) => (typeof line === "string" ? 0 : line[0].length))) + 2;
  const shown = all.map((group) =>
    group
      .map((line) => (typeof line === "string" ? line : `  ${line[0].padEnd(width)}${line[1]}`))
      .join("\n"),
  );
  const notes = command.notes ? ["", ...command.notes] : [];
  return [`usage: janee ${name} ${command.usage}`, "", summary, "", shown.join("\n\n"), ...notes].join("\n");
}

function schemesOf({ flags }: Command): string[] {
  return [...new Set(Object.values(flags).flatMap(({ schemes }) => schemes ?? []))];
}

function linesOf(
  flags: Readonly<Record<string, Flag>>,
  wanted: (flag: Flag) => boolean = () => true,
): Line[] {
  return Object.entries(flags)
    .filter(([, flag]) => wanted(flag))
    .map(([name, flag]) => {
      const short = flag.short ? `-${flag.short}, ` : "";
      const value = flag.type === "string" ? ` ${flag.value ?? "VALUE"}` : "";
      return [`${short}--${name}${value}`, flag.multiple ? `${flag.help} (repeatable)` : flag.help];
    });
}
