// What `janee run` was asked for: which capabilities, and in whose name.
import type { Caller } from "../engine/caller.ts";
import type { Config } from "../engine/config.ts";
import { overlapping } from "../engine/destination.ts";
import { Failure } from "../engine/failure.ts";
import { didYouMean } from "../engine/nearest.ts";
import type { Arguments, Talk } from "./command.ts";
import { durationMs } from "./duration.ts";
import { refuseWithoutPerson } from "./person.ts";
import type { Janee } from "./wire-up.ts";

/** The capabilities that were named, or all that need no person. */
export function namesOf(args: Arguments, config: Config, janee: Janee): readonly string[] | Failure {
  const named = args.texts("capability").flatMap((text) => text.split(",").map((name) => name.trim()));
  const every = [...config.capabilities.values()].filter(({ mode }) => mode === "http");
  const wanted = named.filter((name) => name !== "");
  const names =
    wanted.length > 0
      ? wanted
      : every
          .filter((one) => one.autoApprove && !janee.sessions.holds.held("", one.name))
          .map(({ name }) => name);
  for (const name of names) {
    if (every.some((one) => one.name === name)) continue;
    const known = every.map((one) => one.name);
    const exists = config.capabilities.has(name);
    const message = exists
      ? `"${name}" runs commands: it takes no requests`
      : `there is no capability "${name.slice(0, 64)}"`;
    return new Failure("unknown_capability", `${message}${didYouMean(name, known)}`, {
      next: `known capabilities: ${known.join(", ") || "none yet: janee add <service>"}`,
    });
  }
  const both = args.flag("first-match") ? undefined : overlapping(config, names);
  if (!both) return names;
  return new Failure("capability_ambiguous", `"${both[0]}" and "${both[1]}" are for the same address`, {
    next: "choose with --capability, or put them in order and add --first-match",
  });
}

/** Whose the sessions are. */
export async function callerOf(
  janee: Janee,
  talk: Talk,
  args: Arguments,
  config: Config,
  names: readonly string[],
  owner: string,
): Promise<Caller | Failure> {
  const agent = args.text("agent");
  const asked = args.text("ttl");
  const ttlMs = asked === undefined ? undefined : durationMs("--ttl", asked);
  if (ttlMs instanceof Failure) return ttlMs;
  const bound = names.filter((name) => config.capabilities.get(name)?.allowedAgents !== undefined);
  if (agent !== undefined && bound.length > 0) {
    const refused = await refuseWithoutPerson(janee, talk, {
      command: `run --agent ${agent}`,
      stakes: [`agent: ${agent}`, ...bound.map((name) => `capability: ${name}, for named agents only`)],
      need: "the name of an agent is a person's to give",
      ask: `run it as "${agent}"?`,
    });
    if (refused) return refused;
  }
  return {
    owner,
    only: new Set(names),
    renews: true,
    ...(args.flag("first-match") ? { firstMatch: true } : {}),
    ...(agent === undefined ? {} : { agent, agentProven: bound.length > 0 }),
    ...(ttlMs === undefined ? {} : { ttlMs }),
  };
}
