// Puts janee into the file of an MCP client, or prints what belongs there.
import { resolve } from "node:path";
import { projectFiles, userFiles } from "../engine/client-place.ts";
import { type Client, clientNamed, clients } from "../engine/clients.ts";
import { Failure } from "../engine/failure.ts";
import { didYouMean } from "../engine/nearest.ts";
import { agentTokenVariable, type Stanza } from "../engine/stanza.ts";
import { visible } from "../engine/visible.ts";
import { readClientFile, replaceClientFile, surroundings } from "../host/client-file.ts";
import { readConfigFile } from "../host/config-file.ts";
import { homePath } from "../host/home-path.ts";
import { carriedEnvironment, thisProgram } from "../host/program.ts";
import { servingUrl } from "../host/serving.ts";
import { listClients } from "./clients/list.ts";
import { mergeStanza, renderStanza } from "./clients/merge.ts";
import type { Arguments, Command, Talk } from "./command.ts";
import { defaultHost, defaultPort } from "./serve-address.ts";
import { unknownCapability } from "./unknown-capability.ts";

export const command: Command = {
  usage: "[client] [--write] [--http] [--project | --file PATH] [--capability a,b] [--agent NAME]",
  flags: {
    write: {
      type: "boolean",
      help: "put it into the client's file, beside what is there, and keep a copy of the old file",
    },
    http: { type: "boolean", help: "the form for janee serve, with an agent's token from the environment" },
    project: { type: "boolean", help: "the client's file for the project in the current directory" },
    file: { type: "string", value: "PATH", help: "another file than the client's own" },
    capability: { type: "string", value: "a,b", help: "only these capabilities, passed on to janee mcp" },
    agent: {
      type: "string",
      value: "NAME",
      help: "passed on to janee mcp; with --http the name of the agent's token",
    },
  },
  positionals: { least: 0, most: 1 },
  notes: [
    `clients: ${Object.keys(clients).join(", ")}`,
    "Without a client: lists them, their files, and whether janee is in.",
  ],
  async run(args, talk) {
    const name = args.positionals[0];
    if (name === undefined) return listClients(args, talk);
    const client = clientNamed(name);
    if (!client) {
      const message = `unknown client ${visible(name.slice(0, 40))}${didYouMean(name, Object.keys(clients))}`;
      return new Failure("usage", message, { next: `clients: ${Object.keys(clients).join(", ")}` });
    }
    const stanza = stanzaFor(client, args, talk);
    if (stanza instanceof Failure) return stanza;
    const file = fileFor(client, args, talk);
    if (file instanceof Failure) return file;
    const job = { name, client, file, stanza, args, talk };
    return args.flag("write") ? write(job) : print(job);
  },
};

interface Job {
  readonly name: string;
  readonly client: Client;
  readonly file: string;
  readonly stanza: Stanza;
  readonly args: Arguments;
  readonly talk: Talk;
}

function stanzaFor(client: Client, args: Arguments, talk: Talk): Stanza | Failure {
  const home = homePath(talk.environment);
  if (home instanceof Failure) return home;
  const capability = args.text("capability");
  const agent = args.text("agent");
  if (agent !== undefined && !/^[A-Za-z0-9][\w.@-]{0,63}$/.test(agent)) {
    return new Failure("usage", "--agent wants a name of letters, digits, ., @, _ and -");
  }
  const names = capability?.split(",").map((one) => one.trim()) ?? [];
  if (names.some((one) => !/^[a-z0-9][a-z0-9_-]{0,63}$/.test(one))) {
    return new Failure("usage", "--capability wants names of capabilities: --capability a,b", {
      next: "janee list",
    });
  }
  if (!args.flag("http")) {
    warnOfUnknown(home, names, talk);
    const program = thisProgram(talk.environment);
    const carried = carriedEnvironment(talk.environment, home);
    return client.stdio({
      command: program.command,
      args: [
        ...program.args,
        "mcp",
        ...(names.length > 0 ? ["--capability", names.join(",")] : []),
        ...(agent === undefined ? [] : ["--agent", agent]),
      ],
      ...(Object.keys(carried).length > 0 && { environment: carried }),
    });
  }
  if (typeof client.http === "string") {
    return new Failure("usage", `${client.http}: there is no --http for it`, { next: "leave out --http" });
  }
  if (names.length > 0) {
    const message = "--capability belongs to janee mcp: over HTTP, the agent's token says who may do what";
    return new Failure("usage", message, {
      next: "leave it out, and name the agent in allowedAgents of the capability",
    });
  }
  return client.http({ url: `${servingUrl(home) ?? `http://${defaultHost}:${defaultPort}`}/mcp` });
}

/** The stanza is good as soon as the capability is there: a warning is enough. */
function warnOfUnknown(home: string, names: readonly string[], talk: Talk): void {
  const found = names.length === 0 ? undefined : readConfigFile(home);
  if (found instanceof Failure) return;
  const known = [...(found?.document.read.config.capabilities.keys() ?? [])];
  for (const name of names) {
    if (known.includes(name)) continue;
    const { message, next } = unknownCapability(name, known);
    talk.say(`janee: warning: ${message}: janee mcp will not start with it\n  → ${next}`);
  }
}

function fileFor(client: Client, args: Arguments, talk: Talk): string | Failure {
  const named = args.text("file");
  if (named !== undefined) {
    if (args.flag("project")) return new Failure("usage", "--file and --project name two files: choose one");
    return resolve(named);
  }
  const where = surroundings(talk.environment);
  if (args.flag("project") && !client.project) {
    const able = Object.entries(clients).filter(([, { project }]) => project);
    return new Failure("usage", `${client.title} has no file for a project`, {
      next: `these have one: ${able.map(([name]) => name).join(", ")}`,
    });
  }
  const files = args.flag("project")
    ? projectFiles(client, process.cwd(), where.system)
    : userFiles(client, where);
  return files.find((file) => readClientFile(file) !== undefined) ?? files.at(-1) ?? "";
}

function print({ name, client, file, stanza, args, talk }: Job): number {
  const text = renderStanza(client, stanza);
  if (talk.json) {
    talk.printJson({
      client: name,
      file,
      format: client.format,
      stanza,
      text,
      page: client.page,
      ...variableOf(args),
    });
    return 0;
  }
  talk.print(text.trimEnd());
  talk.say(`  → belongs into ${visible(file)}; to put it there, the same command with --write`);
  remarks(client, args, talk);
  return 0;
}

function write({ name, client, file, stanza, args, talk }: Job): number | Failure {
  const before = readClientFile(file);
  if (before instanceof Failure) return before;
  const text = mergeStanza(client, before?.text ?? "", file, stanza);
  if (text instanceof Failure) return text;
  const changed = text !== before?.text;
  const replaced = changed
    ? replaceClientFile(file, text, before, {
        now: new Date(),
        ...(args.flag("project") && { within: process.cwd() }),
      })
    : { file };
  if (replaced instanceof Failure) return replaced;
  if (talk.json) {
    const backup = "backup" in replaced ? { backup: replaced.backup } : {};
    talk.printJson({ client: name, file, changed, ...backup, ...variableOf(args) });
    return 0;
  }
  if (!changed) talk.print(`already there: ${visible(file)}`);
  else {
    const linked = replaced.file === resolve(file) ? "" : ` (a link to ${visible(replaced.file)})`;
    talk.print(`wrote ${visible(file)}${linked}`);
    if ("backup" in replaced && replaced.backup !== undefined)
      talk.print(`backup ${visible(replaced.backup)}`);
    talk.say(`  → ${client.afterwards}`);
  }
  remarks(client, args, talk);
  return 0;
}

function variableOf(args: Arguments): { variable?: string } {
  return args.flag("http") ? { variable: agentTokenVariable } : {};
}

/** What a person has to do besides, since no secret goes into the file. */
function remarks(client: Client, args: Arguments, talk: Talk): void {
  if (args.flag("http")) {
    const makes = `janee agent add ${args.text("agent") ?? "NAME"}`;
    talk.say(
      client.input
        ? `  → ${client.title} asks for the agent's token once and keeps it (the place of ${agentTokenVariable}); ${makes} makes it`
        : `  → set ${agentTokenVariable} where ${client.title} starts: ${makes} makes the token`,
    );
  } else if (talk.environment.JANEE_KEY) {
    talk.say(`  → JANEE_KEY is not written: start ${client.title} with it, or give janee a key file`);
  }
  if (args.flag("project") && args.flag("write")) {
    talk.say("  → it names places of this machine: others who share the project have their own");
  }
}
