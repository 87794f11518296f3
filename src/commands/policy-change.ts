// Every command that changes the config comes through here: what lets an existing credential do more is a
// person's to decide, and each change is written down.
import type { Edit } from "../engine/edit-config.ts";
import { Failure } from "../engine/failure.ts";
import type { ConfigDocument, ReadConfig } from "../engine/read-config.ts";
import type { Vault } from "../engine/vault.ts";
import { changes as changesOf } from "../engine/widening.ts";
import type { Talk } from "./command.ts";
import { refuseWithoutPerson } from "./person.ts";
import type { Janee } from "./wire-up.ts";

export interface PolicyChange {
  readonly command: string;
  /** The credential that is given with this change: of its own kind no existing one can do more. */
  readonly credential: "none" | "new" | "reference";
  readonly plan: (read: ReadConfig, vault: Vault) => readonly Edit[];
}

export async function applyChange(
  janee: Janee,
  talk: Talk,
  change: PolicyChange,
): Promise<Failure | undefined> {
  const judged = judge(janee, change);
  if (judged instanceof Failure) return judged;
  const { document, widened } = judged;
  const before = document.read.config;
  // A reference names a secret that exists already: where it may go is a person's to say, like any other.
  const referred = change.credential === "reference";
  if (referred || (widened.length > 0 && change.credential === "none")) {
    const lines = widened.map((line) => `  ${line}`);
    const refused = await refuseWithoutPerson(janee, talk, {
      command: change.command,
      stakes: [
        "this lets an existing credential do more:",
        ...(referred ? ["  a reference to it is used"] : []),
        ...lines,
      ],
      need: referred
        ? `${change.command} uses a reference, which names a secret that exists already`
        : `${change.command} lets an existing credential do more`,
      ask: "do it?",
    });
    if (refused) return refused;
  }
  const refused = await janee.home.update((read, vault) => {
    const since = changesOf(before, read.config);
    const moved = since.widened.length + since.other.length > 0;
    // What was judged, and perhaps said yes to, was a change of the file as it stood then.
    return moved && change.credential !== "new" ? meanwhile() : change.plan(read, vault);
  }, document);
  if (refused) return refused;
  const changes = changesOf(before, janee.home.current().config);
  return janee.note({
    ...{ event: "policy", surface: "cli", owner: "person", outcome: "changed", message: change.command },
    changes: [...changes.widened.map((line) => `wider: ${line}`), ...changes.other],
  });
}

function meanwhile(): Failure {
  return new Failure("too_busy", "the config was changed meanwhile: nothing was written", {
    next: "run it again",
  });
}

/** What the change would widen, on a copy in memory: nothing is written before a person has said yes. */
function judge(
  janee: Janee,
  change: PolicyChange,
): { readonly document: ConfigDocument; readonly widened: readonly string[] } | Failure {
  const rehearsed = janee.home.rehearse(change.plan);
  if (rehearsed instanceof Failure) return rehearsed;
  const { document, after } = rehearsed;
  if (!(after instanceof Failure)) {
    return { document, widened: changesOf(document.read.config, after).widened };
  }
  // The line it complains about is not in any file: only what was typed is wrong.
  const { code, message, next } = after;
  return new Failure(code, message, next === undefined ? {} : { next });
}
