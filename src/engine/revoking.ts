// A revocation by a person, whichever way it came: the sessions end, and each end is written down.
import type { Entry } from "./entry.ts";
import type { Failure } from "./failure.ts";
import type { Session, Sessions } from "./session.ts";

export interface RevokingParts {
  readonly sessions: Sessions;
  readonly note: (entry: Omit<Entry, "timestamp" | "id">) => Promise<Failure | undefined>;
}

export interface Revoked {
  readonly ended: readonly Session[];
  /** The sessions have ended all the same: a log that cannot be written must not keep them alive. */
  readonly unwritten: Failure | undefined;
}

/** `id`: whole. Nothing has ended when there is no such live session. */
export async function revokeSession(parts: RevokingParts, id: string, surface: string): Promise<Revoked> {
  const session = parts.sessions.revoke(id);
  const ended = session ? [session] : [];
  return { ended, unwritten: await noteEach(parts, ended, surface) };
}

/** Every session of one capability, or of all. */
export async function revokeEvery(
  parts: RevokingParts,
  capability: string | undefined,
  surface: string,
): Promise<Revoked> {
  const ended = parts.sessions.revokeEvery(capability);
  const unwritten = await noteEach(parts, ended, surface);
  const message = capability === undefined ? "revoke --all" : `revoke --capability ${capability}`;
  return {
    ended,
    unwritten: (await parts.note({ event: "command", surface, owner: "person", message })) ?? unwritten,
  };
}

async function noteEach(
  { note }: RevokingParts,
  ended: readonly Session[],
  surface: string,
): Promise<Failure | undefined> {
  let unwritten: Failure | undefined;
  for (const { id, owner, capability, agent } of ended) {
    const failed = await note({
      ...{ event: "session", outcome: "revoked", surface, owner, session: id, capability },
      ...(agent === undefined ? {} : { agent }),
    });
    unwritten ??= failed;
  }
  return unwritten;
}
