// Completion: a shell's script is a few lines that ask janee for the words, so that all shells know the same.
import { join } from "node:path";
import { clients } from "../engine/clients.ts";
import { type ConfigNames, namesInPlainLayout } from "../engine/config-names.ts";
import { Failure } from "../engine/failure.ts";
import { didYouMean } from "../engine/nearest.ts";
import { readPrivate } from "../host/files.ts";
import { homePath } from "../host/home-path.ts";
import type { Command, Flag, Talk } from "./command.ts";
import { type CompletionShell, completionScripts } from "./completion-scripts.ts";

export const command: Command = {
  usage: "bash | zsh | fish | powershell",
  flags: { words: { type: "boolean", help: "print what can follow the words behind --, for the scripts" } },
  takesRest: true,
  positionals: { least: 0, most: 1 },
  notes: [
    "bash:        source <(janee completion bash)              # in ~/.bashrc",
    "zsh:         source <(janee completion zsh)               # in ~/.zshrc, behind compinit",
    "fish:        janee completion fish | source               # in ~/.config/fish/config.fish",
    "powershell:  janee completion powershell | Out-String | Invoke-Expression   # in $PROFILE",
  ],
  async run(args, talk) {
    if (args.flag("words")) {
      const words = await wordsFor(args.rest, talk);
      if (talk.json) talk.printJson({ words });
      else if (words.length > 0) talk.print(words.join("\n"));
      return 0;
    }
    const shell = args.positionals[0] ?? "";
    const script = Object.hasOwn(completionScripts, shell) && completionScripts[shell as CompletionShell];
    if (script) {
      if (talk.json) talk.printJson({ shell, script });
      else talk.print(script);
      return 0;
    }
    const shells = Object.keys(completionScripts);
    const message =
      shell === "" ? "which shell?" : `unknown shell ${shell.slice(0, 40)}${didYouMean(shell, shells)}`;
    return new Failure("usage", message, { next: `expected one of ${shells.join(", ")}` });
  },
};

/** What a word can be: a name out of the config, or one of these. */
type Choice = "capability" | "service" | "name" | "command" | readonly string[];

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** By command, what its positionals are. */
export const positionals: Readonly<Record<string, readonly Choice[]>> = {
  agent: [["add", "list", "rm"]],
  ca: [["print", "renew", "rm"]],
  completion: [["bash", "zsh", "fish", "powershell"]],
  config: [["check", "path", "schema"]],
  connect: [Object.keys(clients)],
  exec: ["capability"],
  grant: ["capability"],
  help: ["command"],
  key: [["export", "import"]],
  logs: [["verify"]],
  rm: ["name"],
  set: ["service"],
  add: ["service"],
  login: ["service"],
  test: ["service"],
  why: ["capability", methods],
};

const flagValues: Readonly<Record<string, Choice>> = {
  capability: "capability",
  policy: ["read-only", "no-delete"],
  unmatched: ["deny", "tunnel"],
};

/** `words`: all behind `janee`; the last one is being typed, and may be empty. */
export async function wordsFor(words: readonly string[], talk: Talk): Promise<string[]> {
  const { commandNames, commandNamed } = await import("./index.ts");
  const typed = words.at(-1) ?? "";
  const [name = ""] = words;
  if (words.length <= 1) return matching([...commandNames, "help", "--help", "--version"], typed);
  const before = words.slice(1, -1);
  if (name === "help") return before.length === 0 ? matching(commandNames, typed) : [];
  if (!commandNames.includes(name) || before.includes("--")) return [];
  // A command is loaded for its flags alone: most words are finished without.
  const flags = words.some((word) => word.startsWith("-")) ? ((await commandNamed(name))?.flags ?? {}) : {};
  const flag = flagOf(before.at(-1), flags);
  if (flag?.spec.type === "string")
    return matching(await choices(flagValues[flag.name], talk, commandNames), typed);
  if (typed.startsWith("-"))
    return matching(
      [...Object.keys(flags), "json", "help"].map((one) => `--${one}`),
      typed,
    );
  const at = positionalsIn(before, flags);
  return matching(await choices(positionals[name]?.[at], talk, commandNames), typed);
}

function matching(words: readonly string[], typed: string): string[] {
  return [...new Set(words)].filter((word) => word.startsWith(typed)).sort();
}

type Flags = Readonly<Record<string, Flag>>;

function flagOf(word: string | undefined, flags: Flags): { name: string; spec: Flag } | undefined {
  const name = word?.startsWith("--") ? word.slice(2) : undefined;
  const spec = name === undefined || !Object.hasOwn(flags, name) ? undefined : flags[name];
  return name === undefined || !spec ? undefined : { name, spec };
}

/** How many words stand for positionals: neither flags nor their values. */
function positionalsIn(words: readonly string[], flags: Flags): number {
  return words.filter((word, at) => {
    return !word.startsWith("-") && flagOf(words[at - 1], flags)?.spec.type !== "string";
  }).length;
}

async function choices(
  choice: Choice | undefined,
  talk: Talk,
  commands: readonly string[],
): Promise<readonly string[]> {
  if (choice === undefined) return [];
  if (typeof choice !== "string") return choice;
  if (choice === "command") return commands;
  const { services, capabilities } = await namesIn(talk);
  if (choice === "name") return [...services, ...capabilities];
  return choice === "service" ? services : capabilities;
}

/** Straight from the file: no vault is opened to finish a word. Where it cannot be read there is nothing to offer. */
async function namesIn(talk: Talk): Promise<ConfigNames> {
  const nothing = { services: [], capabilities: [] };
  const home = homePath(talk.environment);
  if (home instanceof Failure) return nothing;
  const bytes = readPrivate(join(home, "config.yaml"));
  if (!bytes || bytes instanceof Failure) return nothing;
  const text = bytes.toString("utf8");
  const plain = namesInPlainLayout(text);
  if (plain) return plain;
  const { readConfig } = await import("../engine/read-config.ts");
  const read = readConfig(text, "config.yaml");
  if (read instanceof Failure) return nothing;
  const { services, capabilities } = read.config;
  return { services: [...services.keys()], capabilities: [...capabilities.keys()] };
}
