// Commands: which, with what arguments, for how long, and by which file.
import type { ExecPolicy } from "../config.ts";
import { durationText } from "../config-fields.ts";
import type { ArgsRule } from "../exec/args-rule.ts";
import { type Change, listed, other, setChanges, wider } from "./change.ts";
import { narrowsBy } from "./narrows.ts";

export function execChanges(before: ExecPolicy, after: ExecPolicy): Change[] {
  const found = setChanges("allowCommands", before.allowCommands, after.allowCommands);
  // The values may hold what nobody should read twice, so only the names are shown.
  const set = [...after.envMap].filter(([name, value]) => before.envMap.get(name) !== value);
  const gone = [...before.envMap.keys()].filter((name) => !after.envMap.has(name));
  if (set.length > 0) found.push(wider(`envMap: sets ${listed(set.map(([name]) => name))}`));
  if (gone.length > 0) found.push(other(`envMap: no longer sets ${listed(gone)}`));
  if (before.timeoutMs !== after.timeoutMs) {
    const line = `timeout ${durationText(before.timeoutMs)} → ${durationText(after.timeoutMs)}`;
    found.push({ widens: after.timeoutMs > before.timeoutMs, line });
  }
  if (before.workDir !== after.workDir) {
    found.push(wider(`workDir ${before.workDir ?? "none"} → ${after.workDir ?? "none"}`));
  }
  if (before.dangerous !== after.dangerous) {
    const line = "dangerous turned on: shells and tools that print their environment may be listed";
    found.push(after.dangerous ? wider(line) : other("dangerous turned off"));
  }
  for (const command of new Set([...before.args.keys(), ...after.args.keys()])) {
    found.push(...argsChanges(command, before, after));
  }
  found.push(...pinChanges(before, after));
  return found;
}

function argsChanges(command: string, before: ExecPolicy, after: ExecPolicy): Change[] {
  const [from, to] = [before.args.get(command), after.args.get(command)];
  // A command that comes or goes is named as such.
  if (!before.allowCommands.includes(command) || !after.allowCommands.includes(command)) return [];
  if (!to) return [wider(`args: ${command} has no rules any more`)];
  if (!from) return [other(`args: ${command} has ${to.length} rules now`)];
  if (from.length === to.length && from.every((rule, at) => sameArgs(rule, to[at]))) return [];
  const widens = !narrowsBy(from, to, sameArgs);
  const lines = [
    ...to.filter((rule) => !from.some((old) => sameArgs(old, rule))).map(({ text }) => `added: ${text}`),
    ...from.filter((old) => !to.some((rule) => sameArgs(old, rule))).map(({ text }) => `removed: ${text}`),
  ];
  const shown = lines.length > 0 ? lines : [`${command}: rules in another order or number`];
  return shown.map((line) => ({ widens, line: `args: ${line}` }));
}

function sameArgs(one: ArgsRule, two: ArgsRule | undefined): boolean {
  return one.text === two?.text;
}

function pinChanges(before: ExecPolicy, after: ExecPolicy): Change[] {
  return [...new Set([...before.sha256.keys(), ...after.sha256.keys()])].flatMap((command) => {
    const [from, to] = [before.sha256.get(command), after.sha256.get(command)];
    if (from === to || !before.allowCommands.includes(command) || !after.allowCommands.includes(command)) {
      return [];
    }
    if (from === undefined) return [other(`sha256: ${command} is pinned`)];
    return [
      wider(
        `sha256: ${command} ${to === undefined ? "is not pinned any more" : "is pinned to another file"}`,
      ),
    ];
  });
}
