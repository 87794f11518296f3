import { Failure } from "../engine/failure.ts";
import { judge, type Session } from "../engine/session.ts";
import type { Command } from "./command.ts";
import { unknownCapability } from "./grant.ts";
import { withJanee } from "./open.ts";
import type { Janee } from "./wire-up.ts";

export const command: Command = {
  usage: "<id> | --all | --capability NAME",
  flags: {
    all: { type: "boolean", help: "every session of every capability" },
    capability: { type: "string", value: "NAME", help: "every session of this capability" },
  },
  positionals: { least: 0, most: 1 },
  notes: [
    "A revocation outranks autoApprove: the next request asks a person, until one approves or grants.",
    "When this command has returned, no request of the session starts any more, in any process.",
  ],
  async run(args, talk) {
    const [id] = args.positionals;
    const capability = args.text("capability");
    const chosen = [id !== undefined, args.flag("all"), capability !== undefined].filter(Boolean).length;
    if (chosen !== 1) {
      return new Failure("usage", "expected one of: a session id, --all, --capability NAME", {
        next: "janee sessions shows the ids",
      });
    }
    return withJanee(talk, async (janee) => {
      const { capabilities } = janee.home.current().config;
      if (capability !== undefined && !capabilities.has(capability)) {
        return unknownCapability(capability, [...capabilities.keys()]);
      }
      const ended = id === undefined ? janee.sessions.revokeEvery(capability) : revokeOne(janee, id);
      if (ended instanceof Failure) return ended;
      for (const session of ended) await noteRevoked(janee, session);
      if (id === undefined) {
        const message = capability === undefined ? "revoke --all" : `revoke --capability ${capability}`;
        const unwritten = await janee.note({ event: "command", surface: "cli", owner: "person", message });
        // The sessions have ended all the same: a log that cannot be written must not keep them alive.
        if (unwritten) talk.say(`janee: ${unwritten.message}`);
      }
      if (talk.json) talk.printJson({ revoked: ended.map((session) => session.id) });
      else talk.print(ended.length === 1 ? `revoked ${ended[0]?.id}` : `revoked ${ended.length} sessions`);
      return 0;
    });
  },
};

function revokeOne(janee: Janee, id: string): Session[] | Failure {
  const now = janee.sessions.now();
  const live = janee.sessions.list().filter((session) => session.id.startsWith(id) && !judge(session, now));
  const exact = live.find((session) => session.id === id);
  const [first, second] = exact ? [exact] : live;
  if (!first) {
    return new Failure("not_found", `no active session has the id "${id.slice(0, 20)}"`, {
      next: "janee sessions shows the ids",
    });
  }
  if (second) {
    return new Failure("ambiguous_id", `"${id}" is the beginning of ${live.length} session ids`, {
      next: `type more of it: ${live
        .map((session) => session.id)
        .slice(0, 5)
        .join(", ")}`,
    });
  }
  const revoked = janee.sessions.revoke(first.id);
  return revoked ? [revoked] : new Failure("not_found", "this session has just ended");
}

async function noteRevoked(janee: Janee, session: Session): Promise<void> {
  const { id, owner, capability, agent } = session;
  await janee.note({
    ...{ event: "session", outcome: "revoked", surface: "cli", owner, session: id, capability },
    ...(agent === undefined ? {} : { agent }),
  });
}
