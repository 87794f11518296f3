// What git never does here, whatever the rules on arguments say: run what its arguments name, go anywhere but to https,
// or take its configuration from them.
import { gitGrammar } from "./git-grammar.ts";
import { problemInRefspec, problemInRemote, problemInUrl, transportIn } from "./git-remote.ts";
import { type GivenOption, type ReadArguments, readArguments, shown } from "./options.ts";
import { problemInFolder, readsProcess } from "./paths.ts";

/** Harmless before the sub-command, and without a say in what it does. */
const before = new Set(["--no-pager", "-P", "--no-optional-locks", "--literal-pathspecs"]);
const alone = new Set(["--version", "-v", "--help", "-h"]);

/** Sub-commands that are known and refused, for a reason that helps. */
const refused: Readonly<Record<string, string>> = {
  difftool: "it starts a program that its arguments name",
  mergetool: "it starts a program that its arguments name",
  "filter-branch": "it runs commands that its arguments name",
  credential: "it prints credentials",
  help: "it starts a pager or a browser",
  archive: "it can start commands of the repository's configuration",
  "send-email": "it sends files by mail and starts commands",
  daemon: "it serves the repository to others",
  instaweb: "it starts a web server and a browser",
  bugreport: "it collects the configuration",
  maintenance: "it schedules commands",
  hook: "it runs hooks",
  var: "it prints the environment",
};

const strategies = new Set(["ort", "recursive", "resolve", "octopus", "ours", "subtree"]);

/** Why these arguments of git are refused; undefined when they pass. */
export function gitPreset(args: readonly string[]): string | undefined {
  const [command, ...rest] = gitArguments(args);
  if (command === undefined) return undefined;
  if (alone.has(command)) return rest.length === 0 ? undefined : `${command} stands alone`;
  if (command.startsWith("-")) {
    return `the option ${shown(command)} before the sub-command is refused: it can change what git runs or where it works`;
  }
  const grammarOf = gitGrammar(command);
  if (!grammarOf) {
    const known = Object.hasOwn(refused, command) ? refused[command] : undefined;
    return known
      ? `git ${command} is refused: ${known}`
      : `git ${shown(command)} is not one that janee lets through`;
  }
  if (rest.length === 1 && rest[0] === "-h") return undefined;
  const read = readArguments(grammarOf, rest);
  if (typeof read === "string") return `git ${command}: ${read}`;
  const problem = problemInValues(read.options) ?? rest.map(readsProcess).find((one) => one !== undefined);
  const found = problem ?? (Object.hasOwn(checks, command) ? checks[command]?.(read, rest) : undefined);
  return found && `git ${command}: ${found}`;
}

/** As the rules of the config see them: from the sub-command on. */
export function gitArguments(args: readonly string[]): readonly string[] {
  const first = args.findIndex((argument) => !before.has(argument));
  return first < 0 ? [] : args.slice(first);
}

const talking = new Set(["clone", "fetch", "pull", "push", "ls-remote"]);
const talkingRemote = new Set(["show", "update", "prune", "set-head"]);

/** Only these go to a service. All others get no credential, so nothing that a repository makes them run has it. */
export function gitTalks(args: readonly string[]): boolean {
  const [command, ...rest] = gitArguments(args);
  if (command === "remote") return rest.some((argument) => talkingRemote.has(argument));
  return talking.has(command ?? "");
}

function problemInValues(options: readonly GivenOption[]): string | undefined {
  for (const { name, value } of options) {
    if (/^(?:-F|--file)$/.test(name) && value !== undefined && value !== "-") {
      return `${name} takes "-" alone: a message comes by standard input, not out of a file`;
    }
    if (/^(?:-s|--strategy)$/.test(name) && value !== undefined && !strategies.has(value)) {
      return `${name} takes one of ${[...strategies].join(", ")}: any other would be a program`;
    }
    if (name === "--rebase" || name === "-r") {
      if (value !== undefined && !/^(?:true|false|merges)$/.test(value))
        return "an interactive rebase opens an editor";
    }
  }
  return undefined;
}

type Check = (read: ReadArguments, rest: readonly string[]) => string | undefined;

function everyOperand({ operands, behind }: ReadArguments): readonly string[] {
  return [...operands, ...(behind ?? [])];
}

function firstProblem(
  texts: readonly string[],
  check: (text: string) => string | undefined,
): string | undefined {
  for (const text of texts) {
    const problem = check(text);
    if (problem) return problem;
  }
  return undefined;
}

/** Every word, values too: whichever of them git takes for an address, no other transport is in it. */
function elsewhere(rest: readonly string[]): string | undefined {
  const transport = rest.map(transportIn).find((one) => one !== undefined);
  return transport && `${transport} is refused: https alone`;
}

const remoteThenRefspecs: Check = (read, rest) => {
  const [remote, ...refspecs] = everyOperand(read);
  const many = read.options.some(({ name }) => name === "--multiple");
  const wrong = remote === undefined ? undefined : problemInRemote(remote);
  return elsewhere(rest) ?? wrong ?? firstProblem(refspecs, many ? problemInRemote : problemInRefspec);
};

/** Sub-sub-commands that pass; the rest of the operands is judged by what follows. */
function only(names: string, then?: Check): Check {
  const allowed = new Set(names.split(" "));
  return (read, rest) => {
    const [name] = read.operands;
    if (name === undefined || !allowed.has(name)) {
      return `expected one of ${[...allowed].join(", ")}${name === undefined ? "" : `, found ${shown(name)}`}`;
    }
    return then?.(read, rest);
  };
}

/** Settings that only say who commits, or how text looks: written into the repository they run nothing. */
const writable =
  /^(?:user\.(?:name|email)|pull\.(?:rebase|ff)|push\.(?:default|autosetupremote|followtags)|init\.defaultbranch|core\.(?:autocrlf|eol|filemode|ignorecase|quotepath|longpaths)|merge\.(?:conflictstyle|ff)|rerere\.enabled|fetch\.prune|rebase\.(?:autostash|autosquash)|diff\.algorithm|branch\.[A-Za-z0-9._/-]+\.(?:remote|merge|description)|advice\.[a-z]+|color\.[a-z]+)$/i;

const checks: Readonly<Record<string, Check>> = {
  fetch: remoteThenRefspecs,
  pull: remoteThenRefspecs,
  push: remoteThenRefspecs,
  "ls-remote": remoteThenRefspecs,
  clone: (read, rest) => {
    const [url, folder, ...more] = everyOperand(read);
    if (url === undefined) return "expected the address to clone";
    if (more.length > 0) return "expected an address and a folder";
    return (
      problemInUrl(url) ?? elsewhere(rest) ?? (folder === undefined ? undefined : problemInFolder(folder))
    );
  },
  init: (read) => firstProblem(everyOperand(read), problemInFolder),
  remote: (read, rest) => {
    const [name, ...operands] = everyOperand(read);
    if (name === undefined) return undefined;
    const known = "show get-url add set-url remove rm rename prune set-head update";
    if (!known.split(" ").includes(name)) return `expected one of ${known}, found ${shown(name)}`;
    const transport = elsewhere(rest);
    if (transport) return transport;
    const urls = name === "add" || name === "set-url" ? operands.slice(1) : [];
    const remotes = name === "add" || name === "set-url" ? operands.slice(0, 1) : operands;
    return firstProblem(urls, problemInUrl) ?? firstProblem(remotes, problemInRemote);
  },
  submodule: only("status"),
  worktree: only("list"),
  notes: (read, rest) =>
    read.operands.length === 0 ? undefined : only("list show add append remove copy")(read, rest),
  bisect: only("start good old bad new skip reset log terms"),
  reflog: (read) =>
    /^(?:expire|delete|drop)$/.test(read.operands[0] ?? "") ? "only show is let through" : undefined,
  stash: (read, rest) =>
    read.operands.length === 0
      ? undefined
      : only("push save pop apply drop list show clear create store branch")(read, rest),
  config: (read) => {
    const words = everyOperand(read);
    const unset = read.options.find(({ name }) => name === "--unset")?.value;
    if (/^(?:get|list)$/.test(words[0] ?? "")) return undefined;
    const pair = /^(?:set|unset)$/.test(words[0] ?? "") ? words.slice(1) : words;
    const key = unset ?? (pair.length > 1 || pair !== words ? pair[0] : undefined);
    if (key === undefined || writable.test(key)) return undefined;
    return `the setting ${shown(key)} is not one that janee lets be written`;
  },
};
