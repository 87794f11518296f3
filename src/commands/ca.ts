import { Failure } from "../engine/failure.ts";
import { didYouMean } from "../engine/nearest.ts";
import { hasAuthority, removeAuthority, renewAuthority } from "../host/authority/authority.ts";
import { permits } from "./ca-permits.ts";
import type { Command, Talk } from "./command.ts";
import { authorityOf, keySealOf, secureHosts } from "./forward.ts";
import { withJanee } from "./open.ts";
import type { Janee } from "./wire-up.ts";

const actions = ["print", "renew", "rm"];

export const command: Command = {
  usage: "[print | renew | rm]",
  flags: {},
  positionals: { least: 0, most: 1 },
  notes: [
    "The authority signs certificates for the hosts of your services, for clients of the forward proxy.",
    "It is trusted by nobody who was not told to: janee run tells its command, and puts it into no system's store.",
    "print: its certificate in PEM, never its key. renew: a new key; who trusted the old one does no more.",
  ],
  run: (args, talk) => {
    const [action = "print"] = args.positionals;
    if (!actions.includes(action)) {
      return Promise.resolve(
        new Failure("usage", `unknown argument ${action.slice(0, 40)}${didYouMean(action, actions)}`, {
          next: `expected: janee ca ${command.usage}`,
        }),
      );
    }
    return withJanee(talk, (janee) => act(janee, talk, action));
  },
};

async function act(janee: Janee, talk: Talk, action: string): Promise<number | Failure> {
  const { path } = janee.home;
  if (action === "rm") {
    const removed = await removeAuthority(path);
    return removed ?? (await told(janee, talk, "removed")) ?? 0;
  }
  if (action === "renew") {
    const hosts = secureHosts(janee.home.current().config);
    const made = await renewAuthority(path, hosts, janee.sessions.now(), keySealOf(janee));
    return made instanceof Failure ? made : ((await told(janee, talk, "renewed")) ?? 0);
  }
  if (!hasAuthority(path)) {
    return new Failure("not_found", "there is no local authority yet", {
      next: "janee run or the forward proxy makes one at first use; janee ca renew makes one now",
    });
  }
  // For the services as they are now: what is printed is what clients will be shown certificates of.
  const known = await authorityOf(janee);
  if (known instanceof Failure) return known;
  const { cert, hosts, expiresAt } = known;
  if (talk.json) talk.printJson({ cert, hosts, expiresAt: new Date(expiresAt).toISOString() });
  else {
    talk.print(cert.trimEnd());
    talk.say(`janee: ${permits(known)}`);
  }
  return 0;
}

async function told(janee: Janee, talk: Talk, outcome: string): Promise<Failure | undefined> {
  talk.say(`janee: the local authority was ${outcome}`);
  return janee.note({ event: "command", surface: "cli", owner: "person", outcome, message: `ca ${outcome}` });
}
