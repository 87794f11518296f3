import { Failure } from "../engine/failure.ts";
import { issueTicket } from "../engine/page-access.ts";
import { openInBrowser } from "../host/browser.ts";
import { clock, entropy } from "../host/clock.ts";
import { servingUrl } from "../host/serving.ts";
import type { Command } from "./command.ts";
import { withJanee } from "./open.ts";
import { refuseWithoutPerson } from "./person.ts";

export const command: Command = {
  usage: "[--print]",
  flags: { print: { type: "boolean", help: "only print the address; else the browser is opened as well" } },
  positionals: { least: 0, most: 0 },
  notes: [
    "The address lets one page in, once, within a minute: it can approve, deny and revoke. Reloading ends it.",
  ],
  run: (args, talk) =>
    withJanee(talk, async (janee) => {
      const serving = servingUrl(janee.home.path);
      if (serving === undefined) {
        return new Failure("not_found", "no janee serve runs for this home", {
          next: "start it: janee serve",
        });
      }
      const refused = await refuseWithoutPerson(janee, talk, {
        command: "open",
        stakes: [`a page at ${serving}/_janee/ that can approve, deny and revoke until it is closed`],
        ask: "open it?",
      });
      if (refused) return refused;
      const { rows } = janee;
      const url = `${serving}/_janee/#${issueTicket({ rows, entropy, now: clock.wall }, serving)}`;
      if (talk.json) talk.printJson({ url });
      else talk.print(url);
      if (!talk.json && !args.flag("print")) openInBrowser(url);
      return 0;
    }),
};
