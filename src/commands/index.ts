// The table of commands. Each is loaded only when it is called, so that `--version` loads none.
import { Failure } from "../engine/failure.ts";
import { didYouMean } from "../engine/nearest.ts";
import { readArguments } from "./arguments.ts";
import type { Command, Talk } from "./command.ts";
import { fail } from "./fail.ts";
import { helpOf, wholeHelpOf } from "./help.ts";
import { commit, runtime, version } from "./version.ts";

interface Listed {
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: Command }>;
}

const table: Readonly<Record<string, Listed>> = {
  init: { summary: "make the home, the key and a commented config", load: () => import("./init.ts") },
  add: { summary: "add or update a service and a capability for it", load: () => import("./add.ts") },
  login: { summary: "log in to a service that wants a person (OAuth 2.0)", load: () => import("./login.ts") },
  set: { summary: "replace the credential of a service", load: () => import("./set.ts") },
  rm: { summary: "remove a service or a capability", load: () => import("./rm.ts") },
  list: { summary: "show services, capabilities and live sessions", load: () => import("./list.ts") },
  search: { summary: "show the services that janee knows", load: () => import("./search.ts") },
  test: { summary: "send one harmless request to a service", load: () => import("./test.ts") },
  why: { summary: "show the decision on a request, and its rule", load: () => import("./why.ts") },
  serve: { summary: "run the HTTP side on 127.0.0.1:5263", load: () => import("./serve.ts") },
  mcp: { summary: "serve MCP on stdin and stdout, for a client's config", load: () => import("./mcp.ts") },
  grant: { summary: "make a session by your own hand", load: () => import("./grant.ts") },
  agent: { summary: "give agents tokens of their own, for HTTP", load: () => import("./agent.ts") },
  exec: { summary: "run a command with a credential in its environment", load: () => import("./exec.ts") },
  run: { summary: "run a command behind the proxy, without keys", load: () => import("./run.ts") },
  ca: { summary: "print, renew or remove the local authority", load: () => import("./ca.ts") },
  sessions: { summary: "list active sessions", load: () => import("./sessions.ts") },
  revoke: { summary: "end sessions now", load: () => import("./revoke.ts") },
  approvals: { summary: "list what waits for a person", load: () => import("./approvals.ts") },
  approve: { summary: "say yes to a waiting request", load: () => import("./approve.ts") },
  deny: { summary: "say no to a waiting request", load: () => import("./deny.ts") },
  open: { summary: "open the page: approvals, sessions, audit", load: () => import("./open-page.ts") },
  logs: { summary: "show the audit trail, or verify it", load: () => import("./logs.ts") },
  rotate: { summary: "make new keys and seal everything anew", load: () => import("./rotate.ts") },
  key: { summary: "export or import the key of the vault", load: () => import("./key.ts") },
  doctor: { summary: "look for problems, each with its remedy", load: () => import("./doctor.ts") },
  connect: { summary: "put janee into the file of an MCP client", load: () => import("./connect.ts") },
  config: { summary: "check the config, or print its path or schema", load: () => import("./config.ts") },
  completion: { summary: "print what completes words in your shell", load: () => import("./completion.ts") },
  licenses: { summary: "print the licences of all that is in janee", load: () => import("./licenses.ts") },
};

export const commandNames: readonly string[] = Object.keys(table);

export async function commandNamed(name: string): Promise<Command | undefined> {
  return Object.hasOwn(table, name) ? (await table[name]?.load())?.command : undefined;
}

/** Every command with its summary, for pages about them. */
export async function everyCommand(): Promise<
  readonly { name: string; summary: string; command: Command }[]
> {
  const all = Object.entries(table).map(async ([name, { summary, load }]) => {
    return { name, summary, command: (await load()).command };
  });
  return Promise.all(all);
}

/** Runs one command line and returns its exit status. */
export async function run(argv: readonly string[], talk: Talk): Promise<number> {
  const [name, ...rest] = argv;
  if (name === "--version" || name === "-V" || name === "version") {
    if (argv.includes("--json")) talk.printJson({ version, commit, runtime });
    else talk.print(`janee ${version} (${commit}, ${runtime})`);
    return 0;
  }
  const helps = name === "--help" || name === "-h" || name === "help";
  const [about] = helps ? rest.filter((word) => !word.startsWith("-")) : [];
  if (name === undefined || (helps && about === undefined)) {
    talk.print(overview());
    return name === undefined ? 2 : 0;
  }
  const called = about ?? name;
  const listed = Object.hasOwn(table, called) ? table[called] : undefined;
  if (!listed) return fail(unknown(called), talk);
  if (helps) {
    talk.print(helpOf(called, listed.summary, (await listed.load()).command));
    return 0;
  }
  const { command } = await listed.load();
  const args = readArguments(name, command, rest);
  if (args instanceof Failure) return fail(args, talk);
  if (args.flag("help")) {
    talk.print(helpOf(name, listed.summary, command, args));
    return 0;
  }
  const result = await command.run(args, talk);
  return result instanceof Failure ? fail(result, talk) : result;
}

function unknown(called: string): Failure {
  const isFlag = called.startsWith("-");
  const known = isFlag ? ["--help", "--version", "--json"] : commandNames;
  const message = `unknown ${isFlag ? "flag" : "command"} ${called.slice(0, 40)}${didYouMean(called, known)}`;
  return new Failure("usage", message, { next: "janee --help" });
}

function overview(): string {
  const width = Math.max(...Object.keys(table).map((name) => name.length)) + 2;
  const lines = Object.entries(table).map(([name, { summary }]) => `  ${name.padEnd(width)}${summary}`);
  return [
    "janee keeps API keys away from AI agents.",
    "",
    "usage: janee <command> [flags]",
    "",
    ...lines,
    "",
    "  janee <command> --help   flags of a command",
    "  janee --version          version, commit and runtime",
  ].join("\n");
}

/** The help of every command, as the README shows it. */
export async function usageOfAll(): Promise<string> {
  const texts = [overview()];
  for (const [name, { summary, load }] of Object.entries(table)) {
    texts.push(wholeHelpOf(name, summary, (await load()).command));
  }
  return texts.join("\n\n");
}
