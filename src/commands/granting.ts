// A session by a person's own hand: of `janee grant`, and of `janee serve --grant`.
import { describeRules } from "../engine/describe-rules.ts";
import { Failure } from "../engine/failure.ts";
import type { MintRequest } from "../engine/session.ts";
import { timeLeft } from "../engine/time-left.ts";
import { shortId } from "../engine/token.ts";
import { entropy } from "../host/clock.ts";
import type { Talk } from "./command.ts";
import { durationMs } from "./duration.ts";
import { refuseWithoutPerson } from "./person.ts";
import { unknownCapability } from "./unknown-capability.ts";
import type { Janee } from "./wire-up.ts";

export interface Wish {
  /** As the trail and the question name it. */
  readonly command: string;
  readonly ttl?: string | undefined;
  readonly agent?: string | undefined;
  readonly reason?: string | undefined;
}

export interface Granted {
  readonly token: string;
  readonly session: string;
  readonly expiresAt: string;
}

export async function grantSession(
  janee: Janee,
  talk: Talk,
  name: string,
  wish: Wish,
): Promise<Granted | Failure> {
  const { config } = janee.home.current();
  const { ttl: asked, agent, reason } = wish;
  const capability = config.capabilities.get(name);
  if (!capability) return unknownCapability(name, [...config.capabilities.keys()]);
  const ttl = asked === undefined ? capability.ttlMs : durationMs("--ttl", asked);
  if (ttl instanceof Failure) return ttl;
  if (ttl > capability.ttlMs) {
    return new Failure(
      "usage",
      `--ttl is longer than the ${timeLeft(capability.ttlMs)} that "${name}" allows`,
      {
        next: "choose a shorter --ttl, or change the ttl of the capability",
      },
    );
  }
  if (capability.requireReason && reason === undefined) {
    return new Failure("reason_required", `"${name}" wants a reason`, { next: "give one with --reason" });
  }
  const held = janee.sessions.holds.held("", name);
  const agents = capability.allowedAgents;
  if (agents && !agents.includes(agent ?? "")) {
    return new Failure("agent_not_allowed", `"${name}" is for these agents only: ${agents.join(", ")}`, {
      next: "name one of them with --agent",
    });
  }
  // Whose name a session bears is a person's to say where the name decides.
  const byPerson = !capability.autoApprove || held || agents !== undefined;
  if (byPerson) {
    const stakes = [
      `capability: ${name} on ${capability.service}, for ${timeLeft(ttl)}`,
      ...describeRules(capability).map((line) => `  ${line}`),
      ...(held ? ["it was revoked: a yes lets agents ask for it again"] : []),
    ];
    const refused = await refuseWithoutPerson(janee, talk, {
      command: wish.command,
      stakes,
      need: held
        ? `"${name}" was revoked, and is granted again by a person`
        : `"${name}" is granted by a person`,
      ask: `grant "${name}"?`,
    });
    if (refused) return refused;
  }
  const owner = `grant:${shortId(entropy, 8)}`;
  const request: MintRequest = {
    owner,
    capability,
    approvedBy: byPerson ? "person" : "policy",
    ttlMs: ttl,
    ...(agent === undefined ? {} : { agent }),
    ...(byPerson ? { agentProven: true } : {}),
    ...(reason === undefined ? {} : { reason }),
  };
  const granted = janee.sessions.grant(request, held, [...config.capabilities.keys()]);
  if (!granted) {
    return new Failure("session_revoked", `"${name}" was revoked or granted meanwhile: nothing was granted`, {
      next: "run it again if it is still wanted",
    });
  }
  const { session, token } = granted;
  const unwritten = await janee.note({
    ...{
      event: "session",
      outcome: "granted",
      surface: "cli",
      owner,
      session: session.id,
      capability: name,
    },
    service: capability.service,
    ...(agent === undefined ? {} : { agent }),
    ...(reason === undefined ? {} : { reason }),
  });
  if (unwritten) {
    janee.sessions.end(session.id);
    return unwritten;
  }
  return { token, session: session.id, expiresAt: new Date(session.expiresAt).toISOString() };
}
