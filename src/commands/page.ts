// The page of a listener that runs for people: `/_janee/` of `janee serve`.
import { PageAccess } from "../engine/page-access.ts";
import { clock, entropy } from "../host/clock.ts";
import { digest } from "../host/digest.ts";
import { servingUrl } from "../host/serving.ts";
import { makePage, type Page } from "../surface/page/page.ts";
import { People } from "../surface/page/people.ts";
import { lastLines } from "./audit-files.ts";
import { version } from "./version.ts";
import type { Janee } from "./wire-up.ts";

const nonceBytes = 16;
const mostLines = 100;

export function pageOf(janee: Janee): Page {
  const { home, rows, sessions, approvals, broker } = janee;
  const url = (): string | undefined => servingUrl(home.path);
  return makePage({
    version,
    access: new PageAccess({ rows, entropy, digest, url, now: clock.wall }),
    people: new People({
      ...{ sessions, approvals, broker },
      note: (entry) => janee.note(entry),
      trail: () => lastLines(home.path, mostLines),
    }),
    nonce: () => Buffer.from(entropy.bytes(nonceBytes)).toString("base64"),
  });
}
