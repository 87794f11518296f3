import { callerOf } from "../engine/agents.ts";
import { Failure } from "../engine/failure.ts";
import { didYouMean } from "../engine/nearest.ts";
import { isInteractive } from "../host/terminal.ts";
import { columns } from "./columns.ts";
import type { Command, Talk } from "./command.ts";
import { withJanee } from "./open.ts";
import { refuseWithoutPerson } from "./person.ts";
import type { Janee } from "./wire-up.ts";

const namePattern = /^[a-z0-9][a-z0-9_-]{0,63}$/;
const actions = ["add", "list", "rm"] as const;

export const command: Command = {
  usage: "add NAME | list | rm NAME",
  flags: {},
  positionals: { least: 1, most: 2 },
  notes: [
    "An agent's token opens /mcp of janee serve, and stands where the API key would on its reverse proxy.",
    "add prints the token once; the store keeps only its hash.",
  ],
  run: (args, talk) => {
    const [action = "", name] = args.positionals;
    if (action === "list" && name === undefined) return withJanee(talk, (janee) => list(janee, talk));
    if (!(actions as readonly string[]).includes(action)) {
      const message = `janee agent takes add, list or rm${didYouMean(action, actions)}`;
      return Promise.resolve(new Failure("usage", message, { next: "janee agent --help" }));
    }
    if (action === "list" || name === undefined || !namePattern.test(name)) {
      return Promise.resolve(
        new Failure("usage", `expected: janee agent ${command.usage}; a name is of a-z, 0-9, _ and -`),
      );
    }
    return withJanee(talk, (janee) =>
      action === "add" ? add(janee, talk, name) : remove(janee, talk, name),
    );
  },
};

async function list({ agents, sessions }: Janee, talk: Talk): Promise<number> {
  const shown = agents.list().map((agent) => ({
    name: agent.name,
    createdAt: new Date(agent.createdAt).toISOString(),
    byPerson: agent.byPerson,
    sessions: sessions.liveOf(callerOf(agent).owner).length,
  }));
  if (talk.json) talk.printJson(shown);
  else if (shown.length === 0) talk.say("no agents yet\n  → janee agent add NAME");
  else {
    const rows = shown.map((one) => [
      one.name,
      one.createdAt,
      `${one.sessions}`,
      one.byPerson ? "yes" : "no",
    ]);
    talk.print(columns([["NAME", "ADDED", "SESSIONS", "BY A PERSON"], ...rows]));
  }
  return 0;
}

/**
 * Anyone who may run janee can add an agent, which gets no further than `grant` does. Only a name that a person gave
 * is one that `allowedAgents` goes by.
 */
async function add(janee: Janee, talk: Talk, name: string): Promise<number | Failure> {
  const { agents, home, sessions } = janee;
  const named = [...home.current().config.capabilities.values()].filter(({ allowedAgents }) =>
    allowedAgents?.includes(name),
  );
  const byPerson = named.length > 0 || isInteractive() || talk.environment.JANEE_UNATTENDED === "1";
  if (byPerson) {
    const refused = await refuseWithoutPerson(janee, talk, {
      command: `agent add ${name}`,
      stakes: [
        `a token for the agent "${name}", which may then ask for every capability that is open to it`,
        ...named.map((capability) => `  "${capability.name}" is for agents of this name`),
      ],
      ask: `add the agent "${name}"?`,
    });
    if (refused) return refused;
  }
  const added = agents.add(name, byPerson, sessions.now());
  if (!added) {
    return new Failure("usage", `there is an agent "${name}" already`, {
      next: `janee agent rm ${name} takes its token away; then add it again`,
    });
  }
  const unwritten = await janee.note({
    ...{ event: "command", surface: "cli", owner: callerOf(added.agent).owner, agent: name },
    ...{ outcome: "added", message: `agent add ${name}` },
  });
  if (unwritten) {
    agents.remove(name);
    return unwritten;
  }
  if (talk.json) talk.printJson({ name, token: added.token });
  else talk.print(added.token);
  return 0;
}

async function remove(janee: Janee, talk: Talk, name: string): Promise<number | Failure> {
  const agent = janee.agents.remove(name);
  if (!agent) {
    const names = janee.agents.list().map((known) => known.name);
    return new Failure("not_found", `there is no agent "${name}"${didYouMean(name, names)}`, {
      next: "janee agent list shows those there are",
    });
  }
  const caller = callerOf(agent);
  await janee.broker.endSessionsOf(caller, "cli");
  const unwritten = await janee.note({
    ...{ event: "command", surface: "cli", owner: caller.owner, agent: name },
    ...{ outcome: "removed", message: `agent rm ${name}` },
  });
  if (unwritten) talk.say(`janee: ${unwritten.message}`);
  if (talk.json) talk.printJson({ name, removed: true });
  else talk.print(`removed ${name}: its token opens nothing any more`);
  return 0;
}
