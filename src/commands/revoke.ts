import { Failure } from "../engine/failure.ts";
import { revokeEvery, revokeSession } from "../engine/revoking.ts";
import { judge, type Session } from "../engine/session.ts";
import { looksLikeToken } from "../engine/token.ts";
import { homePath } from "../host/home-path.ts";
import { openStateToStop } from "../host/state.ts";
import type { Command, Talk } from "./command.ts";
import { withJanee } from "./open.ts";
import { unknownCapability } from "./unknown-capability.ts";
import type { Janee } from "./wire-up.ts";

export const command: Command = {
  usage: "<id> | --all | --capability NAME",
  flags: {
    all: { type: "boolean", help: "every session of every capability" },
    capability: { type: "string", value: "NAME", help: "every session of this capability" },
  },
  positionals: { least: 0, most: 1 },
  notes: [
    "A revocation outranks autoApprove: no session begins again until a person grants or approves one.",
    "An id can be shortened as long as it stays unambiguous. --all works even where config and key are gone.",
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
    const revoked = await withJanee(talk, (janee) => revoke(janee, talk, id, capability), { toStop: true });
    // Without its key the vault cannot say which rows are real: then all of them end.
    return revoked instanceof Failure && args.flag("all") ? endWithoutVault(talk, revoked) : revoked;
  },
};

async function revoke(
  janee: Janee,
  talk: Talk,
  id: string | undefined,
  capability: string | undefined,
): Promise<number | Failure> {
  const { capabilities } = janee.home.current().config;
  if (capability !== undefined && capabilities.size > 0 && !capabilities.has(capability)) {
    return unknownCapability(capability, [...capabilities.keys()]);
  }
  const found = id === undefined ? undefined : find(janee, id);
  if (found instanceof Failure) return found;
  const { ended, unwritten } = found
    ? await revokeSession(janee, found.id, "cli")
    : await revokeEvery(janee, capability, "cli");
  if (found && ended.length === 0) return new Failure("not_found", "this session has just ended");
  if (unwritten) talk.say(`janee: ${unwritten.message}`);
  if (talk.json) talk.printJson({ revoked: ended.map((session) => session.id) });
  else talk.print(ended.length === 1 ? `revoked ${ended[0]?.id}` : `revoked ${ended.length} sessions`);
  return 0;
}

/** The kill switch works without config and key: no row of the store can be believed any more. */
function endWithoutVault(talk: Talk, why: Failure): number | Failure {
  const home = homePath(talk.environment);
  if (home instanceof Failure) return why;
  const store = openStateToStop(home);
  if (store === undefined || store instanceof Failure) return store ?? why;
  store.endEverything();
  store.close();
  talk.say(`janee: ${why.message}`);
  talk.say("janee: every session has ended all the same; this could not be written into the audit trail");
  if (talk.json) talk.printJson({ revoked: "all" });
  else talk.print("revoked every session");
  return 0;
}

function find(janee: Janee, id: string): Session | Failure {
  if (looksLikeToken(id)) {
    return new Failure("usage", "that is a session's token: keep it secret, and give the session's id", {
      next: "janee sessions shows the ids",
    });
  }
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
  return first;
}
