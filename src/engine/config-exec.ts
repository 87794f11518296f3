// What a capability in exec mode may run: commands, rules on their arguments, pins, and the variables they get.
import { isMap, isScalar } from "yaml";
import type { ExecPolicy } from "./config.ts";
import { durationOf, hourMs } from "./config-fields.ts";
import type { Fields, Place } from "./config-place.ts";
import type { Auth } from "./credential/scheme.ts";
import { type ArgsRule, argsRule } from "./exec/args-rule.ts";
import { dangerReason } from "./exec/dangerous.ts";
import { problemInValue, problemInVariable } from "./exec/environment.ts";
import type { Position } from "./failure.ts";
import { didYouMean } from "./nearest.ts";
import { effects } from "./rule.ts";

export const execKeys: readonly string[] = [
  ...["allowCommands", "args", "sha256", "dangerous", "envMap", "timeout", "workDir"],
];
const defaultTimeoutMs = 30_000;
const mostElements = 100;
const code = "config_invalid_rule";

export interface ReadExec {
  readonly policy: ExecPolicy;
  readonly argsPlaces: ReadonlyMap<string, readonly Position[]>;
}

/** `auth` is that of the service, where the service is sound. */
export function execOf(fields: Fields, auth: Auth | undefined): ReadExec {
  const commands = fields.need("allowCommands", "the commands it may run, such as [gh, git]");
  const dangerous = fields.flag("dangerous");
  const allowCommands = (commands && commandsOf(commands, dangerous)) ?? [];
  const timeout = fields.get("timeout");
  const workDir = fields.get("workDir");
  const folder = workDir?.string("a folder");
  if (folder === "") workDir?.refuse("expected a folder, found nothing");
  const args = argsOf(fields.get("args"), allowCommands);
  const policy: ExecPolicy = {
    allowCommands,
    envMap: envMapOf(fields.get("envMap"), auth),
    timeoutMs: (timeout && durationOf(timeout, "30s", { most: hourMs, mostText: "1h" })) ?? defaultTimeoutMs,
    workDir: folder,
    dangerous,
    args: new Map([...args].map(([command, rules]) => [command, rules.map(({ rule }) => rule)])),
    sha256: pinsOf(fields.get("sha256"), allowCommands),
  };
  const places = [...args].map(([command, rules]) => [command, rules.map(({ at }) => at)] as const);
  return { policy, argsPlaces: new Map(places) };
}

function commandsOf(place: Place, dangerous: boolean): readonly string[] | undefined {
  return place.items("a list of commands, such as [gh, git]")?.flatMap((item) => {
    const command = item.string("a command");
    if (command === undefined) return [];
    // A relative path would mean whatever lies in the folder that the agent chose.
    const relative = /[\\/]/.test(command) && !/^(?:\/|~\/|[A-Za-z]:[\\/])/.test(command);
    if (
      relative ||
      !/^[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$/.test(command) ||
      /^\.+$/.test(command)
    ) {
      item.refuse("expected the name of a command, or its absolute path");
      return [];
    }
    const reason = dangerous ? undefined : dangerReason(command);
    if (reason) {
      const next = `say dangerous: true in the capability if you accept that; or take the command out`;
      item.refuse(
        `${command.split(/[\\/]/).at(-1)} gives the credential away to whoever writes its arguments: ${reason}`,
        {
          next,
        },
      );
    }
    return [command];
  });
}

/** The pairs of a map whose keys are commands of the list. */
function byCommand(place: Place | undefined, allowed: readonly string[]): [string, Place][] {
  return [...(place?.entries() ?? [])].filter(([command, at]) => {
    if (allowed.includes(command)) return true;
    const message = `this command is not in allowCommands${didYouMean(command, allowed)}`;
    at.reading.refuse(at.keyOffset, message);
    return false;
  });
}

interface Placed {
  readonly rule: ArgsRule;
  readonly at: Position;
}

function argsOf(
  place: Place | undefined,
  allowed: readonly string[],
): ReadonlyMap<string, readonly Placed[]> {
  const shape = 'a list with one rule per line, such as - allow: ["issue", "list", "*"]';
  const found = new Map<string, readonly Placed[]>();
  for (const [command, at] of byCommand(place, allowed)) {
    const items = at.items(shape, { code });
    const rules = items?.flatMap((item) => {
      const rule = argsRuleOf(command, item);
      return rule ? [{ rule, at: item.position }] : [];
    });
    if (rules) found.set(command, rules);
  }
  return found;
}

function argsRuleOf(command: string, place: Place): ArgsRule | undefined {
  const form = 'one rule, such as - allow: ["issue", "list", "*"]';
  if (!isMap(place.node)) return place.expected(form, { code });
  const entries = place.entries({ code });
  const [first, second] = [...(entries ?? [])];
  if (!entries || !first) return place.refuse(`expected ${form}`, { code });
  if (second) {
    const message = "two keys in one rule have no order: give each rule a line and a dash of its own";
    return place.reading.refuse(second[1].keyOffset, message, { code });
  }
  const [key, value] = first;
  const effect = effects.find((one) => one === key);
  if (!effect) {
    const message = `expected allow, deny or ask${didYouMean(key, effects)}`;
    return place.reading.refuse(value.keyOffset, message, { code });
  }
  const pattern = patternOf(value);
  return pattern && argsRule(command, effect, pattern);
}

function patternOf(place: Place): readonly string[] | undefined {
  const what = 'the arguments as a list, such as ["issue", "list", "*"]';
  if (isScalar(place.node) && !place.empty) {
    return place.refuse(`expected ${what}: text would have to be split, which janee never does`, { code });
  }
  const items = place.items(what, { code });
  if (!items) return undefined;
  if (items.length > mostElements) return place.refuse(`expected at most ${mostElements} elements`, { code });
  const pattern = items.flatMap((item) => {
    const text = item.string('an argument in quotes, or "*" for any run of arguments');
    if (text === undefined) return [];
    // Stars side by side say no more than one.
    return [text.replace(/\*{2,}/g, "*")];
  });
  return pattern.length === items.length ? pattern : undefined;
}

function pinsOf(place: Place | undefined, allowed: readonly string[]): ReadonlyMap<string, string> {
  const pins = new Map<string, string>();
  for (const [command, at] of byCommand(place, allowed)) {
    const what = "the SHA-256 of the command's file as 64 hex digits: sha256sum shows it";
    const digest = at.string(what);
    if (digest === undefined) continue;
    if (/^[0-9A-Fa-f]{64}$/.test(digest)) pins.set(command, digest.toLowerCase());
    else at.refuse(`expected ${what}`);
  }
  return pins;
}

export function envMapOf(place: Place | undefined, auth: Auth | undefined): ReadonlyMap<string, string> {
  const env = new Map<string, string>();
  for (const [name, at] of place?.entries() ?? []) {
    const problem = problemInVariable(name);
    if (problem) {
      at.reading.refuse(at.keyOffset, problem);
      continue;
    }
    const value = at.string('text, such as "{{credential}}"');
    const wrong = value === undefined ? undefined : problemInValue(value, auth);
    if (wrong) at.refuse(wrong);
    else if (value !== undefined) env.set(name, value);
  }
  return env;
}
